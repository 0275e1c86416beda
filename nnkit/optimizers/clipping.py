"""Wrappers that bound the gradient before another optimiser sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.optimizer import Optimizer

Array = Any


@dataclass(frozen=True)
class ClipByGlobalNorm(Optimizer):
    """``optimizer`` on the gradient g · min(1, max_norm / ‖g‖), where ‖g‖ is taken over all parameters together.

    One update is one flat vector of all parameters, so its norm is the global one. Pascanu, Mikolov, Bengio, "On the
    difficulty of training recurrent neural networks", ICML 2013.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = ClipByGlobalNorm(SGD(1.0), max_norm=1.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> method.update(np.zeros(2), np.asarray([3.0, -4.0]), {}, settings, np.asarray(1.0))[0]
    array([-0.6,  0.8])
    """

    optimizer: Optimizer
    max_norm: float

    name: ClassVar[str] = "clip_by_global_norm"

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, Optimizer):
            raise ArgumentError(
                f"ClipByGlobalNorm: optimizer is {self.optimizer!r}, expected an optimiser object such as Adam(0.001)"
            )
        check_number("ClipByGlobalNorm", "max_norm", self.max_norm, "(0, inf)")

    @property
    def moments(self) -> tuple[str, ...]:
        """Those of the wrapped optimiser."""
        return self.optimizer.moments

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        return self.optimizer.settings() | {"max_norm": float(self.max_norm)}

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
        bound = settings["max_norm"]
        norm = xp.sqrt(xp.sum(xp.square(gradient)))
        scale = bound / xp.maximum(norm, bound)  # min(1, bound / norm), also for a gradient of zeros
        return self.optimizer.update(parameter, gradient * scale, moments, settings, step)
