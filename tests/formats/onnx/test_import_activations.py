"""Activations as one operator and as exporters write them out, beside onnxruntime; and what only looks like one."""

from __future__ import annotations

from math import pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnkit.errors import FileError
from nnkit.formats.onnx.import_activations import Found, found, scales_in, tried_at
from nnkit.nn.activations import ACTIVATIONS
from tests.formats.onnx.graphs import layers, loaded, model, node, same_as_runtime, weights

Case = tuple[str, list[Any], dict[str, Any]]
"""The activation, the nodes from "a" to "y", and their constants."""


def one(name: str, kind: str, inputs: str = "a", **attributes: Any) -> Case:
    return name, [node(kind, inputs, "y", **attributes)], {"low": -0.5, "high": 2.0, "zero": 0.0, "six": 6.0}


OPERATORS: dict[str, Case] = {
    "Relu": one("'relu'", "Relu"),
    "Sigmoid": one("'sigmoid'", "Sigmoid"),
    "Tanh": one("'tanh'", "Tanh"),
    "Elu": one("'elu'", "Elu"),
    "Elu, alpha": one("Activation('elu', alpha=0.7)", "Elu", alpha=0.7),
    "Celu": one("Activation('celu', alpha=2.0)", "Celu", alpha=2.0),
    "Selu": one("'selu'", "Selu"),
    "LeakyRelu": one("'leaky_relu'", "LeakyRelu"),
    "LeakyRelu, alpha": one("Activation('leaky_relu', slope=0.2)", "LeakyRelu", alpha=0.2),
    "ThresholdedRelu": one("'threshold'", "ThresholdedRelu"),
    "ThresholdedRelu, alpha": one("Activation('threshold', threshold=0.4, value=0.0)", "ThresholdedRelu", alpha=0.4),
    "Softplus": one("'softplus'", "Softplus"),
    "Softsign": one("'softsign'", "Softsign"),
    "HardSigmoid": one("'hard_sigmoid'", "HardSigmoid", alpha=1 / 6, beta=0.5),
    "HardSigmoid of Keras 2": one("Activation('hard_tanh', low=0.0, high=1.0)", "HardSigmoid"),
    "HardSwish": one("'hard_swish'", "HardSwish"),
    "Gelu": one("'gelu'", "Gelu"),
    "Gelu, tanh": one("'gelu_tanh'", "Gelu", approximate="tanh"),
    "Mish": one("'mish'", "Mish"),
    "Exp": one("'exponential'", "Exp"),
    "Softmax": one("'softmax'", "Softmax"),
    "Softmax, axis 1": one("'softmax'", "Softmax", axis=1),
    "LogSoftmax": one("'log_softmax'", "LogSoftmax"),
    "Clip to 6": one("'relu6'", "Clip", "a zero six"),
    "Clip": one("Activation('hard_tanh', low=-0.5, high=2.0)", "Clip", "a low high"),
    "Clip from below": one("'relu'", "Clip", "a zero"),
    "Clip from elsewhere": one("Activation('threshold', threshold=-0.5, value=-0.5)", "Clip", "a low _"),
    "Shrink, soft": one("'soft_shrink'", "Shrink", bias=0.5),
    "Shrink, hard": one("Activation('hard_shrink', threshold=0.3)", "Shrink", lambd=0.3),
    "Max": one("'relu'", "Max", "zero a"),
}

