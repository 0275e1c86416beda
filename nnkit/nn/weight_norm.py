"""Length and direction of weights as parameters of their own, and what layers around a layer share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.errors import ArgumentError
from nnkit.nn.leaves import From, Parameter
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class Reparametrised(Module):
    """A layer around a layer whose ``weight`` it replaces by a function of it."""

    def __init__(self, module: Module) -> None:
        weight = getattr(module, "weight", None)
        if not isinstance(module, Module) or not isinstance(weight, Parameter) or len(weight.shape) < 2:
            raise ArgumentError(
                f"{type(self).__name__}: goes around a layer with a weight (inputs, units), such as Dense(8), "
                f"got {module!r}"
            )
        self.module = module

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        return run.replaced(self.module, x, "weight", lambda weight: self._replaced(weight, run))

    @abstractmethod
    def _replaced(self, weight: Array, run: Run) -> Array:
        """What the layer takes for its weight."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.module!r})"

    def config(self) -> dict[str, Any] | None:
        """Constructor arguments."""
        return {"module": self.module}

    def outermost(self) -> Module:
        """That of the layer."""
        return self.module.outermost()

    def without_output_activation(self) -> Module:
        """The same layer with the identity instead."""
        bare = object.__new__(type(self))
        vars(bare).update(vars(self), module=self.module.without_output_activation())
        return bare


class WeightNorm(Reparametrised):
    """A layer with the weight g · v / ‖v‖: the length of each unit's weights and their direction are trained apart.

    v (inputs, units) is the ``weight`` of the layer in it, and ‖v‖ is taken for each unit, over all axes but the last;
    g (units,) is ``length``, and starts at ‖v‖, so that the layer begins as it would without. A penalty or a constraint
    of the layer is on v. Salimans, Kingma, "Weight normalization: a simple reparameterization to accelerate training of
    deep neural networks", NeurIPS 2016.

    >>> from nnkit.nn import Dense
    >>> WeightNorm(Dense(8, "relu"))
    WeightNorm(Dense(8, activation='relu'))
    """

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        weight: Parameter = self.module.weight  # type: ignore[attr-defined]
        self.length = Parameter(weight.shape[-1:], From(_lengths, weight))

    def _replaced(self, weight: Array, run: Run) -> Array:
        xp = namespace(weight)
        axes = tuple(range(weight.ndim - 1))
        return weight * (self.length / xp.sqrt(xp.sum(xp.square(weight), axis=axes)))


def _lengths(weight: Any) -> Any:
    return np.sqrt(np.sum(np.square(weight), axis=tuple(range(weight.ndim - 1))))
