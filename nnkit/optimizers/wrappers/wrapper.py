"""What wrappers share: the optimiser inside, and names of their own beside its names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnkit.errors import ArgumentError
from nnkit.optimizers.optimizer import ByParts, Optimizer
from nnkit.optimizers.parts import Parts, Shape

Array = Any


class Wrapper(ByParts):
    """An optimiser that changes what another one, the field ``optimizer``, is given or what it makes of it.

    Settings and moments keep the names that they have in the optimiser inside. A wrapper's own stand beside them; where
    one of that name is there already, in two equal wrappers around each other say, ``outer.`` comes before it.
    """

    optimizer: Optimizer

    def check_optimizer(self) -> None:
        """Refuse what is no optimiser object."""
        if not isinstance(self.optimizer, Optimizer):
            raise ArgumentError(
                f"{type(self).__name__}: optimizer is {self.optimizer!r}, "
                "expected an optimiser object such as Adam(0.001)"
            )
        if not self.optimizer.by_steps:
            raise ArgumentError(f"{type(self).__name__}: {self.optimizer!r} searches for its own steps; use it alone")
        if self.optimizer.outermost:
            inside = type(self.optimizer).__name__
            raise ArgumentError(
                f"{type(self).__name__}: {inside} has to do with the loss and stands outside of all others; "
                f"write {inside}({type(self).__name__}(…))"
            )

    def rate(self, step: Array, settings: Mapping[str, Array]) -> Array:
        """That of the wrapped optimiser."""
        return self.optimizer.rate(step, settings)

    @property
    def has_final(self) -> bool:
        """As the wrapped optimiser has."""
        return self.optimizer.has_final

    @property
    def moments(self) -> tuple[str, ...]:
        """Those of the wrapped optimiser, if there are no more."""
        return self.optimizer.moments

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """Those of the wrapped optimiser; a wrapper's own are as long as the flat vector."""
        inner = self.optimizer.moment_shapes(parts)
        return inner | {name: (parts.count,) for name in self.moments if name not in self.optimizer.moments}

    def final(self, parameter: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: int) -> Array:
        """Those of the wrapped optimiser."""
        return self.optimizer.final(parameter, moments, settings, step)


def free(name: str, taken: Iterable[str]) -> str:
    """The name, with ``outer.`` before it as often as it takes to be none of those that are taken.

    >>> free("max_norm", ["learning_rate", "max_norm"])
    'outer.max_norm'
    """
    names = list(taken)
    while any(known == name or known.startswith(f"{name}.") for known in names):
        name = f"outer.{name}"
    return name
