"""RMSprop: each gradient divided by the root of a running mean of its squares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers import varying
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s ← α s + (1 − α) g², d = g / (√s + ε); w ← w − η d, or with momentum v ← μ v + d; w ← w − η v.

    ε stands outside the root, as in PyTorch; Keras puts it inside. Hinton, "Neural networks for machine learning",
    Coursera lecture 6e, 2012.

    >>> import numpy as np
    >>> method = RMSprop(0.1, alpha=0.75)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(1) for name in method.moments}
    >>> method.update(np.asarray([1.0]), np.asarray([4.0]), zeros, settings, np.asarray(1.0))
    (array([0.8]), {'square': array([4.])})
    """

    learning_rate: float | Schedule = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: Varying = 0.0

    name: ClassVar[str] = "rmsprop"

    def __post_init__(self) -> None:
        check_rate("RMSprop", self.learning_rate)
        check_number("RMSprop", "alpha", self.alpha, "[0, 1)")
        check_number("RMSprop", "eps", self.eps, "[0, inf)")
        varying.check("RMSprop", "momentum", self.momentum, "[0, 1)")

    @property
    def moments(self) -> tuple[str, ...]:
        """The running mean s of the squares, and the velocity v where there is momentum."""
        return ("square", "momentum") if self.momentum else ("square",)

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        momentum = varying.settings("momentum", self.momentum) if self.momentum else {}
        own = {"one_minus_alpha": 1.0 - self.alpha, "eps": float(self.eps)}
        return as_schedule(self.learning_rate).settings() | own | momentum

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        xp = namespace(gradient)
        rate = self.rate(step, settings)
        square = moments["square"]
        square = square + (xp.square(gradient) - square) * settings["one_minus_alpha"]
        direction = gradient / (xp.sqrt(square) + settings["eps"])
        if not self.momentum:
            return parameter - direction * rate, {"square": square}
        velocity = moments["momentum"] * varying.at("momentum", self.momentum, step, settings) + direction
        return parameter - velocity * rate, {"square": square, "momentum": velocity}
