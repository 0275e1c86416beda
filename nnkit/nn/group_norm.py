"""Normalisation over groups of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.errors import ShapeError
from nnkit.hyperparameters import check_count, check_number
from nnkit.nn.leaves import INPUTS, Parameter
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class GroupNorm(Module):
    """(x − mean) / √(variance + ε) · weight + bias, with mean and variance of each row over each group of features.

    The features, which stand in the last axis, are divided into ``groups`` runs of neighbours; axes between the first
    and the last belong to the row. With one group and two axes it is layer normalisation. Wu, He, "Group
    normalization", ECCV 2018.

    >>> GroupNorm(4)
    GroupNorm(4, eps=1e-05)
    """

    def __init__(self, groups: int, eps: float = 1e-5) -> None:
        check_count("GroupNorm", "groups", groups, at_least=1)
        check_number("GroupNorm", "eps", eps, "(0, inf)")
        self.groups, self.eps = int(groups), float(eps)
        self.weight = Parameter((INPUTS,), "ones")
        self.bias = Parameter((INPUTS,), "zeros")

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        xp = namespace(x)
        features = x.shape[-1]
        if features % self.groups:
            raise ShapeError(
                f"{run.place(self)} divides the features into {self.groups} equal groups, and there are {features}; "
                f"give the layer before it a multiple of {self.groups} units"
            )
        between = (-1,) if x.ndim > 2 else ()
        grouped = xp.reshape(x, (x.shape[0], *between, self.groups, features // self.groups))
        axes = (1, 3) if between else 2
        centred = grouped - xp.mean(grouped, axis=axes, keepdims=True)
        variance = xp.mean(xp.square(centred), axis=axes, keepdims=True)
        return xp.reshape(centred / xp.sqrt(variance + self.eps), x.shape) * self.weight + self.bias

    def __repr__(self) -> str:
        return f"GroupNorm({self.groups}, eps={self.eps:g})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"groups": self.groups, "eps": self.eps}
