"""Learning rates as functions of the number of the update, each with an optional linear warm-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit import hyperparameters
from nnkit.optimizers.schedules.constant import Constant
from nnkit.optimizers.schedules.cosine import Cosine
from nnkit.optimizers.schedules.exponential import Exponential
from nnkit.optimizers.schedules.schedule import Schedule
from nnkit.optimizers.schedules.step import Step

__all__ = ["SCHEDULES", "Constant", "Cosine", "Exponential", "Schedule", "Step", "from_config"]

SCHEDULES: dict[str, type[Schedule]] = {made.name: made for made in (Constant, Cosine, Exponential, Step)}


def from_config(config: Mapping[str, Any]) -> Schedule:
    """The schedule that ``Schedule.config`` described.

    >>> from_config({"name": "step", "learning_rate": 0.1, "every": 100})
    Step(learning_rate=0.1, every=100, factor=0.1, warmup=0)
    """
    return hyperparameters.from_config("schedule", config, SCHEDULES)
