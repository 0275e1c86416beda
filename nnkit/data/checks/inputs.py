"""The check of the features before training, testing and predicting."""

from __future__ import annotations

import math

import numpy as np

from nnkit.data.arrays import Array, library, to_host
from nnkit.data.checks.common import convert, count, first, host_dtype, place
from nnkit.errors import DataError, DtypeError, ShapeError


def features(
    x: object, input_shape: tuple[int, ...], dtype: str, argument: str = "x", layer: str | None = None
) -> Array:
    """Return ``x`` as a C-contiguous array of shape (rows, *input_shape) in ``dtype``, checked.

    It may share memory with ``x``. ``layer`` is how the error names the layer that receives the rows, such as
    ``"layer 'layers.0' (Dense)"``. For an integer ``dtype`` (token numbers) the features must be whole numbers.

    Raises:
        ShapeError: another shape than the network expects; the message has the fix where one is plain.
        DtypeError: fractions where the network takes whole numbers.
        DataError: empty, ragged or not numbers; NaN or infinity, here or after conversion to ``dtype``.

    >>> features([[1, 2], [3, 4]], (2,), "float32").dtype.name
    'float32'
    """
    values = shaped(x, input_shape, argument, layer)
    if host_dtype(dtype).kind in "iu":
        return _whole_numbers(values, dtype, argument)
    return convert(values, dtype, argument)


def shaped(x: object, input_shape: tuple[int, ...], argument: str = "x", layer: str | None = None) -> Array:
    """``x`` on the host with the dtype that it has, after the check of its shape; arguments as in ``features``."""
    values = to_host(x, argument)
    if values.shape[1:] != tuple(input_shape):
        kind = library(x)
        raise ShapeError(_wrong_shape(values.shape, tuple(input_shape), argument, layer or "the network", kind))
    return values


def _whole_numbers(values: Array, dtype: str, argument: str) -> Array:
    if values.dtype.kind == "f":
        raise DtypeError(
            f"{argument} is {values.dtype} and the network takes {dtype} (whole numbers, such as token numbers); "
            f"write {argument}.astype('{dtype}')"
        )
    limits = np.iinfo(host_dtype(dtype).name)
    bad = (values < limits.min) | (values > limits.max) if values.dtype.kind != "b" else np.zeros(1, dtype=bool)
    if bad.any():
        index = first(bad)
        raise DataError(
            f"{argument} has {values[index]} at {place(index)}, outside {dtype}; expected {limits.min} to {limits.max}"
        )
    return np.asarray(values, dtype=host_dtype(dtype), order="C")


def _wrong_shape(shape: tuple[int, ...], expected: tuple[int, ...], argument: str, layer: str, kind: str) -> str:
    wanted = count(expected[0], "input") if len(expected) == 1 else f"inputs of shape {expected}"
    got = str(shape[1]) if len(shape) == 2 and len(expected) == 1 else f"shape {shape[1:]}"
    if len(shape) == 1:
        got = "rows with no columns"
    return f"{layer} expects {wanted}, got {got}: {argument} has shape {shape}; {_fix(shape, expected, argument, kind)}"


def _fix(shape: tuple[int, ...], expected: tuple[int, ...], argument: str, kind: str) -> str:
    """The change that most likely was forgotten; ``kind`` is the library of the array."""
    array = f"numpy.asarray({argument})" if kind in {"builtins", "pandas"} else argument
    tail = ", ".join(str(n) for n in expected)
    if len(shape) == 1 and expected == (1,):
        return f"for one feature write {array}.reshape(-1, 1)"
    if shape == expected and kind == "builtins":
        return f"for a single row write [{argument}]"
    if shape == expected and kind == "pandas" and len(shape) == 1:
        return "take a single row of a table with two pairs of brackets: table.iloc[[0]], not table.iloc[0]"
    if shape == expected:
        return f"for a single row write {array}.reshape(1, {tail})"
    if len(shape) > 1 and math.prod(shape[1:]) == math.prod(expected):
        return f"write {array}.reshape(-1, {tail})"
    if len(shape) == 2 and shape[:1] == expected:
        return f"rows and columns look swapped: write {array}.T"
    if len(shape) == 2 and len(expected) == 1:
        return f"pass {count(expected[0], 'column')}, or build the network for {count(shape[1], 'input')}"
    return f"expected shape (rows, {tail})"
