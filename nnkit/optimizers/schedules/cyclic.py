"""A learning rate that goes up and down between two bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Literal

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class Cyclic(Schedule):
    """Along straight lines from ``minimum`` up to η in ``rise`` updates and down again in ``fall`` (``None``: as many).

    ``mode="triangular"`` goes on like this, ``"triangular2"`` halves the height above the minimum with every cycle, and
    ``"exp_range"`` multiplies it by ``factor`` with every update. In PyTorch's ``CyclicLR``, η is ``max_lr``, the
    minimum ``base_lr`` and the factor ``gamma``. Smith, "Cyclical learning rates for training neural networks", WACV
    2017.

    >>> [round(Cyclic(1.0, minimum=0.2, rise=2).at(step), 6) for step in (1, 2, 3, 4, 5, 6)]
    [0.2, 0.6, 1.0, 0.6, 0.2, 0.6]
    """

    learning_rate: float
    minimum: float
    rise: int = 2000
    fall: int | None = None
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    factor: float = 1.0
    warmup: int = 0

    name: ClassVar[str] = "cyclic"

    def __post_init__(self) -> None:
        self.check_rate()
        self.check_minimum(self.minimum)
        check_count("Cyclic", "rise", self.rise, at_least=1)
        if self.fall is not None:
            check_count("Cyclic", "fall", self.fall, at_least=1)
        if self.mode not in ("triangular", "triangular2", "exp_range"):
            raise ArgumentError(f"Cyclic: mode is {self.mode!r}, expected 'triangular', 'triangular2' or 'exp_range'")
        check_number("Cyclic", "factor", self.factor, "(0, inf)")
        if self.factor != 1 and self.mode != "exp_range":
            raise ArgumentError(f"Cyclic: factor is {self.factor!r}, which only mode='exp_range' uses")

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        fall = self.rise if self.fall is None else self.fall
        factor = {"log_factor": log(self.factor)} if self.mode == "exp_range" else {}
        return {"minimum": float(self.minimum), "rise": float(self.rise), "fall": float(fall)} | factor

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        xp, low = namespace(finished), settings["minimum"]
        whole = settings["rise"] + settings["fall"]
        cycle = xp.floor(finished / whole)
        place = finished - cycle * whole
        height = xp.minimum(place / settings["rise"], (whole - place) / settings["fall"])
        if self.mode == "triangular2":
            height = height * xp.exp(cycle * -log(2.0))
        elif self.mode == "exp_range":
            height = height * xp.exp(finished * settings["log_factor"])
        return low + (settings["learning_rate"] - low) * height
