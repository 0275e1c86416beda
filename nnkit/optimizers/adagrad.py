"""Adagrad: each gradient divided by the root of the sum of all its squares so far."""

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
class Adagrad(Optimizer):
    """s ← s + g²; w ← w − η g / (√(s₀ + s) + ε), with s₀ ``initial``.

    The step falls as 1/√t by itself: for sparse features, of which rare ones keep a large step. For PyTorch's
    ``lr_decay`` give a schedule as the learning rate. Duchi, Hazan, Singer, "Adaptive subgradient methods for online
    learning and stochastic optimization", JMLR 2011.

    >>> import numpy as np
    >>> method = Adagrad(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 0.01
    eps: float = 1e-10
    initial: float = 0.0

    name: ClassVar[str] = "adagrad"
    moments: ClassVar[tuple[str, ...]] = ("sum",)

    def __post_init__(self) -> None:
        check_rate("Adagrad", self.learning_rate)
        check_number("Adagrad", "eps", self.eps, "[0, inf)")
        check_number("Adagrad", "initial", self.initial, "[0, inf)")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = {"eps": float(self.eps)} | ({"initial": float(self.initial)} if self.initial else {})
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
        total = moments["sum"] + xp.square(gradient)
        seen = total + settings["initial"] if self.initial else total
        return parameter - gradient / (xp.sqrt(seen) + settings["eps"]) * rate, {"sum": total}
