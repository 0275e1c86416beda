"""Wrappers that bound the gradient before another optimiser sees it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.ops import namespace
from nnkit.optimizers import varying
from nnkit.optimizers.optimizer import Optimizer
from nnkit.optimizers.parts import Parts
from nnkit.optimizers.varying import Varying
from nnkit.optimizers.wrappers.wrapper import Wrapper, free

Array = Any


class _Clip(Wrapper):
    """A wrapper with one bound, a number or a schedule, that the field ``bound_field`` holds."""

    bound_field: ClassVar[str]

    def __post_init__(self) -> None:
        self.check_optimizer()
        varying.check(type(self).__name__, self.bound_field, self._value, "(0, inf)")

    @property
    def _value(self) -> Varying:
        value: Varying = getattr(self, self.bound_field)
        return value

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        inner = self.optimizer.settings()
        return inner | varying.settings(free(self.bound_field, inner), self._value)

    @abstractmethod
    def clipped(self, parts: Parts, gradient: Array, bound: Array) -> Array:
        """The gradient within the bound."""

    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """The update of the optimiser inside with the gradient within the bound; arguments as in :class:`Optimizer`."""
        bound = varying.at(free(self.bound_field, self.optimizer.settings()), self._value, step, settings)
        gradient = self.clipped(parts, gradient, bound)
        return self.optimizer.update_parts(parts, parameter, gradient, moments, settings, step)


@dataclass(frozen=True)
class ClipByGlobalNorm(_Clip):
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
    max_norm: Varying

    name: ClassVar[str] = "clip_by_global_norm"
    bound_field: ClassVar[str] = "max_norm"

    def clipped(self, parts: Parts, gradient: Array, bound: Array) -> Array:
        """The gradient by the formula of the class."""
        xp = namespace(gradient)
        return gradient * shortening(xp.sqrt(xp.sum(xp.square(gradient))), bound)


@dataclass(frozen=True)
class ClipByNorm(_Clip):
    """``optimizer`` on gradients of which each parameter's is shortened by itself: g · min(1, max_norm / ‖g‖).

    A parameter is one weight matrix or one vector of biases. Directions change where :class:`ClipByGlobalNorm` keeps
    that of the whole gradient; in return, one parameter with a steep gradient does not slow the others.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = ClipByNorm(SGD(1.0), max_norm=1.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> parts, slope = Parts(((2,), (1,))), np.asarray([3.0, -4.0, 0.5])
    >>> method.update_parts(parts, np.zeros(3), slope, {}, settings, np.asarray(1.0))[0]
    array([-0.6,  0.8, -0.5])
    """

    optimizer: Optimizer
    max_norm: Varying

    name: ClassVar[str] = "clip_by_norm"
    bound_field: ClassVar[str] = "max_norm"

    def clipped(self, parts: Parts, gradient: Array, bound: Array) -> Array:
        """The gradient by the formula of the class."""
        return gradient * parts.spread([shortening(norm, bound) for norm in parts.norms(gradient)])


@dataclass(frozen=True)
class ClipByValue(_Clip):
    """``optimizer`` on the gradient with every number put back to −max_value or max_value if it is beyond.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = ClipByValue(SGD(1.0), max_value=1.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> method.update(np.zeros(2), np.asarray([0.5, -4.0]), {}, settings, np.asarray(1.0))[0]
    array([-0.5,  1. ])
    """

    optimizer: Optimizer
    max_value: Varying

    name: ClassVar[str] = "clip_by_value"
    bound_field: ClassVar[str] = "max_value"

    def clipped(self, parts: Parts, gradient: Array, bound: Array) -> Array:
        """The gradient by the formula of the class."""
        xp = namespace(gradient)
        return xp.minimum(xp.maximum(gradient, -bound), bound)


def shortening(norm: Array, bound: Array) -> Array:
    """min(1, bound / norm), also for a gradient of zeros."""
    return bound / namespace(norm).maximum(norm, bound)
