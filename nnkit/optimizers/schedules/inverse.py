"""Learning rates that fall ever more slowly, and to no end: with the inverse of time, or of its square root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_count, check_number
from nnkit.ops import namespace
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class InverseTime(Schedule):
    """η / (1 + decay · n / every) after n updates.

    Robbins, Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22, 1951: the sum of such
    rates has no bound, and that of their squares has one.

    >>> [round(InverseTime(1.0, decay=1.0).at(step), 6) for step in (1, 2, 3, 4)]
    [1.0, 0.5, 0.333333, 0.25]
    """

    learning_rate: float
    decay: float
    every: int = 1
    warmup: int = 0

    name: ClassVar[str] = "inverse_time"

    def __post_init__(self) -> None:
        self.check_rate()
        check_number("InverseTime", "decay", self.decay, "[0, inf)")
        check_count("InverseTime", "every", self.every, at_least=1)

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {"decay_per_step": self.decay / self.every}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        return settings["learning_rate"] / (finished * settings["decay_per_step"] + 1.0)


@dataclass(frozen=True)
class InverseSquareRoot(Schedule):
    """η · √(w / (w + n)) with w = ``warmup`` + 1, after n updates: so η · √(w / t) in update t, from t = w on.

    With its linear warm-up it is the schedule of Vaswani and others, "Attention is all you need", NeurIPS 2017, which
    :meth:`transformer` makes from the numbers in that paper.

    >>> [round(InverseSquareRoot(1.0, warmup=3).at(step), 6) for step in (1, 2, 4, 16, 64)]
    [0.25, 0.5, 1.0, 0.5, 0.25]
    """

    learning_rate: float
    warmup: int = 0

    name: ClassVar[str] = "inverse_square_root"

    def __post_init__(self) -> None:
        self.check_rate()

    @classmethod
    def transformer(cls, width: int, warmup: int = 4000, factor: float = 1.0) -> InverseSquareRoot:
        """factor · width^−½ · min(t^−½, t · warmup^−3⁄2) in update t, as in the paper, where the width is 512.

        >>> InverseSquareRoot.transformer(512).at(4000)
        0.0006987712429686843
        """
        check_count("InverseSquareRoot", "width", width, at_least=1)
        check_number("InverseSquareRoot", "factor", factor, "[0, inf)")
        check_count("InverseSquareRoot", "warmup", warmup, at_least=1)
        return cls(factor * (width * warmup) ** -0.5, warmup - 1)

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formula reads, beyond the learning rate."""
        return {"full_at": self.warmup + 1.0}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate by the formula of the class."""
        full = settings["full_at"]
        return settings["learning_rate"] * namespace(finished).sqrt(full / (finished + full))
