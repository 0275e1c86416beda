"""A learning rate that goes along a straight line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.stretched import Stretched

Array = Any


@dataclass(frozen=True)
class Linear(Stretched):
    """From η · ``start_factor`` to η · ``end_factor`` in equal parts over N updates, and there from then on.

    As it stands it falls to 0; ``start_factor=0.1, end_factor=1.0`` is a ramp up. ``steps`` counts all updates, warm-up
    included, so N = steps − warmup; ``None`` stands for the whole training.

    >>> [round(Linear(1.0, steps=4).at(step), 6) for step in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    learning_rate: float
    steps: int | None = None
    start_factor: float = 1.0
    end_factor: float = 0.0
    warmup: int = 0

    name: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        self.check_rate()
        check_number("Linear", "start_factor", self.start_factor, "[0, inf)")
        check_number("Linear", "end_factor", self.end_factor, "[0, inf)")
        self.check_steps()

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {
            "start_factor": float(self.start_factor),
            "end_factor": float(self.end_factor),
            "ramp_steps": float(self.length),
        }

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp, steps = namespace(finished), settings["ramp_steps"]
        done = xp.minimum(finished, steps)
        line = (settings["start_factor"] * (steps - done) + settings["end_factor"] * done) / steps
        return settings["learning_rate"] * line
