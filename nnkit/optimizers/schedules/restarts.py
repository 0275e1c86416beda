"""A learning rate that falls along half a cosine wave again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from typing import Any, ClassVar

from nnkit.hyperparameters import check_count, check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """m + (η − m) · factorⁱ · (1 + cos(π k / Nᵢ)) / 2 after k of the Nᵢ = first · multiplyⁱ updates of period i.

    Each period i = 0, 1, … starts anew, is ``multiply`` times as long as the one before, and starts at ``factor`` times
    its height above ``minimum`` m. Loshchilov, Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR
    2017.

    >>> [round(CosineRestarts(1.0, first=2, multiply=2).at(step), 6) for step in (1, 2, 3, 4, 5, 6, 7)]
    [1.0, 0.5, 1.0, 0.853553, 0.5, 0.146447, 1.0]
    """

    learning_rate: float
    first: int
    multiply: int = 1
    minimum: float = 0.0
    factor: float = 1.0
    warmup: int = 0

    name: ClassVar[str] = "cosine_restarts"

    def __post_init__(self) -> None:
        self.check_rate()
        self.check_minimum(self.minimum)
        check_count("CosineRestarts", "first", self.first, at_least=1)
        check_count("CosineRestarts", "multiply", self.multiply, at_least=1)
        check_number("CosineRestarts", "factor", self.factor, "(0, inf)")

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        growth = {} if self.multiply == 1 else {"multiply": float(self.multiply)}
        return {"minimum": float(self.minimum), "first": float(self.first), "log_factor": log(self.factor)} | growth

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp, low = namespace(finished), settings["minimum"]
        period, share = (self._equal if self.multiply == 1 else self._growing)(finished, settings)
        height = (settings["learning_rate"] - low) * xp.exp(period * settings["log_factor"])
        return low + height * xp.square(xp.cos(share * (pi / 2)))

    def _equal(self, finished: Array, settings: Mapping[str, Array]) -> tuple[Array, Array]:
        """The number of the period, and how much of it is over."""
        first = settings["first"]
        period = namespace(finished).floor(finished / first)
        return period, (finished - period * first) / first

    def _growing(self, finished: Array, settings: Mapping[str, Array]) -> tuple[Array, Array]:
        """The same. The number is that of the nearest start, or one less where that lies ahead: so no rounding of the
        logarithm decides, and the starts themselves are whole numbers."""
        xp, first, growth = namespace(finished), settings["first"], settings["multiply"]
        nearest = xp.round(xp.log1p(finished * (growth - 1.0) / first) / xp.log(growth))
        ahead = self._start(nearest, settings) > finished
        period = nearest - xp.astype(ahead, finished.dtype)
        return period, (finished - self._start(period, settings)) / (first * xp.pow(growth, period))

    def _start(self, period: Array, settings: Mapping[str, Array]) -> Array:
        """How many updates come before a period."""
        xp, growth = namespace(period), settings["multiply"]
        return xp.round(settings["first"] * (xp.pow(growth, period) - 1.0) / (growth - 1.0))
