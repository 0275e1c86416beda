"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.optimizers import adaptive, varying
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any


@dataclass(frozen=True)
class SGD(Optimizer):
    """w ← w − η v with v ← μ v + g; without momentum, w ← w − η g.

    ``nesterov=True`` looks ahead: w ← w − η (g + μ v). ``weight_decay`` λ adds λ w to the gradient first. Formulas and
    meaning as in PyTorch; some texts multiply the gradient inside v by η, which is the same while η is constant. Both
    numbers may be schedules.

    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Sutskever, Martens, Dahl, Hinton,
    "On the importance of initialization and momentum in deep learning", ICML 2013.

    >>> import numpy as np
    >>> weight, gradient, rate = np.asarray([1.0, 2.0]), np.asarray([2.0, 0.0]), {"learning_rate": np.asarray(0.5)}
    >>> SGD(0.5).update(weight, gradient, {}, rate, np.asarray(1.0))
    (array([0., 2.]), {})
    """

    learning_rate: float | Schedule = 0.01
    momentum: Varying = 0.0
    nesterov: bool = False
    weight_decay: Varying = 0.0

    name: ClassVar[str] = "sgd"

    def __post_init__(self) -> None:
        check_rate("SGD", self.learning_rate)
        varying.check("SGD", "momentum", self.momentum, "[0, 1)")
        varying.check("SGD", "weight_decay", self.weight_decay, "[0, inf)")
        adaptive.check_flag("SGD", "nesterov", self.nesterov)
        if self.nesterov and not self.momentum:
            raise ArgumentError("SGD: nesterov=True needs momentum above 0, for example momentum=0.9")

    @property
    def moments(self) -> tuple[str, ...]:
        """The velocity v, where there is momentum."""
        return ("momentum",) if self.momentum else ()

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        momentum = varying.settings("momentum", self.momentum) if self.momentum else {}
        decay = varying.settings("weight_decay", self.weight_decay) if self.weight_decay else {}
        return as_schedule(self.learning_rate).settings() | momentum | decay

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
        if self.weight_decay:
            gradient = gradient + parameter * varying.at("weight_decay", self.weight_decay, step, settings)
        if not self.momentum:
            return parameter - gradient * rate, {}
        momentum = varying.at("momentum", self.momentum, step, settings)
        velocity = moments["momentum"] * momentum + gradient
        direction = gradient + velocity * momentum if self.nesterov else velocity
        return parameter - direction * rate, {"momentum": velocity}
