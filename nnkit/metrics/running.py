"""Metrics that are sums over rows, row by row and traced: a training step adds them up where the predictions are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from math import sqrt
from typing import Any

from nnkit.metrics.probabilities import LEAST
from nnkit.ops import namespace, one_hot

Array = Any
PerRow = Callable[[str, Array, Array], Array]


@dataclass(frozen=True)
class Running:
    """``per_row(targets, target, prediction)`` gives a value for each row, (rows,), or for each output of it.

    ``targets`` is the kind of the targets, as ``Loss.targets`` names them. Predictions are (rows, outputs); so are
    targets, or integer labels (rows,). ``finish`` makes the figure of the mean of each output.
    """

    per_row: PerRow
    per_output: bool = False
    finish: Callable[[float], float] = float


def hits(targets: str, target: Array, prediction: Array) -> Array:
    """1 where the right class has the largest score; for yes and no, the share of right answers."""
    xp = namespace(prediction)
    if targets == "binary":
        return _row_means(xp.astype((prediction > 0.5) == (target > 0.5), prediction.dtype))
    return xp.astype(xp.argmax(prediction, axis=-1) == xp.astype(_labels(target), xp.int64), prediction.dtype)


def among(targets: str, target: Array, prediction: Array, k: int) -> Array:
    """1 where fewer than ``k`` classes come before the right one; of equal scores the first comes first."""
    xp = namespace(prediction)
    labels = xp.expand_dims(_labels(target), axis=-1)
    slots = xp.arange(prediction.shape[-1], dtype=labels.dtype, device=prediction.device)
    own = xp.sum(xp.where(slots == labels, prediction, xp.zeros_like(prediction)), axis=-1, keepdims=True)
    before = (prediction > own) | ((prediction == own) & (slots < labels))
    places = xp.sum(xp.astype(before, prediction.dtype), axis=-1)
    return xp.astype(places < k, prediction.dtype)


def surprise(targets: str, target: Array, prediction: Array) -> Array:
    """−log of the probability of what was right."""
    xp = namespace(prediction)

    def log(p: Array) -> Array:
        return xp.log(xp.clip(p, min=LEAST, max=1.0 - LEAST))

    if targets == "binary":
        return _row_means(-(target * log(prediction) + (1.0 - target) * log(1.0 - prediction)))
    return -xp.sum(_shares(target, prediction) * log(prediction), axis=-1)


def squares_of_shares(targets: str, target: Array, prediction: Array) -> Array:
    """(p − t)², summed over more than two classes."""
    xp = namespace(prediction)
    if targets == "binary":
        return _row_means(xp.square(prediction - target))
    whole = xp.sum(xp.square(prediction - _shares(target, prediction)), axis=-1)
    return whole * 0.5 if prediction.shape[-1] == 2 else whole


def squares(targets: str, target: Array, prediction: Array) -> Array:
    """(p − t)² of each output."""
    return namespace(prediction).square(prediction - target)


def distances(targets: str, target: Array, prediction: Array) -> Array:
    """|p − t| of each output."""
    return namespace(prediction).abs(prediction - target)


def relative_distances(targets: str, target: Array, prediction: Array) -> Array:
    """|p − t| / |t| of each output."""
    xp = namespace(prediction)
    return xp.abs(prediction - target) / xp.abs(target)


ACCURACY = Running(hits)
LOG_LOSS = Running(surprise)
BRIER = Running(squares_of_shares)
MSE = Running(squares, per_output=True)
RMSE = Running(squares, per_output=True, finish=sqrt)
MAE = Running(distances, per_output=True)
MAPE = Running(relative_distances, per_output=True)


@cache
def top_k(k: int) -> Running:
    """Among the first k."""
    return Running(partial(among, k=k))


def _row_means(values: Array) -> Array:
    return namespace(values).mean(values, axis=-1)


def _labels(target: Array) -> Array:
    return target if target.ndim == 1 else namespace(target).argmax(target, axis=-1)


def _shares(target: Array, prediction: Array) -> Array:
    return one_hot(target, prediction.shape[-1], prediction.dtype) if target.ndim == 1 else target
