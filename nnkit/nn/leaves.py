"""What a module declares: parameters that are trained and states that it updates itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


@dataclass(eq=False, slots=True)
class Parameter:
    """A trained array: its shape, how its first values are drawn, and a penalty on it.

    A size in ``shape`` may be ``"inputs"``, the size of the last axis of what the module is called with.

    >>> Parameter(("inputs", 3), initializer="he_normal").shape
    ('inputs', 3)
    """

    shape: tuple[int | str, ...]
    initializer: Any = "glorot_uniform"
    penalty: Penalty | None = None

    def __post_init__(self) -> None:
        _check_shape("Parameter", self.shape)


@dataclass(eq=False, slots=True)
class State:
    """An array that the module itself changes, with ``run.update(self, name=new)``; it gets no gradient.

    >>> State((3,), initial=1.0).initial
    1.0
    """

    shape: tuple[int | str, ...]
    initial: float = 0.0

    def __post_init__(self) -> None:
        _check_shape("State", self.shape)


Declared = Parameter | State


def _check_shape(kind: str, shape: object) -> None:
    fine = isinstance(shape, tuple) and all(size == INPUTS or (type(size) is int and size >= 0) for size in shape)
    if not fine:
        raise ArgumentError(f"{kind}: shape must be a tuple of whole numbers or '{INPUTS}', got {shape!r}")
