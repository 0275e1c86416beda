"""Adam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.optimizers import adaptive
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule

Array = Any


@dataclass(frozen=True)
class Adam(Optimizer):
    """w ← w − η m̂ / (√v̂ + ε), with bias-corrected running means m̂ of the gradient and v̂ of its square.

    m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). ε is added to the root of the
    corrected v̂, as in PyTorch. With ``amsgrad`` the largest v so far is in the place of v: no step grows again.

    Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015; Reddi, Kale, Kumar,
    "On the convergence of Adam and beyond", ICLR 2018.

    >>> import numpy as np
    >>> method = Adam(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    amsgrad: bool = False

    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        check_rate("Adam", self.learning_rate)
        adaptive.check("Adam", self.betas, self.eps)
        adaptive.check_flag("Adam", "amsgrad", self.amsgrad)

    @property
    def moments(self) -> tuple[str, ...]:
        """The running means m and v, and the largest v so far if it is asked for."""
        return (*adaptive.MOMENTS, "largest") if self.amsgrad else adaptive.MOMENTS

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        return as_schedule(self.learning_rate).settings() | adaptive.settings(self.betas, self.eps)

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        rate = self.rate(step, settings)
        change, moments = adaptive.change(gradient, moments, settings, step, rate)
        return parameter - change, moments
