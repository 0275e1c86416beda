"""How well scores put the rows of a class before the others, whatever the threshold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.metrics.checks import Floats, Labelled, labelled, named
from nnkit.names import lookup

Array = Any
Score = Callable[[NDArray[np.bool_], Floats, Floats], float]


def roc_auc(
    target: Array, prediction: Array, sample_weight: Array = None, multi_class: str = "ovr", average: str = "macro"
) -> float:
    """Area under the ROC curve: the chance that a row of class 1 has a larger score than one of class 0; ties half.

    ``target`` holds class numbers (rows,); ``prediction`` scores of class 1 (rows,), or of every class (rows, classes).
    With more than two classes it is the mean ("macro", or "weighted" by rows) over the classes, each against all others
    (``multi_class`` "ovr"), or over the pairs of classes, in both directions (“ovo”). Fawcett, "An introduction to ROC
    analysis", 2006; Hand and Till, "A simple generalisation of the area under the ROC curve", 2001.

    A class without rows makes it undefined: UndefinedMetricError names it. scikit-learn gives NaN and a warning, or its
    own error; it knows no weights of rows for "ovo". Where a network gives several answers of yes or no for a row,
    ``fit`` and ``test`` rank all of them together; scikit-learn takes the mean over the columns there.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    lookup("average", average, {"macro": 0, "weighted": 0})
    pairwise = lookup("multi_class", multi_class, {"ovr": False, "ovo": True})
    data = labelled("roc_auc", target, prediction, sample_weight)
    rows = _rows(data)
    if not rows.all():
        raise data.undefined(
            f"{named(np.flatnonzero(rows == 0))} without rows; it needs rows of every class, so use more rows or a "
            "stratified split"
        )
    if len(rows) == 2:
        return _area(data.target == 1, _of_class_one(data), _weights(data))
    if pairwise:
        return _pairwise(data, rows, average)
    return float(np.average(_one_against_all(data, _area), weights=rows if average == "weighted" else None))


def average_precision(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Area under the precision-recall curve as Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds, without interpolation.

    Arguments and several answers in a row as in ``roc_auc``; with more than two classes the plain mean over the
    classes. A class without rows makes it undefined: UndefinedMetricError names it; scikit-learn gives 0 for such a
    class. Keras's AUC(curve="PR") is the interpolated area on a grid of thresholds, a little different. Davis and
    Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006.

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    data = labelled("average_precision", target, prediction, sample_weight)
    rows = _rows(data)
    needed = rows if len(rows) > 2 else rows[1:]
    if not needed.all():
        missing = np.flatnonzero(rows == 0) if len(rows) > 2 else [1]
        raise data.undefined(f"{named(missing)} without rows, so its recall would be 0/0; use more rows")
    if len(rows) == 2:
        return _stepwise(data.target == 1, _of_class_one(data), _weights(data))
    return float(np.mean(_one_against_all(data, _stepwise)))


def _rows(data: Labelled) -> Floats:
    """The weight of the rows of each class."""
    return np.bincount(data.target, data.weight, minlength=data.classes).astype(np.float64)


def _weights(data: Labelled) -> Floats:
    return np.ones(len(data.target)) if data.weight is None else data.weight


def _of_class_one(data: Labelled) -> Floats:
    return data.scores if data.scores.ndim == 1 else data.scores[:, 1]


def _columns(data: Labelled) -> Floats:
    if data.scores.ndim == 1:
        raise data.undefined(f"there are {data.classes} classes and one score a row; pass scores (rows, classes)")
    return data.scores


def _one_against_all(data: Labelled, score: Score) -> list[float]:
    columns, weight = _columns(data), _weights(data)
    return [score(data.target == number, columns[:, number], weight) for number in range(data.classes)]


def _pairwise(data: Labelled, rows: Floats, average: str) -> float:
    columns, weight, target = _columns(data), _weights(data), data.target
    areas, shares = [], []
    for one, other in combinations(range(data.classes), 2):
        both = (target == one) | (target == other)
        found = [_area(target[both] == number, columns[both, number], weight[both]) for number in (one, other)]
        areas.append(sum(found) / 2)
        shares.append(rows[one] + rows[other])
    return float(np.average(areas, weights=shares if average == "weighted" else None))


def _area(positive: NDArray[np.bool_], scores: Floats, weight: Floats) -> float:
    """Σ over the rows of the class of the weight of the others below them, those with the same score half."""
    _, group = np.unique(scores, return_inverse=True)
    own, other = np.bincount(group, weight * positive), np.bincount(group, weight * ~positive)
    below = np.cumsum(other) - other / 2
    return float(own @ below / (own.sum() * other.sum()))


def _stepwise(positive: NDArray[np.bool_], scores: Floats, weight: Floats) -> float:
    """Precision at each threshold, weighted by the recall that it adds."""
    _, group = np.unique(-scores, return_inverse=True)
    own, both = np.bincount(group, weight * positive), np.bincount(group, weight)
    return float(own @ (np.cumsum(own) / np.cumsum(both)) / own.sum())
