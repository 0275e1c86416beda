"""What a module declares: parameters that are trained and states that it updates itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnkit import constraints, initializers
from nnkit.errors import ArgumentError

INPUTS = "inputs"
"""In a shape, stands for the size of the last axis of what the module is called with."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """λ₁ Σ|w| + λ₂ Σ w², added to the loss.

    >>> Penalty(l2=1e-4)
    Penalty(l1=0.0, l2=0.0001)
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name in ("l1", "l2"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
                raise ArgumentError(f"{name} must be a finite number that is not negative, got {value!r}")


@dataclass(frozen=True, eq=False)
class From:
    """First values that follow from those of other leaves of the same module tree: ``function`` of their values.

    >>> weight = Parameter(("inputs", 3))
    >>> length = Parameter((3,), From(lambda values: (values**2).sum(axis=0) ** 0.5, weight))
    """

    function: Callable[..., Any]
    leaves: tuple[Declared, ...]

    def __init__(self, function: Callable[..., Any], *leaves: Declared) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "leaves", leaves)


@dataclass(eq=False, slots=True)
class Parameter:
    """A trained array: its shape, how its first values are drawn, a penalty on it, and a constraint.

    A size in ``shape`` may be ``"inputs"``, the size of the last axis of what the module is called with. A constraint,
    by name or as an object of ``nnkit.constraints``, is applied after every update of the optimiser.

    >>> Parameter(("inputs", 3), initializer="he_normal").shape
    ('inputs', 3)
    """

    shape: tuple[int | str, ...]
    initializer: Any = "glorot_uniform"
    penalty: Penalty | None = None
    constraint: Any = None

    def __post_init__(self) -> None:
        _check_shape("Parameter", self.shape)
        if not isinstance(self.initializer, From):
            initializers.get(self.initializer)
        if self.constraint is not None:
            constraints.get(self.constraint)


@dataclass(eq=False, slots=True)
class State:
    """An array that the module itself changes, with ``run.update(self, name=new)``; it gets no gradient.

    >>> State((3,), initial=1.0).initial
    1.0
    """

    shape: tuple[int | str, ...]
    initial: float | From = 0.0

    def __post_init__(self) -> None:
        _check_shape("State", self.shape)


Declared = Parameter | State


def first_values(leaves: Mapping[str, Declared], shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Any]:
    """What each leaf starts from, by path: on the host, in float64, as a function of (seed, path)."""
    paths = {id(leaf): path for path, leaf in leaves.items()}
    values: dict[str, Any] = {}

    def value_of(path: str) -> Any:
        if path not in values:
            leaf = leaves[path]
            start: Any = leaf.initializer if isinstance(leaf, Parameter) else leaf.initial
            if isinstance(start, From):
                values[path] = start.function(*(value_of(paths[id(other)]) for other in start.leaves))
            elif isinstance(leaf, Parameter):
                values[path] = initializers.get(start)(shapes[path], initializers.generator(seed, path))
            else:
                values[path] = np.full(shapes[path], start)
        return values[path]

    return {path: value_of(path) for path in shapes}


def _check_shape(kind: str, shape: object) -> None:
    fine = isinstance(shape, tuple) and all(size == INPUTS or (type(size) is int and size >= 0) for size in shape)
    if not fine:
        raise ArgumentError(f"{kind}: shape must be a tuple of whole numbers or '{INPUTS}', got {shape!r}")
