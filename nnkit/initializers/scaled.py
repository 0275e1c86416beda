"""Initialisers that keep the size of signals from layer to layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar, Literal

import numpy as np

from nnkit.errors import ArgumentError, ShapeError
from nnkit.hyperparameters import check_number
from nnkit.initializers.initializer import Initializer, Shape, Values, fans
from nnkit.initializers.plain import truncated

_MODES = ("fan_in", "fan_out", "fan_average")
_DISTRIBUTIONS = ("normal", "truncated_normal", "uniform")
LEFT = 0.8796256610342398
"""Standard deviation of what remains of a normal distribution between −2 and 2 of its own."""


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Mean 0 and variance ``scale`` / n, where n is the number of inputs, of outputs, or the average of the two.

    Normal with standard deviation √(scale / n), as it is or without what lies beyond two of 1.137 √(scale / n), which
    leaves that standard deviation; or uniform between ±√(3 scale / n). For a weight of shape (in…, out), n follows from
    :func:`fans`.

    >>> VarianceScaling(2.0)((800, 100), np.random.default_rng(0)).std().round(3)
    np.float64(0.05)
    """

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_average"] = "fan_in"
    distribution: Literal["normal", "truncated_normal", "uniform"] = "normal"

    name: ClassVar[str] = "variance_scaling"

    def __post_init__(self) -> None:
        check_number("VarianceScaling", "scale", self.scale, "(0, inf)")
        for field, value, known in (("mode", self.mode, _MODES), ("distribution", self.distribution, _DISTRIBUTIONS)):
            if value not in known:
                raise ArgumentError(f"VarianceScaling: {field} is {value!r}, expected one of {', '.join(known)}")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, float64."""
        inputs, outputs = fans(shape)
        count = {"fan_in": inputs, "fan_out": outputs, "fan_average": (inputs + outputs) / 2}[self.mode]
        std = sqrt(self.scale / max(count, 1))
        if self.distribution == "normal":
            return rng.standard_normal(shape) * std
        if self.distribution == "truncated_normal":
            return truncated(shape, rng) * (std / LEFT)
        return (rng.random(shape) * 2.0 - 1.0) * (sqrt(3.0) * std)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Columns (or rows, if there are fewer) that are orthogonal to each other and of length ``gain``.

    From the QR decomposition of a normal matrix, with signs such that every orthogonal matrix is equally likely. The
    weight is taken as a matrix (in, out), all axes but the last together. Equal on all platforms up to rounding. Saxe,
    McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR
    2014.

    >>> weight = Orthogonal()((4, 2), np.random.default_rng(0))
    >>> np.allclose(weight.T @ weight, np.eye(2))
    True
    """

    gain: float = 1.0

    name: ClassVar[str] = "orthogonal"

    def __post_init__(self) -> None:
        check_number("Orthogonal", "gain", self.gain, "(-inf, inf)")

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, which has two axes or more, float64."""
        if len(shape) < 2:
            raise ShapeError(f"initializer 'orthogonal' needs two axes or more; it was asked for shape {shape}")
        rows, columns = prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        matrix: Values = (q if rows >= columns else q.T).reshape(shape) * self.gain
        return matrix
