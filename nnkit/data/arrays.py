"""Any array a user may have → NumPy on the host, and results back into the user's library.

No array library is imported here: an array carries its own methods, and its type's module says where it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nnkit.errors import DataError, NnkitError

Array = NDArray[Any]

NUMBERS = "biuf"  # NumPy's kinds that a network can learn from: bool, int, uint, float
COPIES = ("get", "copy_to_host", "to_numpy")
"""How arrays in a GPU's memory call what copies them to the host."""
READY = frozenset((np.dtype("float32"), np.dtype("float64")))  # of this machine's byte order


@runtime_checkable
class _HasDLPack(Protocol):
    """An array that can lend its memory through DLPack."""

    def __dlpack__(self) -> Any: ...


def to_host(array: object, argument: str = "x") -> Array:
    """Return the numbers in ``array`` as a C-contiguous NumPy array of bools, integers or floats.

    Accepts NumPy, nested lists, pandas, CuPy, PyTorch (on any device, with or without gradients), JAX, and anything
    else with ``__array__`` or DLPack. A C-contiguous NumPy array comes back as it is, not copied. bfloat16 becomes
    float32.

    Raises:
        DataError: text, objects, complex numbers or dates; ragged lists; no elements; a single number.

    >>> to_host([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if type(array) is np.ndarray and array.dtype in READY and array.flags.c_contiguous and array.ndim and array.size:
        return array
    values = as_numpy(array, argument)
    if values.dtype.kind not in NUMBERS:
        raise DataError(_not_numbers(values, argument))
    if values.ndim == 0:
        raise DataError(
            f"{argument} is the single number {values.item()!r}; expected rows: write [[{values.item()!r}]]"
        )
    if values.size == 0:
        raise DataError(
            f"{argument} is empty: its shape is {values.shape}; check the file or the selection it came from"
        )
    return np.asarray(values, dtype=values.dtype.newbyteorder("="), order="C")


def as_numpy(array: object, argument: str = "x") -> Array:
    """Return ``array`` as NumPy whatever it holds, text included; ``to_host`` is this and a check for numbers."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        masked = int(np.count_nonzero(array.mask))
        raise DataError(
            f"{argument} has {masked} masked values; fill them ({argument}.filled(0)) or leave those rows out"
        )
    if isinstance(array, np.ndarray):
        return _widen(np.asarray(array))
    convert = _FROM_LIBRARY.get(library(array), _from_protocol)
    try:
        return _widen(np.asarray(convert(array, argument)))
    except NnkitError:
        raise
    except Exception as error:  # whatever another library raises, the user needs the argument's name and a way out
        raise DataError(
            f"{argument} ({_type_name(array)}) cannot be converted to NumPy: {error}; pass a NumPy array"
        ) from error


def like(original: object, result: Array) -> Any:
    """Return the NumPy array ``result`` in the library, and on the device, that ``original`` came from.

    Lists, pandas objects and arrays of unknown libraries give NumPy, and so does a ``result`` that holds text.

    >>> type(like([[1.0]], np.ones(2))).__name__
    'ndarray'
    """
    if library(original) in {"numpy", "builtins", "pandas"} or result.dtype.kind not in NUMBERS:
        return result
    import array_api_compat

    if not array_api_compat.is_array_api_obj(original):
        return result
    namespace = array_api_compat.array_namespace(original)
    return namespace.asarray(result, device=_one_device(original, array_api_compat.device(original)), copy=True)


def library(array: object) -> str:
    """Return the package that the array's type belongs to: ``"numpy"``, ``"torch"``, ``"builtins"`` for lists."""
    root = type(array).__module__.partition(".")[0]
    return {"jaxlib": "jax", "cupyx": "cupy"}.get(root, root)


def _one_device(array: Any, device: Any) -> Any:
    """The device, or None (the library's default) where the array spans several: results have another shape."""
    return None if library(array) == "jax" and len(array.devices()) > 1 else device


def _widen(values: Array) -> Array:
    """bfloat16 is not a type of NumPy's own (its kind is void); float32 holds all its values."""
    return values.astype(np.float32) if values.dtype.kind == "V" and values.dtype.name == "bfloat16" else values


# --- one function per library


def _from_protocol(array: Any, argument: str) -> Any:
    """Arrays that speak ``__array__`` or DLPack; the second reaches devices that the first refuses to copy from."""
    if hasattr(type(array), "__cuda_array_interface__"):  # of many a library, in a GPU's memory
        for name in COPIES:
            if callable(copy := getattr(array, name, None)):
                return copy()
    if not isinstance(array, _HasDLPack):
        return np.asarray(array)
    try:
        return np.asarray(array)
    except (RuntimeError, TypeError, ValueError, BufferError):
        return np.from_dlpack(array, device="cpu")  # type: ignore[arg-type]


