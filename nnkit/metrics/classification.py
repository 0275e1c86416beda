"""How often the right class was predicted, and how the wrong ones were confused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.errors import DataError, ShapeError

Array = Any
Counts = NDArray[np.int64]


def classification(prediction: Array, labels: Array, classes: int) -> dict[str, Any]:
    """Metrics of predicted classes.

    ``prediction`` has shape (rows, classes), one score for each class of which the largest counts (the first of equal
    ones), or (rows,), class numbers. ``labels`` has shape (rows,), integers from 0 to ``classes`` − 1.

    Returns ``accuracy`` (correct / rows, a Python float); ``confusion`` (int64, (classes, classes); rows are the true
    classes, columns the predicted ones); ``precision``, ``recall`` and ``f1``, each the plain mean over the classes
    that occur in labels or predictions, as in scikit-learn's "macro"; and ``per_class`` with arrays ``precision``,
    ``recall``, ``f1`` and ``support`` (rows of that class). What would be 0 / 0 is 0.

    >>> result = classification([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1], classes=2)
    >>> round(result["accuracy"], 3), result["confusion"].tolist()
    (0.667, [[1, 0], [1, 1]])
    """
    confusion = confusion_matrix(_chosen(np.asarray(prediction), classes), np.asarray(labels), classes)
    scores = _scores(confusion)
    occurring = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    macro = {name: float(scores[name][occurring].mean()) for name in ("precision", "recall", "f1")}
    per_class = scores | {"support": confusion.sum(axis=1)}
    return {"accuracy": _accuracy(confusion), "confusion": confusion} | macro | {"per_class": per_class}


def binary(prediction: Array, labels: Array, threshold: float = 0.5) -> dict[str, Any]:
    """Metrics of predicted probabilities of the class 1, against labels 0 and 1 of the same shape.

    A prediction counts as 1 when it is above ``threshold``. With several outputs for each row every one of them counts.
    Returns ``accuracy``, ``confusion`` ((2, 2), rows are the truth), and ``precision``, ``recall``, ``f1`` of class 1,
    NaN where one would be 0 / 0.

    >>> binary([0.9, 0.6, 0.2], [1, 0, 0])["precision"]
    0.5
    """
    scores, truth = np.asarray(prediction, dtype=np.float64), np.asarray(labels)
    if scores.shape != truth.shape:
        raise ShapeError(
            f"binary metrics: predictions have shape {scores.shape} and labels {truth.shape}; make them equal"
        )
    confusion = confusion_matrix((scores > threshold).ravel().astype(np.int64), truth.ravel(), 2)
    positive = {name: float(values[1]) for name, values in _scores(confusion, empty=math.nan).items()}
    return {"accuracy": _accuracy(confusion), "confusion": confusion} | positive


def confusion_matrix(predicted: Array, labels: Array, classes: int, sample_weight: Array = None) -> NDArray[Any]:
    """How many rows of each true class (row) were predicted as each class (column): int64, (classes, classes).

    With ``sample_weight``, shape (rows,), the sums of their weights, in float64.

    >>> confusion_matrix(np.asarray([0, 1, 0]), np.asarray([0, 1, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    if labels.shape != predicted.shape or labels.ndim != 1:
        raise ShapeError(
            f"classification metrics: {predicted.shape} predicted classes and {labels.shape} labels; "
            "expected one of each for every row"
        )
    if not labels.size:
        raise DataError("classification metrics: there are no rows; pass at least one")
    truth, guess = _class_numbers("labels", labels, classes), _class_numbers("predictions", predicted, classes)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight is not None and weight.shape != truth.shape:
        raise ShapeError(f"classification metrics: {weight.shape} weights and {truth.shape} labels; give one for a row")
    return counted(truth, guess, classes, weight)


def counted(truth: Counts, guess: Counts, classes: int, weight: NDArray[np.float64] | None) -> NDArray[Any]:
    """The confusion matrix of class numbers that are in range."""
    cells = np.bincount(truth * classes + guess, weight, minlength=classes**2).reshape(classes, classes)
    return cells.astype(np.int64) if weight is None else cells


def _chosen(prediction: Array, classes: int) -> Array:
    if prediction.ndim != 2:
        return prediction
    if prediction.shape[1] != classes:
        raise ShapeError(
            f"classification metrics: predictions have shape {prediction.shape}, expected {classes} columns, "
            "one for each class"
        )
    return prediction.argmax(axis=1)


def _class_numbers(what: str, values: Array, classes: int) -> Counts:
    with np.errstate(invalid="ignore"):  # NaN becomes some number, which is then not equal to it
        numbers: Counts = values.astype(np.int64)
    wrong = (numbers != values) | (numbers < 0) | (numbers >= classes)
    if wrong.any():
        raise DataError(
            f"classification metrics: {what} contain {values[wrong][0]}, expected whole numbers from 0 to {classes - 1}"
        )
    return numbers


def _accuracy(confusion: Counts) -> float:
    return int(confusion.trace()) / int(confusion.sum())


def _scores(confusion: Counts, empty: float = 0.0) -> dict[str, NDArray[np.float64]]:
    hits = confusion.diagonal().astype(np.float64)
    predicted, true = confusion.sum(axis=0), confusion.sum(axis=1)
    return {
        "precision": _ratio(hits, predicted, empty),
        "recall": _ratio(hits, true, empty),
        "f1": _ratio(2.0 * hits, predicted + true, empty),
    }


def _ratio(above: NDArray[np.float64], below: Counts, empty: float) -> NDArray[np.float64]:
    """above / below, and ``empty`` where it would be 0 / 0."""
    return np.where(below > 0, above / np.maximum(below, 1), empty)
