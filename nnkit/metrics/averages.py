"""Precision, recall and their means, for one class or averaged over all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.errors import ArgumentError, UndefinedMetricError
from nnkit.hyperparameters import check_number
from nnkit.metrics.checks import Labelled, labelled, named, undefined
from nnkit.metrics.notes import note
from nnkit.names import lookup

Array = Any
AVERAGES = ("auto", "binary", "macro", "micro", "weighted")


def precision(target: Array, prediction: Array, sample_weight: Array = None, average: str = "auto") -> float:
    """Share of the rows predicted as a class that are of it: hits / predicted.

    Arguments as in ``accuracy``. ``average``: "binary" is the value of class 1; "macro" the plain mean over the classes
    that occur in targets or predictions, "weighted" the mean by their rows, "micro" all rows together; "auto" is binary
    for probabilities of class 1, else macro. Where a network gives several answers of yes or no for a row, ``fit`` and
    ``test`` average over the answers as ``over_columns`` does; without an average, each answer is a row of its own.

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


def over_columns(
    target: Array, prediction: Array, sample_weight: Array = None, *, function: Callable[..., float], average: str
) -> float:
    """A metric with an average, of several answers of yes or no in each row, (rows, answers) both, as in scikit-learn.

    "macro" is the plain mean of the binary values of the answers, "weighted" the mean by how often each is yes, "micro"
    the binary value of all answers together. A value that would be 0 / 0 counts as 0 in a mean; a warning names it.

    >>> over_columns(np.eye(2, dtype=int), np.array([[0.9, 0.2], [0.8, 0.9]]), function=precision, average="macro")
    0.75
    """
    if average == "micro":
        weight = None if sample_weight is None else np.repeat(sample_weight, target.shape[1])
        return function(target.ravel(), prediction.ravel(), weight, average="binary")
    found = [_of_column(target, prediction, sample_weight, k, function) for k in range(target.shape[1])]
    if average == "macro":
        return float(np.mean(found))
    share = target.sum(axis=0) if sample_weight is None else sample_weight @ target
    if not share.any():
        name = getattr(function, "func", function).__name__
        raise undefined(name, "no answer is yes in any row, so that there is nothing to weigh by")
    return float(np.average(found, weights=share))


def _of_column(target: Array, prediction: Array, weight: Array, k: int, function: Callable[..., float]) -> float:
    try:
        return function(target[:, k], prediction[:, k], weight, average="binary")
    except UndefinedMetricError as why:
        note(f"answer {k}: {why}; it counts as 0", stacklevel=4)
        return 0.0


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
