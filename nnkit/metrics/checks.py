"""Targets and predictions as metrics read them: checked, in float64, with rows that weigh nothing left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.errors import DataError, ShapeError, UndefinedMetricError
from nnkit.metrics.classification import counted

Array = Any
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SUMS_TO_ONE = 1e-4  # what the rounding of a softmax in float32 may leave


@dataclass(frozen=True)
class Labelled:
    """Rows of one of several classes. ``scores`` has a column for each class, or is of shape (rows,): of class 1."""

    name: str
    target: Integers
    chosen: Integers
    scores: Floats
    weight: Floats | None
    classes: int

    @property
    def confusion(self) -> NDArray[Any]:
        """Rows are the true classes, columns the predicted ones; sums of weights where rows are weighted."""
        return counted(self.target, self.chosen, self.classes, self.weight)

    @property
    def several(self) -> bool:
        """Whether the predictions tell of more than the class 1."""
        return self.scores.ndim == 2 or self.classes > 2

    def undefined(self, why: str) -> UndefinedMetricError:
        """The error that says why there is no value."""
        return undefined(self.name, why)


@dataclass(frozen=True)
class Pairs:
    """Numbers, one line for each output: (outputs, rows), so that sums along a line are exact to a few bits."""

    name: str
    target: Floats
    prediction: Floats
    weight: Floats | None

    @property
    def error(self) -> Floats:
        """prediction − target."""
        return self.prediction - self.target

    def undefined(self, why: str) -> UndefinedMetricError:
        """The error that says why there is no value."""
        return undefined(self.name, why)


def labelled(name: str, target: Array, prediction: Array, sample_weight: Array = None) -> Labelled:
    """Class numbers (rows,) and what was predicted.

    Predictions of shape (rows, classes) are scores, of which the largest counts, the first of equal ones; integers of
    shape (rows,) are class numbers; other numbers of shape (rows,) are probabilities of class 1, which count as 1 above
    a half.
    """
    prediction, truth = _column(_numbers(name, "prediction", prediction)), _column(_numbers(name, "target", target))
    if truth.ndim != 1 or prediction.ndim not in (1, 2) or len(prediction) != len(truth):
        raise ShapeError(
            f"metric '{name}': target has shape {truth.shape} and prediction {prediction.shape}; expected class "
            "numbers (rows,) and predictions (rows,) or (rows, classes); of one-hot rows pass target.argmax(axis=1)"
        )
    weight = _weight(name, sample_weight, len(truth))
    kept = slice(None) if weight is None else weight > 0
    weight = None if weight is None else weight[kept]
    prediction, truth = prediction[kept], truth[kept]
    scores = _finite(name, "prediction", prediction)
    chosen, classes = _chosen(prediction, truth)
    wrong = (truth != np.floor(truth)) | (truth < 0) | (truth >= classes)
    if wrong.any():
        raise DataError(
            f"metric '{name}': target contains {truth[wrong][0]}, expected whole numbers from 0 to {classes - 1}"
            + (", since predictions (rows,) that are not integers are probabilities of class 1" if classes == 2 else "")
        )
    return Labelled(name, truth.astype(np.int64), chosen.astype(np.int64), scores, weight, classes)


def shares(name: str, target: Array, prediction: Array, sample_weight: Array = None) -> tuple[Floats, Floats, Array]:
    """Probabilities of every class, true and predicted, (rows, classes) both, and the weights."""
    p = _column(_finite(name, "prediction", _numbers(name, "prediction", prediction)))
    t = _column(_finite(name, "target", _numbers(name, "target", target)))
    if p.ndim == 2 and t.ndim == 1:
        t = np.eye(p.shape[1])[labelled(name, t, p).target]
    if p.shape != t.shape or p.ndim not in (1, 2):
        raise ShapeError(
            f"metric '{name}': target has shape {t.shape} and prediction {p.shape}; expected probabilities of class 1 "
            "(rows,) for both, or probabilities (rows, classes) and class numbers (rows,)"
        )
    if p.ndim == 1:
        p, t = np.stack([1.0 - p, p], axis=1), np.stack([1.0 - t, t], axis=1)
    for argument, values in (("prediction", p), ("target", t)):
        if (values < 0).any() or (values > 1).any() or (np.abs(values.sum(axis=1) - 1) > SUMS_TO_ONE).any():
            raise DataError(
                f"metric '{name}' needs probabilities, from 0 to 1 and with the sum 1 in each row, and {argument} has "
                f"others, such as {_example(values)}; use a network that ends in softmax or sigmoid"
            )
    return t, p, _weight(name, sample_weight, len(t))


def pairs(name: str, target: Array, prediction: Array, sample_weight: Array = None) -> Pairs:
    """Numbers of one shape, (rows,) or (rows, …)."""
    p, t = _numbers(name, "prediction", prediction), _numbers(name, "target", target)
    if p.shape != t.shape or t.ndim == 0:
        raise ShapeError(
            f"metric '{name}': predictions have shape {p.shape} and targets {t.shape}; "
            "make them equal, with one row or more"
        )
    p, t = _finite(name, "prediction", p), _finite(name, "target", t)
    t, p = (np.ascontiguousarray(values.reshape(len(t), -1).T) for values in (t, p))
    return Pairs(name, t, p, _weight(name, sample_weight, t.shape[1]))


def mean(values: Floats, weight: Floats | None) -> Any:
    """The weighted mean along the last axis."""
    return values.mean(axis=-1) if weight is None else (values * weight).sum(axis=-1) / weight.sum()


def undefined(name: str, why: str) -> UndefinedMetricError:
    """The error that says why a metric has no value."""
    return UndefinedMetricError(f"metric '{name}': {why}")


def named(classes: Iterable[int]) -> str:
    """Class numbers in a sentence: "class 3", "classes 0, 2 and 3"."""
    *first, last = map(str, classes)
    return f"classes {', '.join(first)} and {last}" if first else f"class {last}"


def _numbers(name: str, argument: str, values: Array) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"metric '{name}': {argument} has dtype {array.dtype}; expected numbers, so encode the labels")
    if array.ndim and not array.size:
        raise DataError(f"metric '{name}': there are no rows; pass at least one")
    return array


def _finite(name: str, argument: str, values: NDArray[Any]) -> Floats:
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise undefined(name, f"{argument} contains NaN or infinity")
    return numbers


def _column(values: NDArray[Any]) -> NDArray[Any]:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _chosen(prediction: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[Any], int]:
    if prediction.ndim == 2:
        return prediction.argmax(axis=1), prediction.shape[1]
    if prediction.dtype.kind == "f":
        return prediction > 0.5, 2
    return prediction, max(int(prediction.max()), int(truth.max()), 1) + 1


def _weight(name: str, weight: Array, rows: int) -> Floats | None:
    if weight is None:
        return None
    numbers = _finite(name, "sample_weight", _numbers(name, "sample_weight", weight))
    if numbers.shape != (rows,):
        raise ShapeError(f"metric '{name}': sample_weight has shape {numbers.shape}, expected ({rows},), one for a row")
    if (numbers < 0).any() or not numbers.any():
        raise DataError(f"metric '{name}': sample_weight must not be negative, nor 0 in every row")
    return numbers


def _example(values: Floats) -> str:
    wrong = (values < 0).any(axis=1) | (values > 1).any(axis=1) | (np.abs(values.sum(axis=1) - 1) > SUMS_TO_ONE)
    return str(values[wrong][0][:4].round(4).tolist())
