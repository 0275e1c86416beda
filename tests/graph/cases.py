"""One table of cases for the rows of PRIMITIVES: what is traced, NumPy's own result, and operands away from kinks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """``call(xp, *arrays)`` is traced and must contain ``operation``; ``reference(*arrays)`` is computed by NumPy."""

    operation: str
    call: Function
    reference: Function
    arrays: tuple[np.ndarray, ...]
    variant: str = ""

    def __str__(self) -> str:
        shapes = "·".join(str(array.shape).replace(" ", "") for array in self.arrays)
        return f"{self.operation} {self.variant}{shapes}"


def spread(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Distinct float64 values over an interval in a random order; other seeds give values between them.

    With the default interval all of them, and their differences, keep 0.01 away from integers and halves.
    """
    count = math.prod(shape)
    places = (np.random.default_rng(seed).permutation(count) + 0.31 + 0.17 * seed) / max(count, 1)
    return (low + (high - low) * places).reshape(shape)


def integers(shape: tuple[int, ...], low: int = 1, high: int = 9, dtype: str = "int32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


PAIRS = (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((0, 3), (1, 3)), ((2, 1, 3), (4, 1)))


def unary(name: str, low: float = -2.0, high: float = 2.0, reference: Function | None = None) -> list[Case]:
    """A function of one array, on a matrix, a 0-d array and an empty one."""
    return [
        Case(name, lambda xp, x: getattr(xp, name)(x), reference or getattr(np, name), (spread(shape, low, high),))
        for shape in ((2, 3), (), (0, 2))
    ]


def binary(name: str, low: float = -2.0, high: float = 2.0, pairs: Any = PAIRS) -> list[Case]:
    """A function of two arrays, over pairs of shapes that broadcast, and with a Python scalar on either side."""
    reference, both, matrix = getattr(np, name), getattr, spread((2, 3), low, high)
    scalar = low + 0.537 * (high - low)
    return [
        *(
            Case(
                name,
                lambda xp, x, y: both(xp, name)(x, y),
                reference,
                (spread(one, low, high), spread(two, low, high, 1)),
            )
            for one, two in pairs
        ),
        Case(name, lambda xp, x: both(xp, name)(x, scalar), lambda x: reference(x, scalar), (matrix,), "scalar right "),
        Case(name, lambda xp, x: both(xp, name)(scalar, x), lambda x: reference(scalar, x), (matrix,), "scalar left "),
    ]


def whole(name: str, *arrays: np.ndarray, variant: str = "") -> Case:
    """A function of integer or bool arrays, which has no derivative."""
    return Case(name, lambda xp, *a: getattr(xp, name)(*a), getattr(np, name), arrays, variant)


def reduction(name: str, *arrays: np.ndarray) -> list[Case]:
    """A reduction over every choice of axes, with and without kept axes."""
    return [
        Case(
            name,
            lambda xp, x, o=options: getattr(xp, name)(x, **o),
            lambda x, o=options: getattr(np, name)(x, **o),
            (array,),
            f"{options} ",
        )
        for array in arrays
        for options in (
            {},
            {"axis": 0},
            {"axis": -1, "keepdims": True},
            {"axis": (0, 2)},
            {"axis": (), "keepdims": True},
            {"keepdims": True},
        )
    ]


def case(operation: str, call: Function, reference: Function, *arrays: np.ndarray, variant: str = "") -> Case:
    return Case(operation, call, reference, arrays, variant)
