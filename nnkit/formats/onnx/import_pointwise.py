"""ONNX's operators that act on each number by itself, computed with NumPy: what a chain of them is, is found by trying.

Each takes the node's attributes and its inputs. Where nnkit has the function, it is nnkit's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from nnkit import ops
from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_tensors import FLOATS, INTEGERS
from nnkit.nn import activations

Attributes = Mapping[str, Any]
_TYPES = {**dict.fromkeys(INTEGERS, "int64"), **dict.fromkeys(FLOATS, "float64"), 9: "bool"}
SELU = (1.67326319217681884765625, 1.05070102214813232421875)
"""α and γ of Selu as the format gives them."""


def _clip(attributes: Attributes, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    """Bounds are inputs since version 11; those of float32 itself bound nothing."""
    largest = float(np.finfo(np.float32).max)
    low = attributes.get("min") if low is None else low
    high = attributes.get("max") if high is None else high
    x = x if low is None or np.all(low <= -largest) else np.maximum(x, low)
    return x if high is None or np.all(high >= largest) else np.minimum(x, high)


def _selu(attributes: Attributes, x: Array) -> Array:
    alpha, gamma = attributes.get("alpha", SELU[0]), attributes.get("gamma", SELU[1])
    return np.asarray(activations.elu(x, alpha) * gamma)


def _gelu(attributes: Attributes, x: Array) -> Array:
    return np.asarray((activations.gelu_tanh if attributes.get("approximate") == "tanh" else activations.gelu)(x))


def _hard_sigmoid(attributes: Attributes, x: Array) -> Array:
    return np.asarray(np.clip(attributes.get("alpha", 0.2) * x + attributes.get("beta", 0.5), 0.0, 1.0))


def _cast(attributes: Attributes, x: Array) -> Array:
    """All floating-point numbers have 64 bits here, and all whole numbers too."""
    if attributes.get("to") not in _TYPES:
        raise ValueError(f"it casts to the data type {attributes.get('to')}")
    return x.astype(_TYPES[attributes["to"]])


def _shrink(attributes: Attributes, x: Array) -> Array:
    limit, bias = attributes.get("lambd", 0.5), attributes.get("bias", 0.0)
    return np.where(x > limit, x - bias, np.where(x < -limit, x + bias, 0.0))


def _sigmoid(x: Array) -> Array:
    """With all its digits far below 0, for the logarithms that are taken of it."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _quotient(attributes: Attributes, x: Array, y: Array) -> Array:
    return x // y if x.dtype.kind in "iu" and y.dtype.kind in "iu" else np.asarray(x / y)


def _plain(function: Callable[..., Any]) -> Callable[..., Array]:
    return lambda attributes, *inputs: np.asarray(function(*inputs))


def _folded(function: Callable[..., Any]) -> Callable[..., Array]:
    """An operator of any number of inputs."""
    return lambda attributes, *inputs: np.asarray(reduce(function, inputs))


POINTWISE: dict[str, Callable[..., Array]] = {
    "Abs": _plain(np.abs),
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Cast": _cast,
    "Celu": lambda attributes, x: np.asarray(activations.celu(x, attributes.get("alpha", 1.0))),
    "Clip": _clip,
    "Div": _quotient,
    "Elu": lambda attributes, x: np.asarray(activations.elu(x, attributes.get("alpha", 1.0))),
    "Equal": _plain(np.equal),
    "Erf": _plain(ops.erf),
    "Exp": _plain(np.exp),
    "Gelu": _gelu,
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(activations.hard_swish),
    "LeakyRelu": lambda attributes, x: np.where(x >= 0, x, x * attributes.get("alpha", 0.01)),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Log": _plain(np.log),
    "Max": _folded(np.maximum),
    "Mean": lambda attributes, *inputs: np.asarray(reduce(np.add, inputs) / len(inputs)),
    "Min": _folded(np.minimum),
    "Mish": _plain(activations.mish),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "PRelu": lambda attributes, x, slope: np.where(x >= 0, x, x * slope),
    "Pow": _plain(np.power),
    "Reciprocal": lambda attributes, x: np.asarray(1.0 / x),
    "Relu": lambda attributes, x: np.maximum(x, 0.0),
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": _plain(_sigmoid),
    "Sign": _plain(np.sign),
    "Softplus": _plain(ops.softplus),
    "Softsign": _plain(activations.softsign),
    "Sqrt": _plain(np.sqrt),
    "Sub": _plain(np.subtract),
    "Sum": _folded(np.add),
    "Swish": lambda attributes, x: x * _sigmoid(x * attributes.get("alpha", 1.0)),
    "Tanh": _plain(np.tanh),
    "ThresholdedRelu": lambda attributes, x: np.where(x > attributes.get("alpha", 1.0), x, 0.0),
    "Where": _plain(np.where),
}

LINEAR = frozenset(("Add", "Sub", "Mul", "Div", "Neg"))
"""Those that with one constant operand are a · x + b."""
