"""Losses: how wrong predictions are, one value for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit import hyperparameters
from nnkit.losses.binary import BinaryCrossEntropy
from nnkit.losses.classes import CrossEntropy
from nnkit.losses.counts import Poisson
from nnkit.losses.loss import Loss
from nnkit.losses.pairing import check_pair, default_for
from nnkit.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from nnkit.names import lookup

__all__ = [
    "ALIASES",
    "LOSSES",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "check_pair",
    "default_for",
    "from_config",
    "get",
]

LOSSES: dict[str, type[Loss]] = {
    made.name: made for made in (MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossEntropy, CrossEntropy, Poisson)
}
ALIASES = {
    "mse": "mean_squared_error",
    "squared_error": "mean_squared_error",
    "l2": "mean_squared_error",
    "mae": "mean_absolute_error",
    "absolute_error": "mean_absolute_error",
    "l1": "mean_absolute_error",
    "smooth_l1": "huber",
    "bce": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "sigmoid_cross_entropy": "binary_cross_entropy",
    "ce": "cross_entropy",
    "crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "sparse_categorical_cross_entropy": "cross_entropy",
    "softmax_cross_entropy": "cross_entropy",
    "poisson_nll": "poisson",
}


def get(loss: str | Loss) -> Loss:
    """A loss by name or alias; an object is returned as it is.

    >>> get("mse").name
    'mean_squared_error'
    """
    return loss if isinstance(loss, Loss) else lookup("loss", loss, LOSSES, ALIASES)()


def from_config(config: Mapping[str, Any]) -> Loss:
    """The loss that ``Loss.config`` described.

    >>> from_config({"name": "huber", "delta": 2.0})
    Huber(delta=2.0)
    """
    return hyperparameters.from_config("loss", config, LOSSES)
