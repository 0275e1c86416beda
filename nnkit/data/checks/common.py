"""What the checks share: the dtype on the host, matching rows, finite values, and advice on text."""

from __future__ import annotations

from functools import cache

import numpy as np

from nnkit.data.arrays import Array, are_numbers, as_numpy, to_host
from nnkit.errors import ArgumentError, DataError, ShapeError

PIECE = 1 << 13  # numbers that are looked at together; for more, the matrix library would start threads
SQUARED = (np.dtype("float32").char, np.dtype("float64").char)  # of which it has sums of squares, at memory's speed

_FILL = "leave those rows out or fill them in, for example with the column's mean"


@cache
def host_dtype(name: str) -> np.dtype[np.generic]:
    """The NumPy type of data for a network of this dtype; float32 stands in for bfloat16, which NumPy lacks."""
    try:
        return np.dtype("float32" if name == "bfloat16" else name)
    except TypeError as error:
        raise ArgumentError(f"dtype {name!r} is unknown; expected a name such as 'float32' or 'float64'") from error


def convert(values: Array, dtype: str, argument: str, remedy: str = _FILL) -> Array:
    """Return ``values`` in a floating dtype; NaN, infinity and numbers too large for the dtype are refused.

    ``remedy`` is what to do about the first two.
    """
    wanted = host_dtype(dtype)
    if values.dtype == wanted:
        result = np.asarray(values, order="C")
    else:
        with np.errstate(over="ignore"):
            result = np.asarray(values, dtype=wanted, order="C")
    if wanted.kind == "f":
        _refuse_not_finite(values, result, argument, remedy)
    return result


def numbers_or_text(y: object, argument: str) -> Array:
    """Like ``to_host``, but text gets the advice that fits targets: its classes and how to encode them."""
    values = as_numpy(y, argument)
    if values.dtype.kind in "UTO" and values.size:
        names = [v for v in values.ravel().tolist() if isinstance(v, str)]
        if len(names) == values.size and not are_numbers(names):
            raise DataError(_encode_text(sorted(set(names)), argument))
    return to_host(values, argument)


def require_rows(values: Array, rows: int, argument: str) -> None:
    """Refuse a ``values`` whose first axis is not as long as the features."""
    if len(values) != rows:
        raise ShapeError(
            f"{argument} has {count(len(values), 'row')} and x has {rows}; each row of x needs one in {argument}"
        )


def count(n: int, noun: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def first(bad: Array) -> tuple[int, ...]:
    """The index of the first true element."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def place(index: tuple[int, ...]) -> str:
    """An index in words: row 3 for vectors, row 3, column 1 for tables, row 3, position (1, 2) for images."""
    if len(index) == 1:
        return f"row {index[0]}"
    return f"row {index[0]}, column {index[1]}" if len(index) == 2 else f"row {index[0]}, position {index[1:]}"


def _refuse_not_finite(values: Array, result: Array, argument: str, remedy: str) -> None:
    flat = result.reshape(-1)
    found: int | None = None
    total = 0
    for start in _suspects(flat):
        good = np.isfinite(flat[start : start + PIECE])
        bad = good.size - int(np.count_nonzero(good))
        if bad:
            found = start + int(np.argmin(good)) if found is None else found
            total += bad
    if found is None:
        return
    index = tuple(int(i) for i in np.unravel_index(found, result.shape))
    value = values[index]
    if np.isfinite(value):
        limit = float(np.finfo(result.dtype).max)
        raise DataError(
            f"{argument} has {value!s} at {place(index)}, too large for {result.dtype} (at most {limit:.3g}); "
            f"scale {argument}, or build the network with dtype='float64'"
        )
    word = "NaN" if np.isnan(value) else "infinity"
    raise DataError(f"{argument} has {word} at {place(index)} ({count(total, 'such value')} in all); {remedy}")


def _suspects(flat: Array) -> list[int]:
    """Where pieces begin in which some number may not be finite: their sum of squares is not, or is not known."""
    known = flat.size // PIECE if flat.dtype.char in SQUARED else 0
    if known < 2:  # the sums would not save anything
        return list(range(0, flat.size, PIECE))
    pieces = flat[: known * PIECE].reshape(known, PIECE)
    with np.errstate(over="ignore", invalid="ignore"):
        good = np.isfinite(np.vecdot(pieces, pieces))
    return [int(number) * PIECE for number in np.flatnonzero(~good)] + list(range(known * PIECE, flat.size, PIECE))


def _encode_text(names: list[str], argument: str) -> str:
    shown = ", ".join(repr(name) for name in names[:10]) + (f", … ({len(names)} in all)" if len(names) > 10 else "")
    return (
        f"{argument} holds text; its classes are {shown}. Encode them as numbers: "
        f"names, {argument} = numpy.unique({argument}, return_inverse=True)"
    )
