"""A learning rate that falls along a power of what is left of the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.stretched import Stretched

Array = Any


@dataclass(frozen=True)
class Polynomial(Stretched):
    """From η down to ``minimum``: m + (η − m) · ((N − n) / N)^power after n of N updates, and m from then on.

    ``power=1`` is a straight line. ``steps`` counts all updates, warm-up included, so N = steps − warmup; ``None``
    stands for the whole training. Chen and others, "DeepLab", IEEE TPAMI 40, 2018, with the power 0.9.

    >>> [round(Polynomial(1.0, steps=4, power=2.0).at(step), 6) for step in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    learning_rate: float
    steps: int | None = None
    power: float = 1.0
    minimum: float = 0.0
    warmup: int = 0

    name: ClassVar[str] = "polynomial"

    def __post_init__(self) -> None:
        self.check_rate()
        self.check_minimum(self.minimum)
        check_number("Polynomial", "power", self.power, "(0, inf)")
        self.check_steps()

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {
            "minimum": float(self.minimum),
            "decay_steps": float(self.length),
            "decay_power": float(self.power),
        }

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp, steps, low = namespace(finished), settings["decay_steps"], settings["minimum"]
        left = xp.maximum(steps - finished, 0.0) / steps
        return low + (settings["learning_rate"] - low) * xp.pow(left, settings["decay_power"])
