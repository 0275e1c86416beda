"""AdamW: Adam with weight decay beside the gradient, not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.optimizers import adaptive, varying
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any


@dataclass(frozen=True)
class AdamW(Optimizer):
    """w ← (1 − η λ) w − η m̂ / (√v̂ + ε): every parameter decays by learning rate × ``weight_decay``, biases too.

    m̂, v̂ and ``amsgrad`` as in :class:`Adam`. Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.

    >>> import numpy as np
    >>> method = AdamW(0.5, weight_decay=0.2)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.4, 1.4])
    """

    learning_rate: float | Schedule = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: Varying = 0.01
    amsgrad: bool = False

    name: ClassVar[str] = "adamw"

    def __post_init__(self) -> None:
        check_rate("AdamW", self.learning_rate)
        adaptive.check("AdamW", self.betas, self.eps)
        adaptive.check_flag("AdamW", "amsgrad", self.amsgrad)
        varying.check("AdamW", "weight_decay", self.weight_decay, "[0, inf)")

    @property
    def moments(self) -> tuple[str, ...]:
        """The running means m and v, and the largest v so far if it is asked for."""
        return (*adaptive.MOMENTS, "largest") if self.amsgrad else adaptive.MOMENTS

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = adaptive.settings(self.betas, self.eps) | varying.settings("weight_decay", self.weight_decay)
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
        rate = self.rate(step, settings)
        change, moments = adaptive.change(gradient, moments, settings, step, rate)
        decay = rate * varying.at("weight_decay", self.weight_decay, step, settings)
        return parameter * (1.0 - decay) - change, moments
