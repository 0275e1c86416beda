"""Initialisers without randomness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nnkit.errors import ShapeError
from nnkit.hyperparameters import check_number
from nnkit.initializers.initializer import Initializer, Shape, Values


@dataclass(frozen=True)
class Constant(Initializer):
    """Every element is ``value``.

    >>> Constant(0.5)((2,), np.random.default_rng(0))
    array([0.5, 0.5])
    """

    value: float = 0.0

    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        check_number("Constant", "value", self.value, "(-inf, inf)")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, float64."""
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Identity(Initializer):
    """A matrix with ``gain`` on its diagonal and 0 elsewhere: a layer that passes on what comes in.

    >>> Identity()((2, 3), np.random.default_rng(0))
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """

    gain: float = 1.0

    name: ClassVar[str] = "identity"

    def __post_init__(self) -> None:
        check_number("Identity", "gain", self.gain, "(-inf, inf)")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, which has two axes, float64."""
        if len(shape) != 2:
            raise ShapeError(
                f"initializer 'identity' makes matrices, (inputs, outputs); it was asked for shape {shape}"
            )
        return np.eye(*shape) * self.gain
