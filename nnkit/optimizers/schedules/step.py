"""A learning rate that falls in steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar

from nnkit.hyperparameters import check_count, check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class Step(Schedule):
    """η · factor^⌊n / every⌋ after n updates: multiplied by ``factor`` once every ``every`` updates.

    >>> [round(Step(1.0, every=2, factor=0.1).at(step), 6) for step in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """

    learning_rate: float
    every: int
    factor: float = 0.1
    warmup: int = 0

    name: ClassVar[str] = "step"

    def __post_init__(self) -> None:
        self.check_rate()
        check_count("Step", "every", self.every, at_least=1)
        check_number("Step", "factor", self.factor, "(0, inf)")

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {"every": float(self.every), "log_factor": log(self.factor)}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp = namespace(finished)
        falls = xp.floor(finished / settings["every"])
        return settings["learning_rate"] * xp.exp(falls * settings["log_factor"])
