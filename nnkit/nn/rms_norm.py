"""Normalisation by the root of the mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.hyperparameters import check_number
from nnkit.nn.leaves import INPUTS, Parameter
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class RMSNorm(Module):
    """x / √(mean(x²) + ε) · weight, with the mean of each row over its last axis: layer normalisation without a mean.

    Zhang, Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    >>> RMSNorm()
    RMSNorm(eps=1e-05)
    """

    def __init__(self, eps: float = 1e-5) -> None:
        check_number("RMSNorm", "eps", eps, "(0, inf)")
        self.eps = float(eps)
        self.weight = Parameter((INPUTS,), "ones")

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        xp = namespace(x)
        return x / xp.sqrt(xp.mean(xp.square(x), axis=-1, keepdims=True) + self.eps) * self.weight

    def __repr__(self) -> str:
        return f"RMSNorm(eps={self.eps:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"eps": self.eps}