n = node
SPELLINGS: dict[str, Case] = {
    "silu": ("'silu'", [n("Sigmoid", "a", "s"), n("Mul", "a s", "y")], {}),
    "silu in the other order": ("'silu'", [n("Sigmoid", "a", "s"), n("Mul", "s a", "y")], {}),
    "quick gelu": ("'silu'", [n("Mul", "a c", "m"), n("Sigmoid", "m", "s"), n("Mul", "a s", "y")], {"c": 1.702}),
    "mish": ("'mish'", [n("Softplus", "a", "p"), n("Tanh", "p", "t"), n("Mul", "a t", "y")], {}),
    "mish by hand": (
        "'mish'",
        [n("Exp", "a", "e"), n("Add", "e c", "p"), n("Log", "p", "l"), n("Tanh", "l", "t"), n("Mul", "t a", "y")],
        {"c": 1.0},
    ),
    "hard swish": ("'hard_swish'", [n("HardSigmoid", "a", "h", alpha=1 / 6), n("Mul", "a h", "y")], {}),
    "hard swish by hand": (
        "'hard_swish'",
        [n("Add", "a c", "p"), n("Clip", "p z s", "q"), n("Mul", "a q", "m"), n("Div", "m s", "y")],
        {"c": 3.0, "z": 0.0, "s": 6.0},
    ),
    "hard sigmoid": (
        "'hard_sigmoid'",
        [n("Add", "a c", "p"), n("Relu", "p", "r"), n("Min", "r s", "q"), n("Div", "q s", "y")],
        {"c": 3.0, "s": 6.0},
    ),
    "gelu of PyTorch before opset 20": (
        "'gelu'",
        [n("Div", "a c", "d"), n("Erf", "d", "e"), n("Add", "e o", "p"), n("Mul", "a p", "m"), n("Mul", "m h", "y")],
        {"c": sqrt(2), "o": 1.0, "h": 0.5},
    ),
    "gelu of TensorFlow": (
        "'gelu'",
        [n("Mul", "h a", "g"), n("Mul", "a c", "d"), n("Erf", "d", "e"), n("Add", "o e", "p"), n("Mul", "g p", "y")],
        {"c": sqrt(0.5), "o": 1.0, "h": 0.5},
    ),
    "gelu with tanh": (
        "'gelu_tanh'",
        [
            n("Pow", "a three", "p"),
            n("Mul", "p c", "q"),
            n("Add", "a q", "s"),
            n("Mul", "s d", "t"),
            n("Tanh", "t", "u"),
            n("Add", "u o", "v"),
            n("Mul", "a v", "r"),
            n("Mul", "r h", "y"),
        ],
        {"three": 3.0, "c": 0.044715, "d": sqrt(2 / pi), "o": 1.0, "h": 0.5},
    ),
    "sigmoid by tanh": (
        "'sigmoid'",
        [n("Mul", "a h", "m"), n("Tanh", "m", "t"), n("Mul", "t h", "u"), n("Add", "u h", "y")],
        {"h": 0.5},
    ),
    "sigmoid by hand": (
        "'sigmoid'",
        [n("Neg", "a", "m"), n("Exp", "m", "e"), n("Add", "e o", "p"), n("Reciprocal", "p", "y")],
        {"o": 1.0},
    ),
    "log sigmoid by softplus": ("'log_sigmoid'", [n("Neg", "a", "m"), n("Softplus", "m", "s"), n("Neg", "s", "y")], {}),
    "softplus by hand": ("'softplus'", [n("Exp", "a", "e"), n("Add", "e o", "p"), n("Log", "p", "y")], {"o": 1.0}),
    "softplus of PyTorch": (
        "'softplus'",
        [n("Softplus", "a", "s"), n("Greater", "a t", "g"), n("Where", "g a s", "y")],
        {"t": 20.0},
    ),
    "a bound from above": ("Activation('threshold', threshold=-2.0, value=-2.0)", [n("Min", "a t", "y")], {"t": 2.0}),
    "softplus with beta": (
        "'softplus'",
        [n("Mul", "a b", "m"), n("Softplus", "m", "s"), n("Div", "s b", "y")],
        {"b": 2.0},
    ),
    "softsign": ("'softsign'", [n("Abs", "a", "b"), n("Add", "b o", "c"), n("Div", "a c", "y")], {"o": 1.0}),
    "tanh shrink": ("'tanh_shrink'", [n("Tanh", "a", "t"), n("Sub", "a t", "y")], {}),
    "leaky relu": ("Activation('leaky_relu', slope=0.1)", [n("Mul", "a c", "m"), n("Max", "a m", "y")], {"c": 0.1}),
    "leaky relu by relus": (
        "Activation('leaky_relu', slope=0.3)",
        [n("Relu", "a", "r"), n("Neg", "a", "m"), n("Relu", "m", "s"), n("Mul", "s c", "t"), n("Sub", "r t", "y")],
        {"c": 0.3},
    ),
    "elu by hand": (
        "Activation('elu', alpha=0.5)",
        [
            n("Exp", "a", "e"),
            n("Sub", "e o", "m"),
            n("Mul", "m c", "q"),
            n("Greater", "a z", "g"),
            n("Where", "g a q", "y"),
        ],
        {"o": 1.0, "c": 0.5, "z": 0.0},
    ),
    "selu with its own numbers": ("Activation('elu', alpha=1.5)", [n("Selu", "a", "y", alpha=1.5, gamma=1.2)], {}),
    "squareplus": (
        "Activation('squareplus', b=2.0)",
        [n("Pow", "a t", "p"), n("Add", "p b", "q"), n("Sqrt", "q", "r"), n("Add", "a r", "s"), n("Div", "s t", "y")],
        {"t": 2.0, "b": 2.0},
    ),
    "threshold of PyTorch": (
        "Activation('threshold', threshold=0.1, value=-3.0)",
        [n("LessOrEqual", "a t", "g"), n("Where", "g v a", "y")],
        {"t": 0.1, "v": -3.0},
    ),
    "hard shrink of PyTorch": (
        "'hard_shrink'",
        [
            n("Greater", "a t", "g"),
            n("Less", "a u", "l"),
            n("Cast", "g", "h", to=9),
            n("Cast", "l", "m", to=9),
            n("Or", "h m", "o"),
            n("Where", "o a z", "y"),
        ],
        {"t": 0.5, "u": -0.5, "z": 0.0},
    ),
    "hard shrink by a product": (
        "'hard_shrink'",
        [n("Abs", "a", "b"), n("Greater", "b t", "g"), n("Cast", "g", "c", to=1), n("Mul", "a c", "y")],
        {"t": 0.5},
    ),
    "soft shrink of PyTorch": (
        "Activation('soft_shrink', threshold=0.3)",
        [
            n("Abs", "a", "b"),
            n("Greater", "b t", "g"),
            n("Sign", "a", "s"),
            n("Mul", "s t", "m"),
            n("Sub", "a m", "d"),
            n("Mul", "a z", "e"),
            n("Where", "g d e", "y"),
        ],
        {"t": 0.3, "z": 0.0},
    ),
    "in arrays that are the same all over": (
        "'silu'",
        [n("Mul", "a c", "b"), n("Sigmoid", "b", "s"), n("Mul", "b s", "y")],
        {"c": np.ones((1, 4), np.float32)},
    ),
}


