"""The same learning rate throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class Constant(Schedule):
    """η, after a linear rise over ``warmup`` updates.

    >>> [Constant(0.4, warmup=3).at(step) for step in (1, 2, 3, 4, 5)]
    [0.1, 0.2, 0.30000000000000004, 0.4, 0.4]
    """

    learning_rate: float
    warmup: int = 0

    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        self.check_rate()

    def own_settings(self) -> dict[str, float]:
        """None beyond the learning rate."""
        return {}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        return settings["learning_rate"]
