"""The checks of weights: of samples and of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnkit.data.arrays import Array, to_host
from nnkit.data.checks.common import convert, first, require_rows
from nnkit.errors import ArgumentError, DataError, ShapeError


def weights(sample_weight: object, rows: int, dtype: str, argument: str = "sample_weight") -> Array:
    """Return the weights of the rows in ``dtype``, shape (rows,): finite, none negative, not all zero.

    >>> weights([1, 0, 2], rows=3, dtype="float32").tolist()
    [1.0, 0.0, 2.0]
    """
    values = to_host(sample_weight, argument)
    require_rows(values, rows, argument)
    if values.shape not in {(rows,), (rows, 1)}:
        raise ShapeError(f"{argument} has shape {values.shape}, expected ({rows},): one weight for each row")
    values = convert(values.reshape(rows), dtype, argument, "give those rows weight 0, or leave them out")
    if (values < 0).any():
        row = first(values < 0)[0]
        raise DataError(f"{argument} has {values[row]:g} in row {row}; weights cannot be negative")
    if not values.any():
        raise DataError(f"{argument} is zero in every row, so nothing can be learnt; leave it out, or weigh some row")
    return values


def class_weights(
    mapping: Mapping[int, float] | Sequence[float] | Array | str,
    labels: Array,
    classes: int,
    argument: str = "class_weight",
) -> Array:
    """Return the weight of each row, float64 of shape (rows,), from weights of classes.

    ``mapping`` is a dict label → weight (a class it leaves out weighs 1), a list with one weight for each class, or
    ``"balanced"``: rows / (k · count of the class), with k the number of classes that occur, as in scikit-learn.
    ``labels`` are checked already: integers of shape (rows,), or probabilities (rows, classes), which give the
    expected weight.

    >>> class_weights("balanced", np.array([0, 0, 0, 1]), classes=2).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    counts = np.bincount(labels, minlength=classes) if labels.ndim == 1 else labels.sum(axis=0, dtype=np.float64)
    if isinstance(mapping, str):
        table = _balanced(mapping, counts, argument)
    elif isinstance(mapping, Mapping):
        table = _from_mapping(mapping, classes, argument)
    else:
        table = to_host(mapping, argument)
    if table.shape != (classes,):
        raise ShapeError(f"{argument} has shape {table.shape}, expected ({classes},): one weight for each class")
    table = convert(table, "float64", argument, "give each class a finite weight")
    if (table < 0).any():
        raise DataError(f"{argument} has {table[table < 0][0]:g}; weights cannot be negative")
    result: Array = table[labels] if labels.ndim == 1 else labels @ table
    if not result.any():
        raise DataError(f"{argument} is zero for every class that occurs, so nothing can be learnt; weigh some class")
    return result


def _balanced(name: str, counts: Array, argument: str) -> Array:
    if name != "balanced":
        raise ArgumentError(f"{argument} is {name!r}; expected 'balanced', a dict label → weight, or a list of weights")
    present = counts > 0
    result: Array = counts.sum() / (np.count_nonzero(present) * np.where(present, counts, 1))
    return result


def _from_mapping(mapping: Mapping[int, float], classes: int, argument: str) -> Array:
    table = np.ones(classes)
    for label, weight in mapping.items():
        if not isinstance(label, int | np.integer) or not 0 <= label < classes:
            raise ArgumentError(f"{argument} has the label {label!r}, expected integers 0 to {classes - 1}")
        if not isinstance(weight, int | float | np.number):
            raise ArgumentError(f"{argument}[{label}] is {weight!r}, expected a number")
        table[label] = weight
    return table
