"""Dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.errors import ArgumentError
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class Dropout(Module):
    """In training, each value is set to 0 with probability ``rate`` and the others divided by 1 − rate; else nothing.

    The mask is a function of (seed, path, step, element): the same on every device, and unchanged when another layer is
    added. Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", JMLR 15, 2014.

    >>> Dropout(0.2)
    Dropout(0.2)
    """

    def __init__(self, rate: float) -> None:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ArgumentError(
                f"Dropout: rate is the share of values that are dropped, at least 0 and below 1, got {rate!r}"
            )
        self.rate = float(rate)

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        if not run.training or self.rate == 0:
            return x
        xp = namespace(x)
        kept = run.random_bits(self, x.shape) < round((1 - self.rate) * 2**32)
        return x * xp.astype(kept, x.dtype) * (1 / (1 - self.rate))

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"rate": self.rate}
