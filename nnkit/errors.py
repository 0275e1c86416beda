"""The errors that a user can cause. A message says which argument or layer, what came, what was expected, the fix."""


class NnkitError(Exception):
    """Base of every error that nnkit raises on purpose; the command line prints these without a traceback."""


class ArgumentError(NnkitError, ValueError):
    """An argument has a value that cannot work: an unknown name, a negative count, a list of the wrong length."""


class UnknownArgumentError(ArgumentError, TypeError):
    """A call with the name of an argument that it does not have, which is a TypeError in Python."""


class ShapeError(NnkitError, ValueError):
    """Shapes that do not fit together, with the layer where it was noticed."""


class DtypeError(NnkitError, TypeError):
    """Data types that do not fit together; the standard leaves mixed kinds undefined and nnkit refuses them."""


class TraceError(NnkitError, TypeError):
    """Python code that a trace cannot follow: control flow on values, in-place changes, conversion to NumPy."""


class DataError(NnkitError, ValueError):
    """Data that cannot be trained on: empty, ragged, NaN, labels out of range."""


class UndefinedMetricError(DataError):
    """A metric that has no value on these data: 0 / 0, or a class without rows."""


class FileError(NnkitError, OSError):
    """A file that is missing, truncated, damaged, or not what its name says."""


class DeviceError(NnkitError, RuntimeError):
    """A device that this machine does not have, or that lacks what the program needs."""


class MissingExtraError(NnkitError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""


class NnkitWarning(UserWarning):
    """Something that works but is probably not what was meant: unscaled inputs, duplicates across splits."""
