"""A learning rate that falls along half a cosine wave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

from nnkit.ops import namespace
from nnkit.optimizers.schedules.stretched import Stretched

Array = Any


@dataclass(frozen=True)
class Cosine(Stretched):
    """From η down to ``minimum``: m + (η − m) · (1 + cos(π n / N)) / 2 after n of N updates, and m from then on.

    ``steps`` counts all updates, warm-up included, so N = steps − warmup; ``None`` stands for the whole training, and
    :meth:`resolved` puts its length in. Computed as cos²(π n / 2N), which keeps its digits near the end, where 1 + cos
    loses them. Loshchilov, Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR 2017, without restarts.

    >>> [round(Cosine(1.0, steps=4).at(step), 6) for step in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.853553, 0.5, 0.146447, 0.0, 0.0]
    """

    learning_rate: float
    steps: int | None = None
    minimum: float = 0.0
    warmup: int = 0

    name: ClassVar[str] = "cosine"

    def __post_init__(self) -> None:
        self.check_rate()
        self.check_minimum(self.minimum)
        self.check_steps()

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {"minimum": float(self.minimum), "decay_steps": float(self.length)}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp = namespace(finished)
        share = xp.minimum(finished / settings["decay_steps"], 1.0)
        low = settings["minimum"]
        return low + (settings["learning_rate"] - low) * xp.square(xp.cos(share * (pi / 2)))
