"""A learning rate that falls along half a cosine wave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class Cosine(Schedule):
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
        check_number("Cosine", "minimum", self.minimum, "[0, inf)")
        if self.minimum > self.learning_rate:
            raise ArgumentError(
                f"Cosine: minimum is {self.minimum!r}, above the learning rate it falls from, {self.learning_rate!r}"
            )
        if self.steps is not None:
            check_count("Cosine", "steps", self.steps, at_least=1)
            if self.steps <= self.warmup:
                raise ArgumentError(
                    f"Cosine: warmup is {self.warmup} of {self.steps} steps, which leaves none to fall in; "
                    "shorten the warm-up"
                )

    def resolved(self, total_steps: int) -> Schedule:
        """The schedule over ``total_steps`` updates if it was left open, else itself."""
        return replace(self, steps=total_steps) if self.steps is None else self

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        if self.steps is None:
            raise ArgumentError(
                "Cosine: steps is None, the whole training, whose length is unknown here; "
                "give steps= or use resolved(total_steps)"
            )
        return {"minimum": float(self.minimum), "decay_steps": float(self.steps - self.warmup)}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp = namespace(finished)
        share = xp.minimum(finished / settings["decay_steps"], 1.0)
        low = settings["minimum"]
        return low + (settings["learning_rate"] - low) * xp.square(xp.cos(share * (pi / 2)))
