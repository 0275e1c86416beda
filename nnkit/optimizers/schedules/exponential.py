"""A learning rate that falls by the same share with every update."""

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
class Exponential(Schedule):
    """η · factor^(n / every) after n updates: smoothly, by ``factor`` over ``every`` updates.

    >>> [round(Exponential(1.0, factor=0.5).at(step), 6) for step in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """

    learning_rate: float
    factor: float
    every: int = 1
    warmup: int = 0

    name: ClassVar[str] = "exponential"

    def __post_init__(self) -> None:
        self.check_rate()
        check_number("Exponential", "factor", self.factor, "(0, inf)")
        check_count("Exponential", "every", self.every, at_least=1)

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {"log_factor_per_step": log(self.factor) / self.every}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        return settings["learning_rate"] * namespace(finished).exp(finished * settings["log_factor_per_step"])
