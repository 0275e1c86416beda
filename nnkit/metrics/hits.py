"""How often the right class was predicted."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.errors import ArgumentError, ShapeError
from nnkit.hyperparameters import check_count
from nnkit.metrics.checks import Floats, Integers, labelled, mean, named
from nnkit.metrics.notes import note

Array = Any


def accuracy(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Share of the rows of which the right class was predicted: correct / rows, weighted Σ w [correct] / Σ w.

    ``target`` holds class numbers (rows,). ``prediction`` holds scores (rows, classes), of which the largest counts
    (the first of equal ones), class numbers (rows,) as integers, or probabilities of class 1 (rows,), which count as 1
    above a half. ``sample_weight`` has shape (rows,).

    >>> accuracy([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    0.6666666666666666
    """
    data = labelled("accuracy", target, prediction, sample_weight)
    hit = data.target == data.chosen
    return int(hit.sum()) / len(hit) if data.weight is None else float(mean(hit.astype(np.float64), data.weight))


def top_k_accuracy(target: Array, prediction: Array, sample_weight: Array = None, k: int = 5) -> float:
    """Share of the rows whose class is among the ``k`` with the largest scores; of equal scores the first count.

    Targets (rows,), scores (rows, classes). With k = 1 it is the accuracy. scikit-learn counts the last of equal scores
    first, and gives 1 with a warning where ``k`` is not less than the number of classes, which is an error here.

    >>> top_k_accuracy([2, 0], [[0.5, 0.2, 0.3], [0.1, 0.5, 0.4]], k=2)
    0.5
    """
    check_count("top_k_accuracy", "k", k, at_least=1)
    data = labelled("top_k_accuracy", target, prediction, sample_weight)
    if data.scores.ndim != 2:
        raise ShapeError(f"metric 'top_k_accuracy' needs scores (rows, classes), got shape {data.scores.shape}")
    if k >= data.classes:
        raise ArgumentError(f"metric 'top_k_accuracy': k is {k} of {data.classes} classes, so it would always be 1")
    return float(mean((_places(data.target, data.scores) < k).astype(np.float64), data.weight))


def balanced_accuracy(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Plain mean over the classes of the share of their rows that were recognised, so that rare ones count as much.

    Arguments are those of ``accuracy``. A class without rows has no such share (0 / 0); it is left out, as in
    scikit-learn, and a warning says so. Brodersen and others, "The balanced accuracy and its posterior distribution",
    ICPR 2010.

    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    data = labelled("balanced_accuracy", target, prediction, sample_weight)
    confusion = data.confusion
    rows = confusion.sum(axis=1)
    if not rows.all():
        note(
            f"metric 'balanced_accuracy': {named(np.flatnonzero(rows == 0))} without rows left out of the mean, "
            "since the share of recognised rows would be 0/0"
        )
    there = rows > 0
    return float((confusion.diagonal()[there] / rows[there]).mean())


def _places(target: Integers, scores: Floats) -> Integers:
    """How many classes come before the right one, in each row."""
    own = np.take_along_axis(scores, target[:, None], axis=1)
    earlier = np.arange(scores.shape[1]) < target[:, None]
    places: Integers = ((scores > own) | ((scores == own) & earlier)).sum(axis=1)
    return places