def _from_python(array: Any, argument: str) -> Any:
    """Numbers and nested lists of numbers or of arrays; anything else of Python's own is refused by its type."""
    if isinstance(array, list | tuple):
        foreign = any(library(item) not in {"builtins", "numpy"} for item in array[:1])
        items = [as_numpy(item, f"{argument}[{i}]") for i, item in enumerate(array)] if foreign else array
        try:
            return np.asarray(items)
        except ValueError as error:
            raise DataError(_ragged(array, argument)) from error
    if isinstance(array, bool | int | float | complex | str | memoryview | bytearray):
        return np.asarray(array)
    kind = "None" if array is None else f"a {_type_name(array)}"
    raise DataError(f"{argument} is {kind}; expected an array: for an iterable write numpy.array(list({argument}))")


def _from_torch(tensor: Any, argument: str) -> Any:
    """Leave the gradient and the device behind; NumPy knows neither sparse layouts nor bfloat16."""
    tensor = tensor.detach()
    tensor = tensor.to_dense() if str(tensor.layout) != "torch.strided" else tensor
    tensor = tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor
    return tensor.cpu().resolve_conj().resolve_neg().numpy()


def _from_cupy(array: Any, argument: str) -> Any:
    return array.get()


def _from_scipy(matrix: Any, argument: str) -> Any:
    raise DataError(f"{argument} is a sparse matrix of shape {matrix.shape}; pass {argument}.toarray()")


def _from_pandas(table: Any, argument: str) -> Any:
    """A Series or a DataFrame, by columns: as a whole, mixed types become objects. Text in the only one is for the
    caller to judge."""
    values = table.to_numpy()
    if type(table).__name__ != "DataFrame" or values.dtype.kind in NUMBERS:
        return values
    columns = [np.asarray(table.iloc[:, i].to_numpy()) for i in range(table.shape[1])]
    for name, column in zip(table.columns, columns, strict=True):
        if len(columns) > 1 and column.dtype.kind not in NUMBERS:
            raise DataError(_not_numbers(column, f"{argument}[{name!r}]"))
    return np.column_stack(columns)


_FROM_LIBRARY: dict[str, Callable[[Any, str], Any]] = {
    "builtins": _from_python,
    "torch": _from_torch,
    "cupy": _from_cupy,
    "scipy": _from_scipy,
    "pandas": _from_pandas,
}


# --- messages


def _not_numbers(values: Array, argument: str) -> str:
    """What an array holds instead of numbers, and the way out."""
    kind = values.dtype.kind
    if kind == "c":
        return f"{argument} holds complex numbers ({values.dtype}); pass the real and imaginary parts as columns"
    if kind in "mM":
        return f"{argument} holds dates or times ({values.dtype}); turn them into numbers, such as days since the first"
    given = values.ravel().tolist()
    odd = next((v for v in given if not isinstance(v, bool | int | float)), None)
    if isinstance(odd, str | bytes):
        empty = next((i for i, v in enumerate(given) if v is None or v != v), None)
        if empty is not None:
            row = empty * len(values) // values.size
            return f"{argument} holds text, such as {odd!r}, and nothing in row {row}; leave out rows without a value"
        if are_numbers(given):
            return (
                f"{argument} holds numbers as text, such as {odd!r} ({values.dtype}); write numpy.asarray({argument}, "
                "dtype=float)"
            )
        if isinstance(odd, bytes):
            return (
                f"{argument} holds bytes, such as {odd!r} ({values.dtype}); decode them to text: "
                f"numpy.char.decode(numpy.asarray({argument}, dtype='S'))"
            )
        return (
            f"{argument} holds text, such as {odd!r} ({values.dtype}); encode it as numbers, one column for each text"
        )
    if values.dtype.kind == "O" and odd is None and None in given:
        return f"{argument} has missing values (None); fill them in or leave those rows out"
    if odd is None:
        return f"{argument} holds Python objects; all are numbers, so write numpy.asarray({argument}, dtype='float64')"
    return f"{argument} holds objects of type {_type_name(odd)} ({values.dtype}); pass numbers only"


def are_numbers(given: list[Any]) -> bool:
    """Whether NumPy reads all of these, texts among them, as numbers."""
    try:
        np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _ragged(rows: list[Any] | tuple[Any, ...], argument: str) -> str:
    """Which row of a nested list has another length than the first."""
    lengths = [len(row) if isinstance(row, list | tuple | np.ndarray) else None for row in rows]
    i = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if i is None:
        return f"{argument} is ragged: its inner lists have different lengths; all rows must have the same shape"
    found = ["a single value" if length is None else f"{length} values" for length in (lengths[0], lengths[i])]
    return f"{argument} is ragged: row 0 has {found[0]}, row {i} has {found[1]}; all rows must have the same length"


def _type_name(value: object) -> str:
    module = type(value).__module__
    return type(value).__qualname__ if module == "builtins" else f"{module}.{type(value).__qualname__}"
