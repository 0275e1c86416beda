"""Losses: how wrong predictions are, one value for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit import hyperparameters
from nnkit.errors import ArgumentError
from nnkit.losses.binary import BinaryCrossEntropy
from nnkit.losses.classes import CrossEntropy
from nnkit.losses.counts import Poisson
from nnkit.losses.divergence import KLDivergence
from nnkit.losses.embeddings import CosineSimilarity
from nnkit.losses.focal import BinaryFocal, Focal
from nnkit.losses.gaussian import GaussianNLL
from nnkit.losses.loss import DOMAINS, TARGETS, Loss
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
    if callable(loss) and not isinstance(loss, (type, Loss)):
        raise ArgumentError(
            f"loss is a function, {loss!r}; a loss of your own is an object of a class derived from nnkit.losses.Loss, "
            "whose docstring says what it needs"
        )
    if not isinstance(loss, Loss):
        return lookup("loss", loss, LOSSES, ALIASES)()
    _check_own(loss)
    return loss


def _check_own(loss: Loss) -> None:
    """Refuse a loss whose class does not say what it is for, or that cannot be told apart from others."""
    kind = type(loss)
    missing = [name for name in ("name", "targets", "domain") if not hasattr(loss, name)]
    if missing:
        raise ArgumentError(
            f"loss: {kind.__name__} has no {' and no '.join(missing)}; its class says so, such as "
            "name = 'mine', targets = 'numbers', domain = 'any' (see nnkit.losses.Loss)"
        )
    for name, known in (("targets", TARGETS), ("domain", DOMAINS)):
        if getattr(loss, name) not in known:
            raise ArgumentError(
                f"loss: {kind.__name__}.{name} is {getattr(loss, name)!r:.80}, expected one of {', '.join(known)}"
            )
    if kind.__hash__ is None:
        raise ArgumentError(
            f"loss: {kind.__name__} can change, so that its programs cannot be kept; write @dataclass(frozen=True) "
            "above its class"
        )


def from_config(config: Mapping[str, Any]) -> Loss:
    """The loss that ``Loss.config`` described.

    >>> from_config({"name": "huber", "delta": 2.0})
    Huber(delta=2.0)
    """
    return hyperparameters.from_config("loss", config, LOSSES)
