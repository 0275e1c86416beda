"""The optimiser that settings choose."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from nnkit.optimizers import OPTIMIZERS, Optimizer
from nnkit.playground.settings import Settings


def optimizer_for(settings: Settings) -> Optimizer:
    """An optimiser with the learning rate, and with the momentum if there is one and the optimiser knows it.

    Without it, each has its usual one: SGD and RMSprop none, Muon 0.95.

    >>> optimizer_for(Settings(optimizer="rmsprop", rate=0.01, momentum=0.5))
    RMSprop(learning_rate=0.01, alpha=0.99, eps=1e-08, momentum=0.5)
    """
    return OPTIMIZERS[settings.optimizer](**arguments(settings))


def arguments(settings: Settings) -> dict[str, float]:
    """What the optimiser is made with; all else is as usual."""
    found = {"learning_rate": settings.rate}
    made: Any = OPTIMIZERS[settings.optimizer]
    if settings.momentum and any(field.name == "momentum" for field in fields(made)):
        found["momentum"] = settings.momentum
    return found
