"""Averages of the parameters over the updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.optimizers import adaptive
from nnkit.optimizers.optimizer import Optimizer
from nnkit.optimizers.parts import Parts
from nnkit.optimizers.wrappers.wrapper import Wrapper

Array = Any


@dataclass(frozen=True)
class ExponentialMovingAverage(Wrapper):
    """``optimizer``, and as the network's weights the running mean of what it made: a ← β a + (1 − β) w, a / (1 − βᵗ).

    β is ``decay``. The mean is over the parameters after each of the t updates; the divisor makes the weights of the
    first ones right. Training itself goes on from w: only validation, callbacks, and the network after ``fit`` have the
    average. It smooths the noise of small batches, over about 1 / (1 − β) updates. Around :class:`Accumulate` it counts
    every step; inside of it, the updates. Polyak, Juditsky, "Acceleration of stochastic approximation by averaging",
    SIAM Journal on Control and Optimization 1992.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = ExponentialMovingAverage(SGD(1.0), decay=0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> weight, moments = np.zeros(1), {"average": np.zeros(1)}
    >>> for step in (1.0, 2.0):
    ...     weight, moments = method.update(weight, np.asarray([3.0]), moments, settings, np.asarray(step))
    >>> method.final(weight, moments, settings, 2)  # a third of −3 and two thirds of −6
    array([-5.])
    """

    optimizer: Optimizer
    decay: float = 0.999

    name: ClassVar[str] = "exponential_moving_average"

    def __post_init__(self) -> None:
        self.check_optimizer()
        if self.optimizer.has_final:
            raise ArgumentError(
                f"ExponentialMovingAverage: {self.optimizer!r} averages its parameters already; use it without this "
                "wrapper, or another optimiser inside"
            )
        check_number("ExponentialMovingAverage", "decay", self.decay, "[0, 1)")

    @property
    def has_final(self) -> bool:
        """The averages are the network's weights."""
        return True

    @property
    def moments(self) -> tuple[str, ...]:
        """Those of the wrapped optimiser, and the average."""
        return (*self.optimizer.moments, "average")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        return self.optimizer.settings() | adaptive.decay("average", self.decay)

    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        inner = {name: value for name, value in moments.items() if name != "average"}
        new, moved = self.optimizer.update_parts(parts, parameter, gradient, inner, settings, step)
        average = moments["average"]
        average = average + (new - average) * settings["one_minus_average"]
        return new, moved | {"average": average}

    def final(self, parameter: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: int) -> Array:
        """The average."""
        return moments["average"] / adaptive.so_far(step, settings, "average")
