"""Gradients of several steps for one update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from nnkit.hyperparameters import check_count
from nnkit.ops import namespace
from nnkit.optimizers.optimizer import Optimizer
from nnkit.optimizers.parts import Parts
from nnkit.optimizers.wrappers.wrapper import Wrapper, free

Array = Any


@dataclass(frozen=True)
class Accumulate(Wrapper):
    """``optimizer`` on the mean gradient of every ``every`` steps: batches ``every`` times as large in no more memory.

    In between, parameters and moments stay as they are. The optimiser inside counts its own updates: its corrections
    for the start and its schedules know nothing of the steps between them. Gradients that are left when training ends
    wait for the next ``fit`` with the same object.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = Accumulate(SGD(1.0), every=2)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> weight, moments = np.zeros(1), {"accumulated": np.zeros(1)}
    >>> for step, slope in ((1.0, 3.0), (2.0, 5.0)):
    ...     weight, moments = method.update(weight, np.asarray([slope]), moments, settings, np.asarray(step))
    ...     print(weight)
    [0.]
    [-4.]
    """

    optimizer: Optimizer
    every: int

    name: ClassVar[str] = "accumulate"

    def __post_init__(self) -> None:
        self.check_optimizer()
        check_count("Accumulate", "every", self.every, at_least=1)

    @property
    def moments(self) -> tuple[str, ...]:
        """Those of the wrapped optimiser, and the sum of the gradients since its last update."""
        return (*self.optimizer.moments, self._sum)

    @property
    def _sum(self) -> str:
        return free("accumulated", self.optimizer.moments)

    @property
    def _every(self) -> str:
        return free("accumulate", self.optimizer.settings())

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        return self.optimizer.settings() | {self._every: float(self.every)}

    def resolved(self, total_steps: int) -> Self:
        """The optimiser inside is resolved for its own updates."""
        return replace(self, optimizer=self.optimizer.resolved(max(total_steps // self.every, 1)))

    def rate(self, step: Array, settings: Mapping[str, Array]) -> Array:
        """That of the wrapped optimiser in the update that step ``step`` works towards."""
        return self.optimizer.rate(namespace(step).ceil(step / settings[self._every]), settings)

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
        xp, every = namespace(gradient), settings[self._every]
        number = xp.ceil(step / every)
        due = number * every == step
        total = moments[self._sum] + gradient
        inner = {name: value for name, value in moments.items() if name != self._sum}
        new, moved = self.optimizer.update_parts(parts, parameter, total / every, inner, settings, number)
        kept = {name: xp.where(due, value, inner[name]) for name, value in moved.items()}
        return xp.where(due, new, parameter), kept | {self._sum: xp.where(due, xp.zeros_like(total), total)}

    def final(self, parameter: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: int) -> Array:
        """Those of the wrapped optimiser after its own updates."""
        updates = step // self.every
        return self.optimizer.final(parameter, moments, settings, updates) if updates else parameter
