"""Optimisers: how the parameters change, given the gradient. PyTorch's formulas and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit import hyperparameters
from nnkit.names import lookup
from nnkit.optimizers import schedules
from nnkit.optimizers.adam import Adam
from nnkit.optimizers.adamw import AdamW
from nnkit.optimizers.clipping import ClipByGlobalNorm
from nnkit.optimizers.optimizer import Optimizer
from nnkit.optimizers.rmsprop import RMSprop
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.sgd import SGD

__all__ = [
    "ALIASES",
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamW",
    "ClipByGlobalNorm",
    "Optimizer",
    "RMSprop",
    "Schedule",
    "from_config",
    "get",
    "schedules",
]

OPTIMIZERS: dict[str, type[Optimizer]] = {made.name: made for made in (SGD, RMSprop, Adam, AdamW)}
ALIASES = {"rms_prop": "rmsprop", "adam_w": "adamw"}


def get(optimizer: str | Optimizer, learning_rate: float | Schedule | None = None) -> Optimizer:
    """An optimiser by name, with this learning rate or its own default; an object is returned as it is.

    >>> get("sgd", 0.1)
    SGD(learning_rate=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    make: Any = lookup("optimizer", optimizer, OPTIMIZERS, ALIASES)
    made: Optimizer = make() if learning_rate is None else make(learning_rate)
    return made


def from_config(config: Mapping[str, Any]) -> Optimizer:
    """The optimiser that ``Optimizer.config`` described, schedules and wrapped optimisers included.

    >>> from_config(Adam(0.5).config()) == Adam(0.5)
    True
    """
    table = OPTIMIZERS | {ClipByGlobalNorm.name: ClipByGlobalNorm}
    inside = {"learning_rate": schedules.from_config, "optimizer": from_config}
    return hyperparameters.from_config("optimizer", config, table, inside)
