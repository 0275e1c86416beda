"""Weight decay beside any optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.optimizers import varying
from nnkit.optimizers.optimizer import Optimizer
from nnkit.optimizers.parts import Parts
from nnkit.optimizers.varying import Varying
from nnkit.optimizers.wrappers.wrapper import Wrapper, free

Array = Any


@dataclass(frozen=True)
class WeightDecay(Wrapper):
    """``optimizer``, after every parameter was multiplied by 1 − η λ: weight decay beside the gradient, not in it.

    η is the learning rate of ``optimizer`` and λ ``weight_decay``, so that ``WeightDecay(Adam(η), λ)`` is
    ``AdamW(η, weight_decay=λ)``. Biases decay too. Around :class:`Accumulate` it acts in every step; inside of it, in
    every update. Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = WeightDecay(SGD(0.5), 0.2)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([0.0, 1.0]), {}, settings, np.asarray(1.0))[0]
    array([0.9, 0.4])
    """

    optimizer: Optimizer
    weight_decay: Varying = 0.01

    name: ClassVar[str] = "weight_decay"

    def __post_init__(self) -> None:
        self.check_optimizer()
        varying.check("WeightDecay", "weight_decay", self.weight_decay, "[0, inf)")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        inner = self.optimizer.settings()
        return inner | varying.settings(free("weight_decay", inner), self.weight_decay)

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
        name = free("weight_decay", self.optimizer.settings())
        share = self.rate(step, settings) * varying.at(name, self.weight_decay, step, settings)
        return self.optimizer.update_parts(parts, parameter * (1.0 - share), gradient, moments, settings, step)
