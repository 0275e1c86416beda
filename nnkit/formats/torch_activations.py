"""Activations as modules of ``torch.nn``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from nnkit.nn import Activation, Module
from nnkit.nn.activations import ACTIVATIONS

PLAIN = {
    "relu": "ReLU()",
    "relu6": "ReLU6()",
    "selu": "SELU()",
    "gelu": "GELU()",
    "gelu_tanh": 'GELU(approximate="tanh")',
    "silu": "SiLU()",
    "hard_swish": "Hardswish()",
    "mish": "Mish()",
    "glu": "GLU(dim=-1)",
    "sigmoid": "Sigmoid()",
    "log_sigmoid": "LogSigmoid()",
    "hard_sigmoid": "Hardsigmoid()",
    "tanh": "Tanh()",
    "tanh_shrink": "Tanhshrink()",
    "softsign": "Softsign()",
    "softplus": "Softplus(threshold=40)",  # beyond it PyTorch takes x itself: at its default, 20, float64 shows that
    "softmax": "Softmax(dim=-1)",
    "log_softmax": "LogSoftmax(dim=-1)",
    "identity": "Identity()",
}
"""Those without parameters."""


def _threshold(threshold: float = 1.0, value: float = 0.0) -> str:
    return f"Threshold({_number(threshold)}, {_number(value)})"


def _hard_tanh(low: float = -1.0, high: float = 1.0) -> str | None:
    return f"Hardtanh({_number(low)}, {_number(high)})" if low < high else None


def _soft_shrink(threshold: float = 0.5) -> str | None:
    return f"Softshrink({_number(threshold)})" if threshold >= 0 else None


WITH_PARAMETERS: dict[str, Callable[..., str | None]] = {
    "leaky_relu": lambda slope=0.01: f"LeakyReLU({_number(slope)})",
    "elu": lambda alpha=1.0: f"ELU({_number(alpha)})",
    "celu": lambda alpha=1.0: f"CELU({_number(alpha)})",
    "hard_shrink": lambda threshold=0.5: f"Hardshrink({_number(threshold)})",
    "threshold": _threshold,
    "hard_tanh": _hard_tanh,
    "soft_shrink": _soft_shrink,
}
"""Those with parameters, by their names in nnkit; None for values that the module does not take."""

WITHOUT = ("squareplus", "exponential", "sparsemax", "maxout")
"""Those that ``torch.nn`` has no module for."""


def code_of(activation: Activation) -> str | None:
    """The module as Python code; None if there is none.

    >>> code_of(Activation("leaky_relu", slope=0.2)), code_of(Activation("sparsemax"))
    ('nn.LeakyReLU(0.2)', None)
    """
    found = _named(activation)
    if found is None:
        return None
    name, parameters = found
    made = WITH_PARAMETERS[name](**parameters) if name in WITH_PARAMETERS else PLAIN.get(name)
    return None if made is None else f"nn.{made}"


def is_identity(activation: Module) -> bool:
    """Whether it gives what it gets."""
    return isinstance(activation, Activation) and _named(activation) == ("identity", {})


def _named(activation: Activation) -> tuple[str, dict[str, Any]] | None:
    """Name and parameters; those of a function of nnkit's too, which is an activation without a name."""
    if activation.named:
        return activation.name, activation.parameters
    function: Any = activation.function
    bound: dict[str, Any] = {}
    if isinstance(function, partial) and not function.args:
        function, bound = function.func, function.keywords
    name = next((row.name for row in ACTIVATIONS.values() if row.function is function), None)
    return None if name is None else (name, {**bound, **activation.parameters})


def _number(value: Any) -> str:
    """A number as code."""
    number = float(value)
    return repr(number) if math.isfinite(number) else f'float("{number}")'
