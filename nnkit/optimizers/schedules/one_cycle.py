"""A learning rate that rises to a high one and falls to almost nothing, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.stretched import Stretched

Array = Any


@dataclass(frozen=True)
class OneCycle(Stretched):
    """From η / ``div_factor`` up to η, the highest rate, and down to η / (div_factor · final_div_factor).

    Both ways go along half a cosine wave. The highest rate is that after ``rise`` · N − 1 updates, and the least that
    of the last one, after N − 1. ``steps`` counts all updates, warm-up included, so N = steps − warmup; ``None`` stands
    for the whole training. Names and shape are those of PyTorch's ``OneCycleLR``, but for its ``pct_start``, here
    ``rise``; the momentum stays. Smith, Topin, "Super-convergence: very fast training of neural networks using large
    learning rates", 2018.

    >>> [round(OneCycle(1.0, steps=10, rise=0.4).at(step), 4) for step in (1, 2, 3, 4, 7, 10, 11)]
    [0.04, 0.28, 0.76, 1.0, 0.5, 0.0, 0.0]
    """

    learning_rate: float
    steps: int | None = None
    rise: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    warmup: int = 0

    name: ClassVar[str] = "one_cycle"

    def __post_init__(self) -> None:
        self.check_rate()
        check_number("OneCycle", "rise", self.rise, "[0, 1)")
        check_number("OneCycle", "div_factor", self.div_factor, "[1, inf)")
        check_number("OneCycle", "final_div_factor", self.final_div_factor, "[1, inf)")
        self.check_steps()

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        highest = self.rise * self.length - 1.0
        return {
            "highest_after": highest,
            "rise_steps": highest if highest > 0 else 1.0,
            "fall_steps": self.length - 1.0 - highest,
            "first_share": 1.0 / self.div_factor,
            "last_share": 1.0 / (self.div_factor * self.final_div_factor),
        }

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class: on each of the two ways, the factor of the other one is 1."""
        ahead = finished - settings["highest_after"]
        rising = _between(settings["first_share"], -ahead / settings["rise_steps"])
        falling = _between(settings["last_share"], ahead / settings["fall_steps"])
        return settings["learning_rate"] * rising * falling


def _between(low: Array, away: Array) -> Array:
    """1 where ``away`` is 0 or less, ``low`` where it is 1 or more, and half a wave between."""
    xp = namespace(away)
    away = xp.minimum(xp.maximum(away, 0.0), 1.0)
    return low + (1.0 - low) * xp.square(xp.cos(away * (pi / 2)))
