"""Normalisation over the batch and over the features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.errors import ArgumentError
from nnkit.nn.leaves import INPUTS, Parameter, State
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


def _check_positive(layer: str, name: str, value: object, below: float = float("inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= below:
        raise ArgumentError(
            f"{layer}: {name} must be a number above 0"
            + (f" and at most {below:g}" if below == 1 else "")
            + f", got {value!r}"
        )
    return float(value)


class BatchNorm(Module):
    """(x − mean) / √(variance + ε) · weight + bias, with mean and variance of each feature (last axis) over the batch.

    Outside training the running values are used: old + momentum · (new − old), where the running variance takes the
    unbiased one. Ioffe, Szegedy, "Batch normalization", ICML 2015.

    >>> BatchNorm()
    BatchNorm(momentum=0.1, eps=1e-05)
    """

    def __init__(self, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.momentum = _check_positive("BatchNorm", "momentum", momentum, below=1)
        self.eps = _check_positive("BatchNorm", "eps", eps)
        self.weight = Parameter((INPUTS,), "ones")
        self.bias = Parameter((INPUTS,), "zeros")
        self.mean = State((INPUTS,), 0.0)
        self.variance = State((INPUTS,), 1.0)

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        xp = namespace(x)
        mean: Array = self.mean
        variance: Array = self.variance
        if run.training:
            axes = tuple(range(x.ndim - 1))
            count = x.size // x.shape[-1]
            mean = xp.mean(x, axis=axes)
            variance = xp.mean(xp.square(x - mean), axis=axes)
            run.update(
                self,
                mean=self.mean + (mean - self.mean) * self.momentum,
                variance=self.variance + (variance * (count / max(count - 1, 1)) - self.variance) * self.momentum,
            )
        return (x - mean) * (self.weight / xp.sqrt(variance + self.eps)) + self.bias

    def __repr__(self) -> str:
        return f"BatchNorm(momentum={self.momentum:g}, eps={self.eps:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"momentum": self.momentum, "eps": self.eps}


class LayerNorm(Module):
    """(x − mean) / √(variance + ε) · weight + bias, with mean and variance of each row over its last axis.

    Ba, Kiros, Hinton, "Layer normalization", 2016.

    >>> LayerNorm()
    LayerNorm(eps=1e-05)
    """

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = _check_positive("LayerNorm", "eps", eps)
        self.weight = Parameter((INPUTS,), "ones")
        self.bias = Parameter((INPUTS,), "zeros")

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        xp = namespace(x)
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        variance = xp.mean(xp.square(centred), axis=-1, keepdims=True)
        return centred / xp.sqrt(variance + self.eps) * self.weight + self.bias

    def __repr__(self) -> str:
        return f"LayerNorm(eps={self.eps:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"eps": self.eps}
