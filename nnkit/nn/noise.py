"""Noise on values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.hyperparameters import check_number
from nnkit.nn.module import Module

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class GaussianNoise(Module):
    """In training, x + ``std`` · n with a normal number n of mean 0 and variance 1 for each value; else x.

    The numbers are a function of (seed, path, step, element). Bishop, "Training with noise is equivalent to Tikhonov
    regularization", Neural Computation 7, 1995.

    >>> GaussianNoise(0.1)
    GaussianNoise(0.1)
    """

    def __init__(self, std: float) -> None:
        check_number("GaussianNoise", "std", std, "[0, inf)")
        self.std = float(std)

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        return x + run.normal(self, x.shape, x.dtype) * self.std if run.training and self.std else x

    def __repr__(self) -> str:
        return f"GaussianNoise({self.std:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"std": self.std}
