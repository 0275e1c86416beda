"""Precision, recall and their means, for one class or averaged over all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.metrics.checks import Labelled, labelled, named
from nnkit.metrics.notes import note
from nnkit.names import lookup

Array = Any
AVERAGES = ("auto", "binary", "macro", "micro", "weighted")


def precision(target: Array, prediction: Array, sample_weight: Array = None, average: str = "auto") -> float:
    """Share of the rows predicted as a class that are of it: hits / predicted.

    Arguments as in ``accuracy``. ``average``: "binary" is the value of class 1; "macro" the plain mean over the classes
    that occur in targets or predictions, "weighted" the mean by their rows, "micro" all rows together; "auto" is binary
    for probabilities of class 1, else macro. Where a network gives several answers of yes or no for a row, ``fit`` and
    ``test`` take each answer as a row of its own, so that the two classes are no and yes whatever the average;
    scikit-learn averages over the columns there.

    Where a whole value would be 0 / 0 (nothing was predicted as class 1) it raises UndefinedMetricError; scikit-learn
    gives 0. In a mean, a class whose part would be 0 / 0 counts as 0, as in scikit-learn; a warning names it.

    >>> precision([1, 0, 0], [0.9, 0.6, 0.2])
    0.5
    """
    data = labelled("precision", target, prediction, sample_weight)
    confusion = data.confusion
    return _averaged(data, average, confusion.diagonal(), confusion.sum(axis=0), "never predicted")


def recall(target: Array, prediction: Array, sample_weight: Array = None, average: str = "auto") -> float:
    """Share of the rows of a class that were predicted as it: hits / rows. Averages and 0 / 0 as in ``precision``.

    >>> recall([1, 1, 0], [0.9, 0.2, 0.2])
    0.5
    """
    data = labelled("recall", target, prediction, sample_weight)
    confusion = data.confusion
    return _averaged(data, average, confusion.diagonal(), confusion.sum(axis=1), "without rows")


def f_beta(
    target: Array, prediction: Array, sample_weight: Array = None, average: str = "auto", beta: float = 1.0
) -> float:
    """(1 + β²) hits / (β² rows + predicted), the harmonic mean in which recall counts β times as much as precision.

    Averages and 0 / 0 as in ``precision``. van Rijsbergen, Information Retrieval, 1979, chapter 7.

    >>> round(f_beta([1, 1, 0, 0], [0.9, 0.2, 0.2, 0.2], beta=2.0), 4)
    0.5556
    """
    check_number("f_beta", "beta", beta, "(0, inf)")
    return _f("f_beta", target, prediction, sample_weight, average, float(beta))


def f1(target: Array, prediction: Array, sample_weight: Array = None, average: str = "auto") -> float:
    """2 hits / (rows + predicted), the harmonic mean of precision and recall. Averages and 0 / 0 as in ``precision``.

    >>> f1([0, 1, 2, 2], [0, 2, 2, 2], average="micro")
    0.75
    """
    return _f("f1", target, prediction, sample_weight, average, 1.0)


def _f(name: str, target: Array, prediction: Array, sample_weight: Array, average: str, beta: float) -> float:
    data = labelled(name, target, prediction, sample_weight)
    confusion, square = data.confusion, beta**2
    below = square * confusion.sum(axis=1) + confusion.sum(axis=0)
    return _averaged(data, average, (1 + square) * confusion.diagonal(), below, "neither there nor predicted")


def _averaged(data: Labelled, average: str, above: NDArray[Any], below: NDArray[Any], lacking: str) -> float:
    average = lookup("average", average, {name: name for name in AVERAGES})
    if average == "auto":
        average = "macro" if data.several else "binary"
    if average == "binary":
        return _of_class_one(data, above, below, lacking)
    if average == "micro":
        return float(above.sum() / below.sum())
    rows, predicted = data.confusion.sum(axis=1), data.confusion.sum(axis=0)
    share = rows if average == "weighted" else rows + predicted > 0
    empty = np.flatnonzero((share > 0) & (below == 0))
    if len(empty):
        note(
            f"metric '{data.name}': {named(empty)} {lacking}, so the value there would be 0/0; it counts as 0",
            stacklevel=4,
        )
    return float(np.average(above / np.where(below == 0, 1, below), weights=share))


def _of_class_one(data: Labelled, above: NDArray[Any], below: NDArray[Any], lacking: str) -> float:
    if data.classes != 2:
        raise ArgumentError(
            f"metric '{data.name}': average 'binary' needs two classes, there are {data.classes}; "
            "use 'macro', 'micro' or 'weighted'"
        )
    if not below[1]:
        raise data.undefined(f"class 1 is {lacking}, so it would be 0/0")
    return float(above[1] / below[1])
