"""What a case of a primitive is, and the makers of families of cases."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """``call(xp, *arrays)`` is traced and must contain ``operation``; ``reference(*arrays)`` is computed by NumPy.

    ``order`` is the highest derivative that finite differences check: 0 where the rule is a convention.
    """

    operation: str
    call: Function
    reference: Function
    arrays: tuple[Any, ...]
    variant: str = ""
    order: int = 2

    def __str__(self) -> str:
        shapes = "·".join(str(array.shape).replace(" ", "") for array in self.arrays)
        return " ".join(filter(None, (self.operation, self.variant, shapes)))


def case(
    operation: str, call: Function, reference: Function, *arrays: Any, variant: str = "", order: int = 2
) -> list[Case]:
    return [Case(operation, call, reference, arrays, variant, order)]


def spread(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Evenly spaced distinct values in a random order; another seed gives values that lie between them."""
    count = math.prod(shape)
    places = (np.random.default_rng(seed).permutation(count) + 0.31 + 0.17 * seed) / max(count, 1)
    return np.asarray(low + (high - low) * places).reshape(shape)


def integers(shape: tuple[int, ...], dtype: str = "int32", low: int = 1, high: int = 9, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def bools(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < 0.5


def named(name: str) -> tuple[Function, Function]:
    """The function of that name in the traced namespace and in NumPy."""
    return lambda xp, *arrays: getattr(xp, name)(*arrays), getattr(np, name)


def unary(name: str, low: float = -2.0, high: float = 2.0) -> list[Case]:
    """A function of one array: a matrix, a 0-d array and an empty one."""
    return [Case(name, *named(name), (spread(shape, low, high),)) for shape in ((2, 3), (), (0, 2))]


PAIRS = (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((0, 3), (1, 3)), ((2, 1, 3), (4, 1)))


def binary(name: str, low: float = -2.0, high: float = 2.0) -> list[Case]:
    """A function of two arrays, over pairs of shapes that broadcast, and with a Python scalar on either side."""
    call, reference = named(name)
    scalar, x = low + 0.537 * (high - low), spread((2, 3), low, high)
    return [
        *(Case(name, call, reference, (spread(a, low, high), spread(b, low, high, 1))) for a, b in PAIRS),
        Case(name, lambda xp, x: call(xp, x, scalar), lambda x: reference(x, scalar), (x,), "scalar right"),
        Case(name, lambda xp, x: call(xp, scalar, x), lambda x: reference(scalar, x), (x,), "scalar left"),
    ]


def whole(name: str, *arrays: np.ndarray, variant: str = "") -> list[Case]:
    """A function of integer or bool arrays, which has no derivative."""
    return [Case(name, *named(name), arrays, variant)]


AXES = ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"axis": (), "keepdims": True})


def reduction(name: str, x: np.ndarray, choices: Any = AXES) -> list[Case]:
    """A reduction over choices of axes, with and without kept axes."""
    _, reference = named(name)
    return [
        Case(name, lambda xp, x, o=o: getattr(xp, name)(x, **o), lambda x, o=o: reference(x, **o), (x,), str(o))
        for o in choices
    ]
