"""Where a file is written to: checked before, whole or not at all, and what goes wrong is said as one error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from nnkit.errors import FileError, NnkitError
from nnkit.measure.files import replacing


@contextmanager
def writing(target: Path, example: str = "net.h5") -> Iterator[Path]:
    """Give the block a new path to write to; afterwards the file takes the place of ``target``, in one step.

    ``example`` is a name for a file of its kind. Raises FileError for targets that cannot be one, and for what the
    system or a library raises in the block (OSError, RuntimeError, ValueError); an old file then is as it was.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with writing(target) as new:
    ...     _ = new.write_text("1 2 3")
    >>> target.read_text()
    '1 2 3'
    """
    try:
        check_target(target, example)
        with replacing(target) as new:
            yield new
    except NnkitError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise FileError(
            f"{target} could not be written: {reason}; check free space and permissions, or save elsewhere "
            "(an old file of that name is as it was)"
        ) from error


def claim(handle: int) -> bool:
    """Whether an open file is this process's alone from now on, until it is closed: nobody sweeps it away."""
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be removed anyway
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def sweep(target: Path) -> None:
    """Remove what writers of this file left behind that were killed; what one is writing now stays."""
    real = Path(os.path.realpath(target))
    for left in real.parent.glob(f".{escape(real.name)}.????????.tmp"):
        with suppress(OSError):
            handle = os.open(left, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if claim(handle):
                    left.unlink()
            finally:
                os.close(handle)


def check_target(target: Path, example: str = "net.h5") -> None:
    """Refuse a target that no file can be written to: a folder, one in a folder that is not there, a protected file."""
    real = Path(os.path.realpath(target))
    if real.is_dir():
        raise FileError(f"{target} is a folder; add the name of a file, such as {target / example}")
    if not real.parent.is_dir():
        raise FileError(f"there is no folder {real.parent} to write {real.name} to; create it, or save elsewhere")
    if real.exists() and not real.is_file():
        raise FileError(f"{target} is no ordinary file; save under another name")
    if real.exists() and not os.access(real, os.W_OK):
        raise FileError(f"{target} is write-protected; save under another name, or allow writing to it")
