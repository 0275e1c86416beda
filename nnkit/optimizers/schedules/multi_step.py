"""A learning rate that falls at given updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar

from nnkit.hyperparameters import check_ascending, check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class MultiStep(Schedule):
    """η · factor^k after n updates, with k the number of ``milestones`` that are n or less.

    Milestones count updates from the end of the warm-up.

    >>> [round(MultiStep(1.0, [2, 3]).at(step), 6) for step in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.01, 0.01]
    """

    learning_rate: float
    milestones: Sequence[int]
    factor: float = 0.1
    warmup: int = 0

    name: ClassVar[str] = "multi_step"

    def __post_init__(self) -> None:
        self.check_rate()
        object.__setattr__(self, "milestones", check_ascending("MultiStep", "milestones", self.milestones))
        check_number("MultiStep", "factor", self.factor, "(0, inf)")

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        milestones = {f"milestone_{number}": float(value) for number, value in enumerate(self.milestones)}
        return {"log_factor": log(self.factor)} | milestones

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp, falls = namespace(finished), finished * 0.0
        for number in range(len(self.milestones)):
            falls = falls + xp.astype(finished >= settings[f"milestone_{number}"], finished.dtype)
        return settings["learning_rate"] * xp.exp(falls * settings["log_factor"])
