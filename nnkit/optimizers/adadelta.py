"""Adadelta: steps of the size of the parameter's own former steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule

Array = Any


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """s ← ρ s + (1 − ρ) g², d = g √(u + ε) / √(s + ε), u ← ρ u + (1 − ρ) d²; w ← w − η d.

    A step has the unit of the parameter, so that η is 1 unless there is a reason. Zeiler, "ADADELTA: an adaptive
    learning rate method", arXiv:1212.5701, 2012.

    >>> import numpy as np
    >>> method = Adadelta(0.5, rho=0.75, eps=1.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.16795 , 1.961524])
    """

    learning_rate: float | Schedule = 1.0
    rho: float = 0.9
    eps: float = 1e-6

    name: ClassVar[str] = "adadelta"
    moments: ClassVar[tuple[str, ...]] = ("square", "change")

    def __post_init__(self) -> None:
        check_rate("Adadelta", self.learning_rate)
        check_number("Adadelta", "rho", self.rho, "[0, 1)")
        check_number("Adadelta", "eps", self.eps, "(0, inf)")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = {"one_minus_rho": 1.0 - self.rho, "eps": float(self.eps)}
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
        xp, rate, eps = namespace(gradient), self.rate(step, settings), settings["eps"]
        square, change = moments["square"], moments["change"]
        square = square + (xp.square(gradient) - square) * settings["one_minus_rho"]
        delta = gradient * xp.sqrt((change + eps) / (square + eps))
        change = change + (xp.square(delta) - change) * settings["one_minus_rho"]
        return parameter - delta * rate, {"square": square, "change": change}
