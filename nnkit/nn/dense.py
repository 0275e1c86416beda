"""The fully connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnkit.constraints import Constraint
from nnkit.errors import ArgumentError
from nnkit.nn.activation import Activation, as_activation, default_initializer
from nnkit.nn.leaves import INPUTS, Parameter, Penalty
from nnkit.nn.module import Module

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any
WIDEST = 10_000_000


def check_units(units: object, argument: str) -> int:
    """A whole number of neurons that can be meant."""
    if isinstance(units, bool) or not hasattr(units, "__index__"):
        raise ArgumentError(f"{argument} must be a whole number of neurons, got {units!r}")
    number = int(units.__index__())
    if not 1 <= number <= WIDEST:
        raise ArgumentError(f"{argument} must be between 1 and {WIDEST:,} neurons, got {number}")
    return number


class Dense(Module):
    """activation(x · weight + bias): every output depends on every input.

    x has shape (…, inputs); weight (inputs, units), bias (units,), the output (…, units). The weights are drawn as
    their activation asks for (He normal for the relu family, LeCun normal for selu, Glorot uniform otherwise); biases
    start at 0. Penalties λ₁ Σ|w| + λ₂ Σ w² are on the weight; constraints, by name or as objects of
    ``nnkit.constraints``, hold after every update.

    >>> Dense(48, activation="tanh", constraint="max_norm")
    Dense(48, activation='tanh')
    """

    def __init__(
        self,
        units: int,
        activation: Any = "identity",
        bias: bool = True,
        initializer: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        constraint: str | Constraint | None = None,
        bias_constraint: str | Constraint | None = None,
    ) -> None:
        self.units = check_units(units, "Dense: units")
        if isinstance(activation, int):
            raise ArgumentError(
                f"Dense: activation is the number {activation!r}; write Dense({activation!r}), with the outputs alone: "
                "the inputs follow from what it is called with"
            )
        self.activation = as_activation(activation)
        self.initializer = initializer
        self.penalty = Penalty(l1, l2) if l1 or l2 else None
        if bias_constraint is not None and not bias:
            raise ArgumentError(f"Dense: bias_constraint is {bias_constraint!r}, but with bias=False there is no bias")
        first = default_initializer(self.activation) if initializer is None else initializer
        self.weight = Parameter((INPUTS, self.units), first, self.penalty, constraint)
        self.bias = Parameter((self.units,), "zeros", constraint=bias_constraint) if bias else None

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        z = x @ self.weight
        return self.activation(z if self.bias is None else z + self.bias, run)

    def __repr__(self) -> str:
        activation = self.activation
        if isinstance(activation, Activation) and not activation.parameters:
            return f"Dense({self.units}, activation={activation.name!r})"
        return f"Dense({self.units}, activation={activation!r})"

    def _constraints(self) -> dict[str, Any]:
        """Those that there are, by the names of their arguments."""
        bias = None if self.bias is None else self.bias.constraint
        found = {"constraint": self.weight.constraint, "bias_constraint": bias}
        return {name: constraint for name, constraint in found.items() if constraint is not None}

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        penalty = self.penalty or Penalty()
        return {
            "units": self.units,
            "activation": self.activation,
            "bias": self.bias is not None,
            "initializer": self.initializer,
            "l1": penalty.l1,
            "l2": penalty.l2,
            **self._constraints(),
        }

    def outermost(self) -> Module:
        """That of the activation."""
        return self.activation.outermost()

    def without_output_activation(self) -> Module:
        """The same layer with the identity instead."""
        bare = object.__new__(Dense)
        vars(bare).update(vars(self), activation=self.activation.without_output_activation())
        return bare
