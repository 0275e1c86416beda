"""A penalty on values instead of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.nn.leaves import Penalty
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class ActivityRegularization(Module):
    """Passes on what comes in, and adds λ₁ Σ|x| + λ₂ Σ x² to the loss: summed over a row, averaged over the rows.

    It is part of every loss that is reported, of the validation and of ``test`` too; with sample weights, each row's
    share counts by its weight. Glorot, Bordes, Bengio, "Deep sparse rectifier neural networks", AISTATS 2011.

    >>> ActivityRegularization(l1=0.01)
    ActivityRegularization(l1=0.01, l2=0)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.penalty = Penalty(l1, l2)

    def __call__(self, x: Array, run: Run) -> Array:
        """x itself."""
        xp = namespace(x)
        axes = tuple(range(1, x.ndim))
        for factor, norm in ((self.penalty.l1, xp.abs), (self.penalty.l2, xp.square)):
            if factor:
                run.penalty(self, xp.sum(norm(x), axis=axes) * float(factor))
        return x

    def __repr__(self) -> str:
        return f"ActivityRegularization(l1={self.penalty.l1:g}, l2={self.penalty.l2:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"l1": self.penalty.l1, "l2": self.penalty.l2}