@pytest.mark.parametrize(("name", "nodes", "constants"), OPERATORS.values(), ids=OPERATORS)
def test_an_operator(name: str, nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    made = model([node("Gemm", "x W B", "a"), *nodes], {"W": weights(3, 4), "B": weights(4), **constants})
    assert layers(same_as_runtime(made, tmp_path, counts=(1, 200))) == f"Dense(4, activation={name})"


@pytest.mark.parametrize(("name", "nodes", "constants"), SPELLINGS.values(), ids=SPELLINGS)
def test_what_exporters_write_out(name: str, nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    """In a network, between two linear layers, which take up what is multiplied into x and into the result."""
    values = {"W": weights(3, 4), "B": weights(4), "V": weights(4, 2), **constants}
    made = model([node("Gemm", "x W B", "a"), *nodes, node("MatMul", "y V", "Y")], values, outputs=("Y",))
    network = same_as_runtime(made, tmp_path, counts=(1, 200))
    assert layers(network) == f"Dense(4, activation={name}), Dense(2, activation='identity')"


def test_the_logarithm_of_the_sigmoid(tmp_path: Path) -> None:
    """Beside its formula in float64: in float32 onnxruntime loses digits far below zero, where the sigmoid is small."""
    network = loaded(model([node("Sigmoid", "x", "s"), node("Log", "s", "y")]), tmp_path)
    assert layers(network) == "Activation('log_sigmoid')"
    x = np.linspace(-50, 50, 300).reshape(100, 3)
    np.testing.assert_allclose(network.predict(x), -np.logaddexp(0, -x), rtol=1e-5, atol=1e-30)


@pytest.mark.parametrize("opset", [22, 24])
def test_swish(opset: int, tmp_path: Path) -> None:
    """The operator is of opset 24, which onnxruntime may not have: beside its formula."""
    if opset == 24:
        nodes = [node("Swish", "x", "y", alpha=2.0)]
    else:
        nodes = [node("Mul", "x c", "m"), node("Sigmoid", "m", "s"), node("Mul", "x s", "y")]
    network = loaded(model(nodes, {"c": 2.0}, opset=opset), tmp_path)
    x = np.linspace(-4, 4, 12).reshape(4, 3).astype(np.float32)
    np.testing.assert_allclose(network.predict(x), x / (1 + np.exp(-2 * x)), rtol=1e-5, atol=1e-6)


ALMOST: dict[str, Case] = {
    "a reciprocal": ("Reciprocal", [n("Reciprocal", "a", "y")], {}),
    "a constant": ("Clip", [n("Clip", "a t t", "y")], {"t": 1.0}),
    "with its reciprocal": ("Add", [n("Reciprocal", "a", "r"), n("Add", "a r", "y")], {}),
    "twice": ("Add", [n("Add", "a a", "y")], {}),
    "a sine": ("Sin", [n("Pow", "a t", "y")], {"t": 3.0}),
    "a square": ("Pow", [n("Pow", "a t", "y")], {"t": 2.0}),
    "gelu with a wrong constant": (
        "node 'mul_y'",
        [n("Div", "a c", "d"), n("Erf", "d", "e"), n("Add", "e o", "p"), n("Mul", "a p", "y")],
        {"c": 1.43, "o": 1.0},
    ),
    "softplus that is cut at 5": (
        "Where",
        [n("Softplus", "a", "s"), n("Greater", "a t", "g"), n("Where", "g a s", "y")],
        {"t": 5.0},
    ),
    "relu with a dent": (
        "Where",
        [n("Relu", "a", "r"), n("Greater", "a t", "g"), n("Where", "g z r", "y")],
        {"t": 1e6, "z": 0.0},
    ),
    "leaky relu that is bounded": (
        "Sub",
        [n("Neg", "a", "m"), n("Relu", "m", "r"), n("Mul", "r c", "s"), n("Clip", "a z t", "p"), n("Sub", "p s", "y")],
        {"c": 0.1, "z": 0.0, "t": 6.0},
    ),
}


@pytest.mark.parametrize(("name", "nodes", "constants"), ALMOST.values(), ids=ALMOST)
def test_what_is_no_activation(name: str, nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    del name
    made = model([node("Gemm", "x W B", "a"), *nodes], {"W": weights(3, 4), "B": weights(4), **constants})
    with pytest.raises(FileError, match=r"net\.onnx has node .*none of nnkit's activations or layers"):
        loaded(made, tmp_path)


@pytest.mark.parametrize("limit", [1e5, 1e8, 1e12])
def test_a_bound_far_out_is_seen(limit: float, tmp_path: Path) -> None:
    network = loaded(model([node("Clip", "x low high", "y")], {"low": -limit, "high": limit}), tmp_path)
    assert layers(network) == f"Activation('hard_tanh', low=-{limit}, high={limit})"


@pytest.mark.parametrize(
    "name", sorted(set(ACTIVATIONS) - {"identity", "softmax", "log_softmax", "sparsemax", "glu", "maxout"})
)
def test_every_activation_is_taken_for_itself(name: str) -> None:
    """Except celu(1), which is elu(1)."""
    function = ACTIVATIONS[name].function
    scales = scales_in([])
    with np.errstate(over="ignore"):
        values = function(tried_at(scales).ravel()).reshape(tried_at(scales).shape)
    expected = Found("elu" if name == "celu" else name, {})
    assert found(values, function, scales, []) == expected


@pytest.mark.parametrize(("inner", "outer"), [(2.0, 1.0), (1.0, -3.0), (0.25, 4.0), (-1.0, 1.0)])
@pytest.mark.parametrize("name", ["gelu", "softplus", "tanh", "mish", "log_sigmoid"])
def test_scales_are_found(name: str, inner: float, outer: float) -> None:
    function = ACTIVATIONS[name].function
    scales = scales_in([inner, outer])

    def scaled(x: Any) -> Any:
        return outer * function(inner * x)

    at = tried_at(scales)
    result = found(scaled(at), scaled, scales, sorted([inner, outer]))
    assert result is not None
    x = np.linspace(-5, 5, 101)
    again = result.outer * ACTIVATIONS[result.name].function(result.inner * x, **result.parameters)
    np.testing.assert_allclose(again, scaled(x), rtol=1e-12, atol=1e-12)
