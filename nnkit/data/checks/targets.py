"""The checks of the targets: class labels, labels of groups, yes-or-no answers, and numbers."""

from __future__ import annotations

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.checks.common import convert, count, first, numbers_or_text, place, require_rows
from nnkit.errors import DataError, DtypeError, ShapeError

_LARGEST_LABEL = 2**31 - 1
_SUM_TOLERANCE = 1e-3  # of probabilities in a row; wide enough for float16


def labels(y: object, rows: int, classes: int, argument: str = "y", dtype: str = "float32") -> Array:
    """Return class labels for cross-entropy: int32 (rows,), or probabilities in ``dtype`` of shape (rows, classes).

    Accepts whole numbers or bools 0 … classes − 1 of shape (rows,) or (rows, 1), floats too, and rows of probabilities
    that sum to 1, one-hot rows included.

    Raises:
        ShapeError: as many rows as x are needed, and as many columns as the network has outputs.
        DtypeError: labels with fractions, or without a value.
        DataError: text; a label outside 0 … classes − 1; probabilities that are negative or do not sum to 1.

    >>> labels([0, 2, 1], rows=3, classes=3)
    array([0, 2, 1], dtype=int32)
    """
    values = numbers_or_text(y, argument)
    require_rows(values, rows, argument)
    if values.ndim == 2 and values.shape[1] == classes and classes > 1:
        return _probabilities(values, dtype, argument)
    if values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1):
        raise ShapeError(
            f"{argument} has shape {values.shape} and the network has {count(classes, 'output')}; "
            f"expected labels of shape ({rows},) or probabilities of shape ({rows}, {classes})"
        )
    fix = "for a regression build the network with output_activation='identity'"
    values = _whole(values.reshape(rows), argument, fix)
    _require_classes(values, classes, argument)
    return values.astype(np.int32)


def groups(y: object, rows: int, argument: str = "y") -> Array:
    """Return labels that say which rows belong together: whole numbers from 0, in any number, as int32 (rows,).

    Raises:
        ShapeError: another shape than (rows,) or (rows, 1).
        DtypeError: labels with fractions, or without a value.
        DataError: text; a label below 0, or beyond int32.

    >>> groups([70, 3, 70], rows=3)
    array([70,  3, 70], dtype=int32)
    """
    values = numbers_or_text(y, argument)
    require_rows(values, rows, argument)
    if values.shape not in ((rows,), (rows, 1)):
        raise ShapeError(
            f"{argument} has shape {values.shape}; this loss compares rows by their labels: expected one integer for "
            f"each, of shape ({rows},)"
        )
    values = _whole(values.reshape(rows), argument, "for numbers choose another loss")
    bad = (values < 0) | (values > _LARGEST_LABEL)
    if bad.any():
        row = first(bad)[0]
        raise DataError(
            f"{argument} has the label {int(values[row])} in row {row}, expected 0 to {_LARGEST_LABEL}; "
            f"encode the labels: numpy.unique({argument}, return_inverse=True)[1]"
        )
    return values.astype(np.int32)


def signs(y: object, rows: int, columns: int, dtype: str, argument: str = "y", outputs_each: int = 1) -> Array:
    """Return answers −1 and 1, or 0 and 1, as −1 and 1 in ``dtype`` of shape (rows, columns).

    Shape (rows,) is accepted for one column. ``outputs_each`` is that of :func:`numbers`.

    Raises:
        ShapeError, DataError: another shape; text; NaN; any other value.

    >>> signs([True, False], rows=2, columns=1, dtype="float32").tolist()
    [[1.0], [-1.0]]
    """
    values = numbers(y, rows, columns, dtype, argument, outputs_each=outputs_each)
    bad = (np.abs(values) != 1) & (values != 0)
    if bad.any():
        index = first(bad)
        raise DataError(f"{argument} has {values[index]:g} at {place(index)}; this loss needs 1 and −1, or 1 and 0")
    if (values == 0).any() and (values == -1).any():
        raise DataError(f"{argument} has both 0 and −1; this loss needs 1 and −1, or 1 and 0")
    return np.where(values > 0, values, values.dtype.type(-1))


def binary(y: object, rows: int, outputs: int, dtype: str, argument: str = "y") -> Array:
    """Return yes-or-no targets in ``dtype`` of shape (rows, outputs): 0 and 1, or probabilities between them.

    Shape (rows,) is accepted when the network has one output.

    Raises:
        ShapeError, DataError: another shape; text; NaN; a value outside 0 … 1.

    >>> binary([True, False], rows=2, outputs=1, dtype="float32").tolist()
    [[1.0], [0.0]]
    """
    values = numbers(y, rows, outputs, dtype, argument)
    bad = (values < 0) | (values > 1)
    if bad.any():
        index = first(bad)
        minus_one = bool(np.isin(values, (-1, 1)).all())
        fix = f"labels are −1 and 1: write ({argument} + 1) / 2" if minus_one else "expected 0, 1 or a probability"
        raise DataError(f"{argument} has {values[index]:g} at {place(index)}, outside 0 to 1; {fix}")
    return values


