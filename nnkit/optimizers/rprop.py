"""Rprop: the sign of the gradient alone, and a step size of its own for every parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule

Array = Any


@dataclass(frozen=True)
class Rprop(Optimizer):
    """d ← d η₊ where g keeps its sign, d η₋ where it turns; w ← w − d sign(g), but not where it has turned.

    For gradients of all rows at once (``batch_size`` as large as the data): the noise of small batches turns signs. d
    begins at the learning rate, of which only the first value counts, and stays within ``step_sizes``; ``etas`` is
    (η₋, η₊). Riedmiller, Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
    ICNN 1993, in the form that forgets a gradient that has turned, as in PyTorch.

    >>> import numpy as np
    >>> method = Rprop(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 0.01
    etas: tuple[float, float] = (0.5, 1.2)
    step_sizes: tuple[float, float] = (1e-6, 50.0)

    name: ClassVar[str] = "rprop"
    moments: ClassVar[tuple[str, ...]] = ("gradient", "size")

    def __post_init__(self) -> None:
        check_rate("Rprop", self.learning_rate)
        check_pair("Rprop", "etas", self.etas, ("(0, 1)", "(1, inf)"), (0.5, 1.2))
        check_pair("Rprop", "step_sizes", self.step_sizes, ("[0, inf)", "(0, inf)"), (1e-6, 50.0))
        if self.step_sizes[0] > self.step_sizes[1]:
            raise ArgumentError(f"Rprop: step_sizes is {self.step_sizes!r}, expected the smaller one first")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = {"fall": float(self.etas[0]), "rise": float(self.etas[1])}
        sizes = {"smallest": float(self.step_sizes[0]), "largest": float(self.step_sizes[1])}
        return as_schedule(self.learning_rate).settings() | own | sizes

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
        turn = xp.sign(gradient) * xp.sign(moments["gradient"])  # of the signs: a product of small numbers is 0
        size = moments["size"] + xp.where(step < 1.5, rate, xp.zeros_like(rate))
        ratio = xp.where(turn < 0, settings["fall"], xp.where(turn > 0, settings["rise"], xp.ones_like(rate)))
        size = xp.minimum(xp.maximum(size * ratio, settings["smallest"]), settings["largest"])
        kept = xp.where(turn < 0, xp.zeros_like(gradient), gradient)
        return parameter - xp.sign(kept) * size, {"gradient": kept, "size": size}


def check_pair(owner: str, name: str, pair: object, intervals: tuple[str, str], example: tuple[float, float]) -> None:
    """Refuse what is not a pair of numbers, each in its interval."""
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ArgumentError(f"{owner}: {name} is {pair!r}, expected a pair of numbers such as {example}")
    for number, (value, interval) in enumerate(zip(pair, intervals, strict=True)):
        check_number(owner, f"{name}[{number}]", value, interval)
