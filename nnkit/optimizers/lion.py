"""Lion: steps of one size in every parameter, in the direction of a sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.ops import namespace
from nnkit.optimizers import adaptive, varying
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any


@dataclass(frozen=True)
class Lion(Optimizer):
    """w ← (1 − η λ) w − η sign(β₁ m + (1 − β₁) g), then m ← β₂ m + (1 − β₂) g.

    Half the memory of Adam; it wants a learning rate three to ten times smaller and a decay λ as much larger. Chen,
    Liang and others, "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    >>> import numpy as np
    >>> method = Lion(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: Varying = 0.0

    name: ClassVar[str] = "lion"
    moments: ClassVar[tuple[str, ...]] = ("first",)

    def __post_init__(self) -> None:
        check_rate("Lion", self.learning_rate)
        adaptive.check_betas("Lion", self.betas)
        varying.check("Lion", "weight_decay", self.weight_decay, "[0, inf)")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = {f"one_minus_beta{i}": 1.0 - beta for i, beta in enumerate(self.betas, start=1)}
        decay = varying.settings("weight_decay", self.weight_decay) if self.weight_decay else {}
        return as_schedule(self.learning_rate).settings() | own | decay

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        xp, rate, first = namespace(gradient), self.rate(step, settings), moments["first"]
        ahead = gradient - first
        sign = xp.sign(first + ahead * settings["one_minus_beta1"])
        if self.weight_decay:
            parameter = parameter * (1.0 - rate * varying.at("weight_decay", self.weight_decay, step, settings))
        return parameter - sign * rate, {"first": first + ahead * settings["one_minus_beta2"]}
