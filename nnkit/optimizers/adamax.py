"""Adamax: Adam with the largest gradient in the place of the root of the mean square."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.ops import namespace
from nnkit.optimizers import adaptive
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule

Array = Any


@dataclass(frozen=True)
class Adamax(Optimizer):
    """m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε); w ← w − η m / ((1 − β₁ᵗ) u).

    ε stands inside the maximum, as in PyTorch. Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015,
    section 7.1.

    >>> import numpy as np
    >>> method = Adamax(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    name: ClassVar[str] = "adamax"
    moments: ClassVar[tuple[str, ...]] = ("first", "largest")

    def __post_init__(self) -> None:
        check_rate("Adamax", self.learning_rate)
        adaptive.check("Adamax", self.betas, self.eps)

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = adaptive.decay("beta1", self.betas[0]) | {"beta2": float(self.betas[1]), "eps": float(self.eps)}
        return as_schedule(self.learning_rate).settings() | own

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        xp, rate = namespace(gradient), self.rate(step, settings)
        first = moments["first"] + (gradient - moments["first"]) * settings["one_minus_beta1"]
        largest = xp.maximum(moments["largest"] * settings["beta2"], xp.abs(gradient) + settings["eps"])
        change = first / largest * (rate / adaptive.so_far(step, settings, "beta1"))
        return parameter - change, {"first": first, "largest": largest}
