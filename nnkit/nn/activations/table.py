"""The table of activations: what to call, how to draw the weights before it, and what its values can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any, Literal

from nnkit.errors import ArgumentError
from nnkit.names import lookup
from nnkit.nn.activations import distributions, gates, pieces, positive, rectifiers, shrinkage, sigmoids

Array = Any
Domain = Literal["any", "positive", "probability", "distribution", "log_distribution"]


@dataclass(frozen=True)
class Row:
    """One activation.

    ``initializer`` is the name of the one for the weights of a layer with this activation; ``domain`` tells what its
    values can be: "positive", "probability" (each from 0 to 1), "distribution" (also summing to 1 along the last axis),
    "log_distribution" (the logarithms of such), or "any".
    """

    name: str
    function: Callable[..., Array]
    initializer: str = "glorot_uniform"
    domain: Domain = "any"

    @property
    def bounds(self) -> tuple[float, float]:
        """What its values are never below, and never above."""
        return _BOUNDS.get(self.name, (-inf, inf))


def identity(x: Array) -> Array:
    """x itself.

    >>> identity(2.0)
    2.0
    """
    return x


# He's derivation is for the rectifier; the field uses it for all that look like one from afar: bounded on the left, x
# on the right. Softplus and its kin, which are positive at 0, keep Glorot's.
_HE = (
    rectifiers.relu,
    rectifiers.relu6,
    rectifiers.leaky_relu,
    rectifiers.threshold,
    rectifiers.elu,
    rectifiers.celu,
    gates.gelu,
    gates.gelu_tanh,
    gates.silu,
    gates.hard_swish,
    gates.mish,
)
_OTHERS = (
    identity,
    sigmoids.log_sigmoid,
    sigmoids.tanh,
    sigmoids.hard_tanh,
    sigmoids.softsign,
    shrinkage.soft_shrink,
    shrinkage.hard_shrink,
    shrinkage.tanh_shrink,
    gates.glu,
    pieces.maxout,
)
_ROWS = (
    *(Row(function.__name__, function, "he_normal") for function in _HE),
    *(Row(function.__name__, function) for function in _OTHERS),
    Row("selu", rectifiers.selu, "lecun_normal"),
    Row("sigmoid", sigmoids.sigmoid, domain="probability"),
    Row("hard_sigmoid", sigmoids.hard_sigmoid, domain="probability"),
    Row("softplus", positive.softplus, domain="positive"),
    Row("squareplus", positive.squareplus, domain="positive"),
    Row("exponential", positive.exponential, domain="positive"),
    Row("softmax", distributions.softmax, domain="distribution"),
    Row("sparsemax", distributions.sparsemax, domain="distribution"),
    Row("log_softmax", distributions.log_softmax, domain="log_distribution"),
)

_BOUNDS = {
    **dict.fromkeys(("relu", "threshold", "softplus", "squareplus", "exponential"), (0.0, inf)),
    **dict.fromkeys(("sigmoid", "hard_sigmoid", "softmax", "sparsemax"), (0.0, 1.0)),
    **dict.fromkeys(("tanh", "hard_tanh", "softsign"), (-1.0, 1.0)),
    **dict.fromkeys(("log_sigmoid", "log_softmax"), (-inf, 0.0)),
    **dict.fromkeys(("elu", "celu"), (-1.0, inf)),
    **dict.fromkeys(("gelu", "gelu_tanh"), (-0.1701, inf)),
    "relu6": (0.0, 6.0),
    "selu": (-1.7581, inf),
    "silu": (-0.2785, inf),
    "mish": (-0.3089, inf),
    "hard_swish": (-0.375, inf),
}

ACTIVATIONS: dict[str, Row] = {row.name: row for row in _ROWS}
"""Every activation that is a function of x alone."""

MODULES = {"prelu": "he_normal"}
"""Activations with parameters of their own, which are modules, and the initialiser of the weights before them."""

ALIASES = {
    "linear": "identity",
    "none": "identity",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "swish": "silu",
    "gelu_approximate": "gelu_tanh",
    "gelu_exact": "gelu",
    "rectifier": "relu",
    "relu_6": "relu6",
    "scaled_elu": "selu",
    "sparse_max": "sparsemax",
    "square_plus": "squareplus",
    "soft_plus": "softplus",
    "soft_sign": "softsign",
    "soft_max": "softmax",
    "log_soft_max": "log_softmax",
    "hard_silu": "hard_swish",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "hardtanh": "hard_tanh",
    "leakyrelu": "leaky_relu",
    "logsigmoid": "log_sigmoid",
    "logsoftmax": "log_softmax",
    "softshrink": "soft_shrink",
    "hardshrink": "hard_shrink",
    "tanhshrink": "tanh_shrink",
    "exp": "exponential",
}


def get(activation: str | Row | Callable[..., Array]) -> Row:
    """The row of an activation, by name or alias, or of a function.

    A function of this package keeps its row, also with parameters bound by ``functools.partial``; any other function
    gets a row with the defaults. Raises ``ArgumentError`` for unknown names and for those of modules.

    >>> get("swish").name, get(partial(rectifiers.leaky_relu, slope=0.2)).initializer
    ('silu', 'he_normal')
    """
    if isinstance(activation, Row):
        return activation
    if callable(activation):
        return _row_of(activation)
    if activation in MODULES:
        raise ArgumentError(
            f"activation '{activation}' has parameters of its own; add it as a module, not as a function"
        )
    return lookup("activation", activation, ACTIVATIONS, ALIASES)


def _row_of(function: Callable[..., Array]) -> Row:
    inner = function.func if isinstance(function, partial) else function
    for row in ACTIVATIONS.values():
        if row.function is inner:
            return replace(row, function=function)
    return Row(getattr(inner, "__name__", type(inner).__name__), function)
