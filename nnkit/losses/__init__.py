"""Losses: how wrong predictions are, one value for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit import hyperparameters
from nnkit.losses.binary import BinaryCrossEntropy
from nnkit.losses.classes import CrossEntropy
from nnkit.losses.counts import Poisson
from nnkit.losses.divergence import KLDivergence
from nnkit.losses.embeddings import CosineSimilarity
from nnkit.losses.focal import BinaryFocal, Focal
from nnkit.losses.gaussian import GaussianNLL
from nnkit.losses.loss import Loss
from nnkit.losses.margins import CategoricalHinge, Hinge, SquaredHinge
from nnkit.losses.pairing import activation_for, check_pair, default_for
from nnkit.losses.ranking import MarginRanking
from nnkit.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from nnkit.losses.relative import MeanAbsolutePercentageError, MeanSquaredLogarithmicError
from nnkit.losses.robust import LogCosh, Quantile
from nnkit.losses.table import ALIASES, LOSSES
from nnkit.losses.triplet import Triplet
from nnkit.names import lookup

__all__ = [
    "ALIASES",
    "LOSSES",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "CategoricalHinge",
    "CosineSimilarity",
    "CrossEntropy",
    "Focal",
    "GaussianNLL",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MarginRanking",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Quantile",
    "SquaredHinge",
    "Triplet",
    "activation_for",
    "check_pair",
    "default_for",
    "from_config",
    "get",
]


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
