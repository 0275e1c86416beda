"""Initialisers with the same distribution for every shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.initializers.initializer import Initializer, Shape, Values


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal, with this standard deviation and mean.

    >>> Normal(0.02)((784, 128), np.random.default_rng(0)).std().round(3)
    np.float64(0.02)
    """

    std: float = 0.05
    mean: float = 0.0

    name: ClassVar[str] = "normal"

    def __post_init__(self) -> None:
        check_number("Normal", "std", self.std, "[0, inf)")
        check_number("Normal", "mean", self.mean, "(-inf, inf)")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, float64."""
        return rng.standard_normal(shape) * self.std + self.mean


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal, without what lies more than two ``std`` from the mean: such values are drawn again.

    What remains has standard deviation 0.88 ``std``.

    >>> bool(abs(TruncatedNormal(1.0)((1000,), np.random.default_rng(0))).max() <= 2.0)
    True
    """

    std: float = 0.05
    mean: float = 0.0

    name: ClassVar[str] = "truncated_normal"

    def __post_init__(self) -> None:
        check_number("TruncatedNormal", "std", self.std, "[0, inf)")
        check_number("TruncatedNormal", "mean", self.mean, "(-inf, inf)")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, float64."""
        return truncated(shape, rng) * self.std + self.mean


def truncated(shape: Shape, rng: np.random.Generator) -> Values:
    """Normal numbers of mean 0 and variance 1 without those beyond ±2, which are drawn again."""
    flat = rng.standard_normal(int(np.prod(shape)))
    while (outside := np.flatnonzero(np.abs(flat) > 2.0)).size:
        flat[outside] = rng.standard_normal(outside.size)
    return flat.reshape(shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform between ``low`` and ``high``.

    >>> bool(abs(Uniform(-0.1, 0.1)((1000,), np.random.default_rng(0))).max() <= 0.1)
    True
    """

    low: float = -0.05
    high: float = 0.05

    name: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        check_number("Uniform", "low", self.low, "(-inf, inf)")
        check_number("Uniform", "high", self.high, "(-inf, inf)")
        if self.low > self.high:
            raise ArgumentError(f"Uniform: low is {self.low!r}, above high, {self.high!r}")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, float64."""
        return rng.random(shape) * (self.high - self.low) + self.low
