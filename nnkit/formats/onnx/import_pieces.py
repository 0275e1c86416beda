"""What the nodes of a chain turn out to be, piece by piece, before they are fitted together as layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.nn import BatchNorm, GroupNorm, LayerNorm, RMSNorm

Row = tuple[int, ...]
"""The shape of one row."""


@dataclass(frozen=True, eq=False)
class Linear:
    """x · weight + bias; weight (inputs, units), bias (units,) or none."""

    weight: Array
    bias: Array | None
    place: str


@dataclass(frozen=True, eq=False)
class Affine:
    """scale · x + shift: numbers, or arrays that can be spread over a row."""

    scale: Array
    shift: Array
    place: str


@dataclass(frozen=True, eq=False)
class Named:
    """An activation by its name, with its parameters."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Slopes:
    """max(x, 0) + slope · min(x, 0), with a slope for each feature, or one for all."""

    slope: Array


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer that normalises, with its values by their names."""

    layer: BatchNorm | GroupNorm | LayerNorm | RMSNorm
    values: dict[str, Array]
    place: str


@dataclass(frozen=True, eq=False)
class Drop:
    """Dropout, which acts in training alone."""

    rate: float


@dataclass(frozen=True, eq=False)
class Reshaped:
    """Rows in another shape, with their numbers in the same order."""

    row: Row
    place: str


@dataclass(frozen=True, eq=False)
class BothClasses:
    """p → (1 − p, p), as scikit-learn has the probabilities of two classes."""

    place: str


Piece = Linear | Affine | Named | Slopes | Norm | Drop | Reshaped | BothClasses


def uniform(array: Array) -> Array:
    """The array as a single number where all of it is the same."""
    return np.asarray(array.ravel()[0]) if array.size and (array == array.ravel()[0]).all() else array


def spreads(shape: tuple[int, ...], over: tuple[int, ...]) -> bool:
    """Whether an array of one shape can be spread over one of the other, without making that larger.

    >>> spreads((3,), (5, 3)), spreads((2, 3), (3,))
    (True, False)
    """
    sizes = zip(reversed(shape), reversed(over), strict=False)
    return len(shape) <= len(over) and all(size in (1, whole) for size, whole in sizes)


def plain(number: float) -> float:
    """The shortest decimal number that is the same in float32, for one that is a float32.

    >>> plain(0.20000000298023224), plain(0.1)
    (0.2, 0.1)
    """
    single = np.float32(number)
    return float(str(single)) if float(single) == number else float(number)