def numbers(
    y: object,
    rows: int,
    columns: int,
    dtype: str,
    argument: str = "y",
    minimum: float | None = None,
    outputs_each: int = 1,
) -> Array:
    """Return targets of a regression in ``dtype`` of shape (rows, columns).

    Shape (rows,) is accepted for one column. ``minimum`` is the least value that the loss allows, such as 0 for
    Poisson, and ``outputs_each`` how many outputs a network has for each column, or 0 if no other network would
    do.

    Raises:
        ShapeError: another shape; nothing is broadcast.
        DataError: text; NaN or infinity; a value below ``minimum``.

    >>> numbers([1, 2, 3], rows=3, columns=1, dtype="float64").shape
    (3, 1)
    """
    values = numbers_or_text(y, argument)
    require_rows(values, rows, argument)
    if values.ndim == 1 and columns == 1:
        values = values.reshape(rows, 1)
    if values.shape != (rows, columns):
        needed = count((values.shape[1] if values.ndim == 2 else 1) * outputs_each, "output")
        fix = f"pass {count(columns, 'column')}" + (f", or build the network for {needed}" if outputs_each else "")
        if _are_labels(values, columns):
            fix = (
                f"it looks like labels of {columns} classes: those need a network with output_activation='softmax', "
                "and no loss="
            )
        raise ShapeError(f"{argument} has shape {values.shape}, expected ({rows}, {columns}); {fix}")
    values = convert(values, dtype, argument, f"leave those rows out of x and {argument}")
    if minimum is not None and (values < minimum).any():
        index = first(values < minimum)
        raise DataError(
            f"{argument} has {values[index]:g} at {place(index)}; this loss needs targets of at least {minimum:g}, "
            f"so shift them, or choose another loss"
        )
    return values


def _probabilities(values: Array, dtype: str, argument: str) -> Array:
    result = convert(values, dtype, argument, f"leave those rows out of x and {argument}")
    if (result < 0).any():
        index = first(result < 0)
        raise DataError(f"{argument} has {result[index]:g} at {place(index)}; expected probabilities from 0 to 1")
    sums = result.sum(axis=1, dtype=np.float64)
    bad = np.abs(sums - 1) > _SUM_TOLERANCE
    if bad.any():
        row = first(bad)[0]
        fix = f"divide by the sum: {argument} / {argument}.sum(axis=1, keepdims=True)"
        if sums.max() > 1 and ((result == 0) | (result == 1)).all():
            fix = "for rows of several classes build the network with output_activation='sigmoid'"
        raise DataError(
            f"row {row} of {argument} sums to {sums[row]:g}, expected 1 ({count(int(bad.sum()), 'such row')}); {fix}"
        )
    return result


def _whole(values: Array, argument: str, fix: str) -> Array:
    """The labels, of which none is missing or has a fraction; pandas makes floats of integers that once had gaps."""
    if values.dtype.kind != "f":
        return values
    missing = np.flatnonzero(np.isnan(values))
    if missing.size:
        raise DtypeError(
            f"{argument} has no label in row {missing[0]} (nan; {count(missing.size, 'such row')}); "
            f"leave these rows out of x and {argument}"
        )
    odd = values[np.isinf(values) | (values != np.round(values))]
    if odd.size:
        raise DtypeError(
            f"{argument} holds {values.dtype} values such as {odd[0]:g}, expected labels (whole numbers); {fix}"
        )
    return values


def _require_classes(values: Array, classes: int, argument: str) -> None:
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high < classes:
        return
    row = first((values < 0) | (values >= classes))[0]
    if low >= 1 and high == classes:
        fix = f"labels start at 1: write {argument} - 1"
    elif low < 0:
        fix = f"encode the labels: numpy.unique({argument}, return_inverse=True)[1]"
    else:
        fix = f"the labels need a network with {high + 1} outputs"
    raise DataError(f"{argument} has the label {int(values[row])} in row {row}, expected 0 to {classes - 1}; {fix}")


def _are_labels(values: Array, classes: int) -> bool:
    """Whether one column of whole numbers may be meant as labels of so many classes."""
    one = values.size == len(values) and values.dtype.kind in "iu"
    return bool(one and classes > 1 and len(values) and values.min() >= 0 and values.max() < classes)
