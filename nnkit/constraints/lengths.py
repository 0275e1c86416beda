"""Constraints on the lengths of a parameter's vectors: of the weights that come into each neuron, say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nnkit.constraints.constraint import Array, Constraint
from nnkit.errors import ArgumentError, ShapeError
from nnkit.hyperparameters import check_number
from nnkit.ops import namespace

Axis = int | tuple[int, ...]


@dataclass(frozen=True)
class MaxNorm(Constraint):
    """Vectors longer than ``max_value`` c are shortened to it, w · c / max(‖w‖, c); the others stay as they are.

    ``axis`` is that (or those) along which a vector lies: 0 for the weights (inputs, units) of a Dense layer, one
    vector for each unit; all but the last for a convolution. Srebro, Shraibman, "Rank, trace-norm and max-norm", COLT
    2005; with dropout in Srivastava and others, JMLR 15, 2014.

    >>> import numpy as np
    >>> MaxNorm(2.5)(np.asarray([[3.0, 0.0], [4.0, 1.0]]))
    array([[1.5, 0. ],
           [2. , 1. ]])
    """

    max_value: float = 2.0
    axis: Axis = 0

    name: ClassVar[str] = "max_norm"

    def __post_init__(self) -> None:
        check_number("MaxNorm", "max_value", self.max_value, "(0, inf)")
        _check_axis("MaxNorm", self.axis)

    def __call__(self, weight: Array) -> Array:
        """The parameter as it is to be."""
        limit = float(self.max_value)
        length = _length(self, weight)
        return weight * (limit / namespace(weight).clip(length, limit, None))


@dataclass(frozen=True)
class UnitNorm(Constraint):
    """Every vector gets the length 1, w / ‖w‖; one of zeros stays as it is.

    ``axis`` as in :class:`MaxNorm`.

    >>> import numpy as np
    >>> UnitNorm()(np.asarray([[3.0, 0.0], [4.0, 0.0]]))
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """

    axis: Axis = 0

    name: ClassVar[str] = "unit_norm"

    def __post_init__(self) -> None:
        _check_axis("UnitNorm", self.axis)

    def __call__(self, weight: Array) -> Array:
        """The parameter as it is to be."""
        return weight / _not_zero(_length(self, weight))


@dataclass(frozen=True)
class MinMaxNorm(Constraint):
    """Lengths below ``min_value`` or above ``max_value`` move the share ``rate`` of their way to that bound.

    w / ‖w‖ · ((1 − rate) ‖w‖ + rate · clip(‖w‖, min, max)); one of zeros, which has no direction, stays as it is, and
    so does what lies between the bounds. ``axis`` as in :class:`MaxNorm`.

    >>> import numpy as np
    >>> MinMaxNorm(1.0, 2.5)(np.asarray([[3.0, 0.0], [4.0, 0.5]]))
    array([[1.5, 0. ],
           [2. , 1. ]])
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axis = 0

    name: ClassVar[str] = "min_max_norm"

    def __post_init__(self) -> None:
        check_number("MinMaxNorm", "min_value", self.min_value, "[0, inf)")
        check_number("MinMaxNorm", "max_value", self.max_value, "(0, inf)")
        check_number("MinMaxNorm", "rate", self.rate, "[0, 1]")
        _check_axis("MinMaxNorm", self.axis)
        if self.min_value > self.max_value:
            raise ArgumentError(f"MinMaxNorm: min_value is {self.min_value!r}, above max_value, {self.max_value!r}")

    def __call__(self, weight: Array) -> Array:
        """The parameter as it is to be."""
        xp = namespace(weight)
        length, rate = _length(self, weight), float(self.rate)
        bound = xp.clip(length, float(self.min_value), float(self.max_value))
        moved = weight / _not_zero(length) * (length * (1.0 - rate) + bound * rate)
        return xp.where(bound == length, weight, moved)


def _check_axis(owner: str, axis: object) -> None:
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not axes or any(type(part) is not int for part in axes):
        raise ArgumentError(
            f"{owner}: axis is {axis!r}, expected a whole number or a tuple of them, such as 0 or (0, 1)"
        )


def _length(constraint: MaxNorm | UnitNorm | MinMaxNorm, weight: Array) -> Array:
    """√Σw² along the axis, which is kept with size 1; taken relative to the largest, so that no square overflows."""
    axes = constraint.axis if isinstance(constraint.axis, tuple) else (constraint.axis,)
    if not all(-weight.ndim <= axis < weight.ndim for axis in axes):
        raise ShapeError(
            f"constraint '{constraint.name}' takes lengths along axis {constraint.axis}, and the parameter has shape "
            f"{tuple(weight.shape)}; give {type(constraint).__name__} an axis from {-weight.ndim} to {weight.ndim - 1}"
        )
    xp = namespace(weight)
    largest = _not_zero(xp.max(xp.abs(weight), axis=constraint.axis, keepdims=True))
    ones = xp.sum(xp.square(weight / largest), axis=constraint.axis, keepdims=True)
    return largest * xp.sqrt(ones)


def _not_zero(length: Array) -> Array:
    """The length, or 1 for a vector of zeros, which can then be divided by it."""
    return namespace(length).where(length > 0.0, length, 1.0)
