"""Activations as layers: a function by name with its parameters, and the one that has a trained parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnkit.errors import ArgumentError, TraceError
from nnkit.names import lookup
from nnkit.nn.activations import ACTIVATIONS, ALIASES
from nnkit.nn.leaves import Parameter
from nnkit.nn.module import Module
from nnkit.ops import namespace

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any


class Activation(Module):
    """An activation function as a layer, by name or as a function of one array; further arguments are its parameters.

    >>> Activation("leaky_relu", slope=0.2)
    Activation('leaky_relu', slope=0.2)
    """

    def __init__(self, function: str | Callable[..., Array], **parameters: float) -> None:
        if callable(function):
            self.name, self.function = getattr(function, "__name__", "custom"), function
            self.named = False
        else:
            row = lookup("activation", function, ACTIVATIONS, ALIASES)
            self.name, self.function = row.name, row.function
            self.named = True
        self.parameters = dict(parameters)
        self._check_parameters()

    def _check_parameters(self) -> None:
        import inspect

        accepted = list(inspect.signature(self.function).parameters)[1:]
        for name in self.parameters:
            if name not in accepted:
                known = f"it has {', '.join(accepted)}" if accepted else "it has none"
                raise ArgumentError(f"activation '{self.name}' has no parameter '{name}'; {known}")

    def __call__(self, x: Array, run: Run) -> Array:
        """The function of x."""
        try:
            return self.function(x, **self.parameters)
        except TypeError as error:
            if "__array_ufunc__" not in str(error):
                raise
            raise TraceError(
                f"activation '{self.name}' calls NumPy on a traced array; write it with xp = nnkit.ops.namespace(x), "
                f"or take nnkit's own by name: activation='{self.name}'"
            ) from None

    def __repr__(self) -> str:
        options = "".join(f", {name}={value}" for name, value in self.parameters.items())
        return f"Activation('{self.name}'{options})"

    def config(self) -> dict[str, Any] | None:
        """Constructor arguments."""
        return {"function": self.name, **self.parameters} if self.named else None

    def output_activation(self) -> str:
        """Name of the activation that can be taken off."""
        return "identity" if self.parameters else self.name

    def without_output_activation(self) -> Module:
        """The same layer with the identity instead."""
        return self if self.parameters else Activation("identity")


class PReLU(Module):
    """max(x, 0) + a · min(x, 0) with a trained slope a for each feature.

    He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015.

    >>> PReLU(initial=0.1)
    PReLU(initial=0.1)
    """

    def __init__(self, initial: float = 0.25) -> None:
        from nnkit.initializers import Constant

        self.initial = initial
        self.slope = Parameter(("inputs",), initializer=Constant(initial))

    def __call__(self, x: Array, run: Run) -> Array:
        """The output for x, whose first axis is the batch."""
        xp = namespace(x)
        return xp.clip(x, 0.0, None) + self.slope * xp.clip(x, None, 0.0)

    def __repr__(self) -> str:
        return f"PReLU(initial={self.initial})"

    def config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"initial": self.initial}


def as_activation(activation: str | Callable[..., Array] | Module, argument: str = "activation") -> Module:
    """A layer from a name, a function or a layer."""
    if isinstance(activation, Module):
        return activation
    if activation is None:
        raise ArgumentError(f"{argument} is None; for none write 'identity'")
    if isinstance(activation, str) and activation.strip().lower() in ("prelu", "p_relu", "parametric_relu"):
        return PReLU()
    return Activation(activation)


def default_initializer(activation: Module) -> str:
    """He normal for the relu family, LeCun normal for selu, Glorot uniform otherwise."""
    if isinstance(activation, PReLU):
        return "he_normal"
    row = ACTIVATIONS.get(activation.name) if isinstance(activation, Activation) else None
    return "glorot_uniform" if row is None else row.initializer
