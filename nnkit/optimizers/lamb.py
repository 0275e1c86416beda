"""LAMB: Adam with a learning rate for each parameter that fits the parameter's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.ops import namespace
from nnkit.optimizers import adaptive, varying
from nnkit.optimizers.optimizer import ByParts, as_schedule, check_rate
from nnkit.optimizers.parts import Parts
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any


@dataclass(frozen=True)
class LAMB(ByParts):
    """w ← w − η (‖w‖ / ‖u‖) u with u = m̂ / (√v̂ + ε) + λ w, for each weight matrix and each vector by itself.

    m̂ and v̂ as in :class:`Adam`; where w or u is zero, the ratio is 1. For large batches, whose learning rate may then
    be large. You and others, "Large batch optimization for deep learning: training BERT in 76 minutes", ICLR 2020, with
    φ(z) = z.

    >>> import numpy as np
    >>> method = LAMB(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-6
    weight_decay: Varying = 0.0

    name: ClassVar[str] = "lamb"
    moments: ClassVar[tuple[str, ...]] = adaptive.MOMENTS

    def __post_init__(self) -> None:
        check_rate("LAMB", self.learning_rate)
        adaptive.check("LAMB", self.betas, self.eps)
        varying.check("LAMB", "weight_decay", self.weight_decay, "[0, inf)")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = adaptive.settings(self.betas, self.eps)
        decay = varying.settings("weight_decay", self.weight_decay) if self.weight_decay else {}
        return as_schedule(self.learning_rate).settings() | own | decay

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
        rate = self.rate(step, settings)
        ratio, factor, moved = adaptive.direction(gradient, moments, settings, step)
        change = ratio * factor
        if self.weight_decay:
            change = change + parameter * varying.at("weight_decay", self.weight_decay, step, settings)
        pairs = zip(parts.norms(parameter), parts.norms(change), strict=True)
        return parameter - change * parts.spread([rate * _trust(*pair) for pair in pairs]), moved


def _trust(weight: Array, change: Array) -> Array:
    """‖w‖ / ‖u‖, or 1 if one of them is 0."""
    xp = namespace(weight)
    one = xp.ones_like(weight)
    return xp.where((weight > 0) & (change > 0), weight / xp.where(change > 0, change, one), one)
