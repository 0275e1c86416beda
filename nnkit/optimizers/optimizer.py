"""What an optimiser is: the arithmetic of one update, as a function of arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

from nnkit.arguments import KnownArguments
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number, config_of
from nnkit.optimizers.parts import Parts, Shape
from nnkit.optimizers.schedules import Constant, Schedule

Array = Any


class Optimizer(KnownArguments, ABC):
    """The mathematics of one update of one array; where the arrays are kept, and the loop over them, is elsewhere.

    Subclasses are frozen dataclasses: an optimiser holds hyper-parameters and no state. ``update`` is traced into the
    graph of the training step, once for the flat vector of all parameters. An optimiser that must know where each
    parameter lies in it is a :class:`ByParts`.
    """

    name: ClassVar[str]
    by_steps: ClassVar[bool] = True
    """Whether ``update`` is all of it; else a method on the host decides, which works on all rows at once."""
    outermost: ClassVar[bool] = False
    """Whether it must not stand inside a wrapper."""
    learning_rate: float | Schedule

    @property
    @abstractmethod
    def moments(self) -> tuple[str, ...]:
        """Names of the arrays that live from step to step, zero at first."""

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """Shape of each moment, for parameters of these shapes: that of the flat vector, if nothing else is said."""
        return dict.fromkeys(self.moments, (parts.count,))

    @abstractmethod
    def settings(self) -> dict[str, float]:
        """Name and value of each hyper-parameter that the update reads, computed on the host in double.

        They reach ``update`` as 0-d arrays, and the host may change them between steps.
        """

    @abstractmethod
    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """The new parameter and the new moments.

        ``step`` is the number of this update, from 1: a 0-d array of the parameter's dtype, as are the ``settings``.
        Shapes and dtype stay those of the parameter.
        """

    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """The update of the flat vector of parameters of these shapes; what works elementwise does not look at them."""
        return self.update(parameter, gradient, moments, settings, step)

    def rate(self, step: Array, settings: Mapping[str, Array]) -> Array:
        """The learning rate of update ``step``, 0-d."""
        return as_schedule(self.learning_rate)(step, settings)

    @property
    def has_final(self) -> bool:
        """Whether the network's weights are others than those that are trained: then ``final`` gives them."""
        return False

    def final(self, parameter: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: int) -> Array:
        """The weights that the network is to have after ``step`` updates, if training ended now.

        The loop asks for them where ``has_final``, before anybody looks at the network, and goes on from ``parameter``.
        Arrays as in ``update``, on the host; flat.
        """
        return parameter

    def resolved(self, total_steps: int) -> Self:
        """The optimiser for a training of ``total_steps`` updates: schedules that were left open get their length."""
        inner = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return replace(  # type: ignore[type-var]
            self,
            **{
                name: value.resolved(total_steps)
                for name, value in inner.items()
                if isinstance(value, Schedule | Optimizer)
            },
        )

    def config(self) -> dict[str, Any]:
        """The optimiser as plain data for JSON; ``optimizers.from_config`` reads it back."""
        return config_of(self)


class ByParts(Optimizer):
    """An optimiser that treats each parameter by its own shape: it says what to do with ``update_parts``."""

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """The update of one array, of any shape; its moments are flat."""
        parts = Parts((tuple(parameter.shape),))
        flat, slope = (parts.join([array]) for array in (parameter, gradient))
        new, moved = self.update_parts(parts, flat, slope, moments, settings, step)
        return parts.split(new)[0], moved

    @abstractmethod
    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """The update of the flat vector of parameters of these shapes; other arguments as in ``update``."""


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """A learning rate as a schedule: itself, or constant."""
    return learning_rate if isinstance(learning_rate, Schedule) else Constant(learning_rate)


def check_rate(owner: str, learning_rate: object) -> None:
    """Refuse what is neither a schedule nor a number that can be a learning rate."""
    if isinstance(learning_rate, Schedule):
        return
    if isinstance(learning_rate, str) or callable(learning_rate):
        raise ArgumentError(
            f"{owner}: learning_rate is {learning_rate!r}, expected a number in [0, inf), or one that changes, such as "
            "nnkit.optimizers.schedules.Cosine(0.001)"
        )
    check_number(owner, "learning_rate", learning_rate, "[0, inf)")
