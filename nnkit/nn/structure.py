"""Layers that put other layers together or only change shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnkit.errors import ArgumentError
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class Flatten(Module):
    """All axes after the first become one: (rows, a, b, …) → (rows, a·b·…).

    >>> Flatten()
    Flatten()
    """

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        return namespace(x).reshape(x, (x.shape[0], -1))

    def __repr__(self) -> str:
        return "Flatten()"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {}


class Sequential(Module):
    """Layers one after the other.

    >>> from nnkit.nn import Dense
    >>> Sequential([Dense(8, "relu"), Dense(2)])
    Sequential([Dense(8, activation='relu'), Dense(2, activation='identity')])
    """

    def __init__(self, layers: Sequence[Any]) -> None:
        for number, layer in enumerate(layers):
            if not isinstance(layer, Module):
                hint = "; give the layer itself, as in Dense(8), not its class" if isinstance(layer, type) else ""
                raise ArgumentError(f"Sequential: layers[{number}] is {layer!r}, not a layer{hint}")
        self.layers = list(layers)

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        for layer in self.layers:
            x = layer(x, run)
        return x

    def __repr__(self) -> str:
        return f"Sequential([{', '.join(map(repr, self.layers))}])"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"layers": self.layers}

    def outermost(self) -> Module:
        """That of the last layer."""
        return self.layers[-1].outermost() if self.layers else self

    def without_output_activation(self) -> Module:
        """The same layer with the identity instead."""
        if not self.layers:
            return self
        bare = object.__new__(Sequential)
        bare.layers = [*self.layers[:-1], self.layers[-1].without_output_activation()]
        return bare
