"""Dropout, and its kin for self-normalising networks and with normal noise."""

from __future__ import annotations

from abc import abstractmethod
from math import sqrt
from typing import TYPE_CHECKING, Any

from nnkit.errors import ArgumentError
from nnkit.nn.activations.rectifiers import SELU_ALPHA, SELU_SCALE
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class _Dropping(Module):
    """A layer that acts in training alone, with a rate; without one it passes on what comes in."""

    def __init__(self, rate: float) -> None:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ArgumentError(
                f"{type(self).__name__}: rate is the share of values that are dropped, at least 0 and below 1, "
                f"got {rate!r}"
            )
        self.rate = float(rate)

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        return self._changed(x, run) if run.training and self.rate else x

    @abstractmethod
    def _changed(self, x: Array, run: Run) -> Array:
        """The output in training."""

    def _kept(self, x: Array, run: Run) -> Array:
        """True with probability 1 − rate for each element."""
        return run.random_bits(self, x.shape) < round((1 - self.rate) * 2**32)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.rate:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"rate": self.rate}


class Dropout(_Dropping):
    """In training, each value is set to 0 with probability ``rate`` and the others divided by 1 − rate; else nothing.

    The mask is a function of (seed, path, step, element): the same on every device, and unchanged when another layer is
    added. Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", JMLR 15, 2014.

    >>> Dropout(0.2)
    Dropout(0.2)
    """

    def _changed(self, x: Array, run: Run) -> Array:
        return x * namespace(x).astype(self._kept(x, run), x.dtype) * (1 / (1 - self.rate))


class AlphaDropout(_Dropping):
    """In training, each value becomes −λα with probability ``rate`` p, and all are scaled and moved: a · x + b.

    −λα = −1.7581 is what ``selu`` goes to on the left, a = ((1 − p) (1 + p (λα)²))^(−1/2) and b = a p λα: values of
    mean 0 and variance 1 keep them, which is what ``selu`` needs. The mask is that of :class:`Dropout`. Klambauer,
    Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", NeurIPS 2017.

    >>> AlphaDropout(0.1)
    AlphaDropout(0.1)
    """

    def _changed(self, x: Array, run: Run) -> Array:
        lowest = SELU_SCALE * SELU_ALPHA
        scale = 1 / sqrt((1 - self.rate) * (1 + self.rate * lowest**2))
        kept = namespace(x).astype(self._kept(x, run), x.dtype)
        return ((x + lowest) * kept) * scale + (scale * self.rate - scale) * lowest


class GaussianDropout(_Dropping):
    """In training, each value is multiplied by a normal number of mean 1 and variance p / (1 − p), p = ``rate``.

    Mean and variance of the factor are those of :class:`Dropout`. The numbers are a function of (seed, path, step,
    element). Srivastava and others, "Dropout", JMLR 15, 2014, section 10.

    >>> GaussianDropout(0.2)
    GaussianDropout(0.2)
    """

    def _changed(self, x: Array, run: Run) -> Array:
        return x * (run.normal(self, x.shape, x.dtype) * sqrt(self.rate / (1 - self.rate)) + 1.0)
