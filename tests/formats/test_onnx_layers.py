"""Every layer and every activation in onnxruntime, and which of them are operators of ONNX."""

from __future__ import annotations

from functools import partial
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnkit
from nnkit import nn, ops
from nnkit.formats.onnx.exporting.wholes import WHOLES
from nnkit.nn.activations import ACTIVATIONS
from nnkit.nn.serial import LAYERS
from tests.formats.onnx_runs import agrees, close, evaluated, exported, moved, newest, operators, ran, shaken
from tests.nn.table import ROWS
from tests.training.architectures import GOALS, layers

# Tolerances are in units of the last place of 1 or of the value, whichever is larger. One function errs by a few of
# them on either side: nnkit's sigmoid by half a unit of 1, which silu multiplies by x, 16 at most here.
FEW = 24
# Products of 8 terms and what is divided by their deviation.
LAYER = 64

PARAMETERS = {
    "leaky_relu, slope": nn.Activation("leaky_relu", slope=0.3),
    "elu, alpha": nn.Activation("elu", alpha=0.5),
    "elu, whole alpha": nn.Activation("elu", alpha=2),
    "celu, alpha": nn.Activation("celu", alpha=0.7),
    "threshold, t": nn.Activation("threshold", threshold=0.3),
    "threshold, value": nn.Activation("threshold", threshold=0.3, value=-0.7),
    "soft_shrink, t": nn.Activation("soft_shrink", threshold=0.2),
    "hard_shrink, t": nn.Activation("hard_shrink", threshold=0.0),
    "hard_tanh, ends": nn.Activation("hard_tanh", low=-2.0, high=0.5),
    "hard_tanh, the wrong way round": nn.Activation("hard_tanh", low=1.0, high=-1.0),
    "maxout, pieces": nn.Activation("maxout", pieces=3),
    "squareplus, b": nn.Activation("squareplus", b=1.0),
    "softmax, axis": nn.Activation("softmax", axis=1),
    "softmax, the rows": nn.Activation("softmax", axis=0),
    "log_softmax, axis": nn.Activation("log_softmax", axis=-2),
}
ALL = {**{name: nn.Activation(name) for name in ACTIVATIONS}, "prelu": nn.PReLU(0.3), **PARAMETERS}
BENDS = [0.0, 1e-7, 1e-4, 0.2, 0.3, 0.5, 1.0, 3.0, 6.0, 16.0, 80.0, 9.0]
ENDS = [*BENDS, *(-x for x in BENDS)]


def rows(dtype: str) -> np.ndarray:
    """Where functions bend, and numbers between."""
    ends = np.asarray(ENDS).reshape(-1, 2, 6)
    return np.concatenate([ends, np.random.default_rng(0).normal(size=(40, 2, 6)) * 3]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_every_activation(name: str, dtype: str) -> None:
    net = nnkit.Network(ALL[name], (2, 6), dtype=dtype)
    x = rows(dtype)
    for opset in (13, None, newest()):
        close(ran(exported(net, opset), x), net.predict(x), FEW)


@pytest.mark.parametrize("name", ALL)
def test_onnx_evaluates_every_activation_alike(name: str) -> None:
    """A second opinion of what operators mean."""
    net = nnkit.Network(ALL[name], (2, 6), dtype="float32")
    x = rows("float32")
    close(evaluated(exported(net), x), net.predict(x), FEW)


def test_all_layers_are_in_the_table() -> None:
    assert {type(row.make()).__name__.lower() for row in ROWS.values()} == set(LAYERS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_every_layer(name: str, dtype: str) -> None:
    row = ROWS[name]
    net = shaken(nnkit.Network(row.make(), row.shape[1:], dtype=dtype, seed=1))
    model = agrees(net, LAYER)
    assert {each.name for each in model.graph.initializer} >= net._model.values().keys()
    agrees(net, LAYER, 13, (3,))
    agrees(net, LAYER, newest(), (3,))


@pytest.mark.parametrize("name", [name for name in ROWS if "more axes" not in name])
def test_onnx_evaluates_every_layer_alike(name: str) -> None:
    row = ROWS[name]
    net = shaken(nnkit.Network(row.make(), row.shape[1:], dtype="float32", seed=1))
    x = np.random.default_rng(2).normal(size=row.shape).astype("float32")
    close(evaluated(exported(net), x), net.predict(x), LAYER)


@pytest.mark.parametrize("activation", sorted({activation for activation, _, _ in GOALS}))
def test_the_output_activations_of_losses(activation: str) -> None:
    agrees(nnkit.FeedForward(inputs=5, hidden=[7], outputs=3, output_activation=activation, seed=3), FEW)


def test_after_training() -> None:
    """Running statistics and all."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(200, 6)), draw.integers(0, 3, 200)
    module = [
        *(nn.Dense(16, "gelu"), nn.BatchNorm(), nn.Dropout(0.2), nn.SpectralNorm(nn.Dense(8))),
        *(nn.PReLU(), nn.LayerNorm(), nn.Dense(3, "softmax")),
    ]
    net = nnkit.Sequential(module, input_shape=(6,), seed=2)
    net.fit(x, y, epochs=2, progress=False)
    model = agrees(net, LAYER)
    assert operators(model).count("Gemm") == 3
    assert {"Gelu", "BatchNormalization", "PRelu", "LayerNormalization", "Softmax"} <= set(operators(model))


SHAPES = st.sampled_from([(1,), (3,), (40,), (2, 3), (3, 1, 2)])
TYPES = st.sampled_from(["float32", "float64"])
VERSIONS = st.sampled_from([13, 17, 18, 20, 21, 23])


def check_random(hidden: list[nn.Module], shape: tuple[int, ...], dtype: str, opset: int) -> None:
    """To the rounding of sums of 40 terms in up to a dozen layers, where norms divide by small deviations."""
    module = [nn.Flatten(), *hidden, nn.Dense(4, "softmax")]
    net = nnkit.Sequential(module, input_shape=shape, dtype=dtype, seed=4)
    agrees(moved(net), 2000, min(opset, newest()), (1, 6))


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(layers(), SHAPES, TYPES, VERSIONS)
def test_random_networks(hidden: list[nn.Module], shape: tuple[int, ...], dtype: str, opset: int) -> None:
    check_random(hidden, shape, dtype, opset)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(layers(), SHAPES, TYPES, VERSIONS)
def test_many_random_networks(hidden: list[nn.Module], shape: tuple[int, ...], dtype: str, opset: int) -> None:
    check_random(hidden, shape, dtype, opset)


# -- what is one operator

OPERATORS = {
    "relu": ["Relu"],
    "relu6": ["Clip"],
    "leaky_relu": ["LeakyRelu"],
    "threshold": ["ThresholdedRelu"],
    "elu": ["Elu"],
    "celu": ["Celu"],
    "selu": ["Selu"],
    "gelu": ["Gelu"],
    "gelu_tanh": ["Gelu"],
    "silu": ["Sigmoid", "Mul"],
    "hard_swish": ["HardSwish"],
    "mish": ["Mish"],
    "identity": [],
    "sigmoid": ["Sigmoid"],
    "log_sigmoid": ["Neg", "Softplus", "Neg"],
    "hard_sigmoid": ["HardSigmoid"],
    "tanh": ["Tanh"],
    "hard_tanh": ["Clip"],
    "softsign": ["Softsign"],
    "softplus": ["Softplus"],
    "soft_shrink": ["Shrink"],
    "hard_shrink": ["Shrink"],
    "tanh_shrink": ["Tanh", "Sub"],
    "exponential": ["Exp"],
    "softmax": ["Softmax"],
    "log_softmax": ["LogSoftmax"],
    "glu": ["Slice", "Slice", "Sigmoid", "Mul"],
    "maxout": ["Reshape", "ReduceMax"],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_activations_are_the_operators_that_readers_expect(name: str) -> None:
    net = nnkit.Sequential([nn.Dense(6, name)], input_shape=(4,))
    assert operators(exported(net)) == ["Gemm", *OPERATORS[name]]


def of_everything(dtype: str) -> set[str]:
    """The operators of all activations and normalisations, in the newest version."""
    rest = [nn.LayerNorm(), nn.RMSNorm()]
    nets = [nnkit.Network(module, (2, 6), dtype=dtype) for module in (*ALL.values(), *rest)]
    nets.append(nnkit.Network(nn.BatchNorm(), (6,), dtype=dtype))
    return {operator for net in nets for operator in operators(exported(net, newest()))}


def test_every_operator_of_the_table_is_found() -> None:
    assert {whole.operator for whole in WHOLES} <= of_everything("float32")


def test_double_takes_only_what_runtimes_compute_in_double() -> None:
    """Attributes of operators are fractions of 32 bits, and most activations have no kernels in 64."""
    table = {whole.operator for whole in WHOLES}
    assert of_everything("float64") & table == {w.operator for w in WHOLES if "float64" in w.dtypes}


class Own(nn.Module):
    """A function as a module."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.weight = nn.Parameter(("inputs", 5))
        self.bias = nn.Parameter((5,), "ones")
        self.wide = nn.Parameter((5, "inputs"))

    def __call__(self, x: Any, run: nn.Run) -> Any:
        return self.function(ops.namespace(x), x, self.weight, self.bias, self.wide)


GEMMS = {
    "bias first": (lambda xp, x, w, b, v: b + x @ w, ["Gemm"]),
    "a transposed weight": (lambda xp, x, w, b, v: x @ v.T + b, ["Gemm"]),
    "a row": (lambda xp, x, w, b, v: x @ w + xp.reshape(b, (1, 5)), ["Reshape", "Gemm"]),
    "one number": (lambda xp, x, w, b, v: x @ w + 1.5, ["Gemm"]),
    "no bias": (lambda xp, x, w, b, v: x @ w, ["MatMul"]),
    "a difference": (lambda xp, x, w, b, v: x @ w - b, ["MatMul", "Sub"]),
    "two products": (lambda xp, x, w, b, v: x @ w + x @ v.T, ["MatMul", "Transpose", "MatMul", "Add"]),
    "a product that is read twice": (lambda xp, x, w, b, v: (z := x @ w) * (z + b), ["MatMul", "Add", "Mul"]),
    "more axes": (
        lambda xp, x, w, b, v: (xp.expand_dims(x, axis=1) @ w + b)[:, 0, :],
        ["Reshape", "MatMul", "Add", "Flatten"],
    ),
    "a transposed input": (
        lambda xp, x, w, b, v: (w.T @ x.T).T,
        ["Transpose", "Transpose", "MatMul", "Transpose"],
    ),
    "the left side transposed": (
        lambda xp, x, w, b, v: x @ (w @ (xp.permute_dims(w, (1, 0)) @ w + b)),
        ["Gemm", "MatMul", "MatMul"],
    ),
}


@pytest.mark.parametrize("name", GEMMS)
def test_products(name: str) -> None:
    function, expected = GEMMS[name]
    net = shaken(nnkit.Network(Own(function), (4,)))
    assert operators(agrees(net, LAYER)) == expected


class Applied(nn.Module):
    """A function of x alone."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, x: Any, run: nn.Run) -> Any:
        return self.function(ops.namespace(x), x)


def softmax_like(xp: Any, x: Any) -> Any:
    return xp.exp(x - xp.max(x, axis=1, keepdims=True)) / xp.sum(xp.exp(x), axis=1, keepdims=True)


# With the operators that stand in them rightly.
ALMOST: dict[str, tuple[Any, set[str]]] = {
    "an elu by two factors": (
        lambda xp, x: xp.where(x > 0, x, 0.0) + xp.expm1(xp.where(x > 0, 0.0, x)) * 0.5 * 2.0,
        set(),
    ),
    "a slope that is an array": (
        lambda xp, x: xp.where(x > 0, x, x * xp.asarray(np.full(6, 0.1, "float32"))),
        set(),
    ),
    "leaky at 1": (lambda xp, x: xp.where(x > 1, x, x * 0.1), set()),
    "leaky by another": (lambda xp, x: xp.where(x > 0, x, (x + 1.0) * 0.1), set()),
    "leaky or equal": (lambda xp, x: xp.where(x >= 0, x, x * 0.1), set()),
    "softsign with 2": (lambda xp, x: x / (abs(x) + 2.0), set()),
    "softsign of two": (lambda xp, x: x / (abs(x * 2.0) + 1.0), set()),
    "clip by arrays": (lambda xp, x: xp.clip(x, xp.zeros_like(x), xp.exp(x)), {"Relu"}),
    "relu with -0.5": (lambda xp, x: xp.maximum(x, -0.5), set()),
    "gelu with another root": (lambda xp, x: x * (ops.erf(x * 0.7) * 0.5 + 0.5), set()),
    "sigmoid of another half": (lambda xp, x: xp.tanh(x * 0.3) * 0.5 + 0.5, set()),
    "softmax that is not shifted": (lambda xp, x: xp.exp(x) / xp.sum(xp.exp(x), axis=1, keepdims=True), set()),
    "softmax over another sum": (softmax_like, set()),
    "a mean over too few": (lambda xp, x: xp.sum(x, axis=1, keepdims=True) / 5.0 + x, set()),
    "hard swish of another x": (lambda xp, x: (x + 1.0) * (xp.clip(x + 3.0, 0.0, 6.0) * (1 / 6)), {"HardSigmoid"}),
    "selu with another scale": (lambda xp, x: nn.activations.elu(x, alpha=1.6732632423543772) * 1.05, {"Elu"}),
    "sigmoid that is read inside": (lambda xp, x: (t := xp.tanh(x * 0.5)) * 0.5 + 0.5 + t, set()),
    "relu of the layer, and what it was": (lambda xp, x: ops.relu(x) + x, {"Relu"}),
    "silu of two": (lambda xp, x: (x * 2.0) * ops.sigmoid(x), {"Sigmoid"}),
    "mish of two": (lambda xp, x: (x * 2.0) * xp.tanh(ops.softplus(x)), {"Softplus"}),
    "softplus of y": (lambda xp, x: xp.logaddexp(x, x * 0.0 + 1.0), set()),
    "layer norm without eps": (
        lambda xp, x: (x - xp.mean(x, axis=-1, keepdims=True)) / xp.std(x, axis=-1, keepdims=True),
        set(),
    ),
    "nan stays": (lambda xp, x: xp.where(x > 100, nan, x), set()),
}


@pytest.mark.parametrize("name", ALMOST)
def test_what_only_looks_like_an_operator(name: str) -> None:
    function, inner = ALMOST[name]
    model = agrees(nnkit.Network(Applied(function), (6,)), LAYER)
    found = {whole.operator for whole in WHOLES} & set(operators(model))
    assert found - {"Relu"} == inner - {"Relu"}


@pytest.mark.parametrize("eps", [1e-5, 1e-3, 0.7, 2.0**-10])
def test_an_epsilon_that_32_bits_do_not_hold(eps: float) -> None:
    """The rest of it, a part in 10⁸, is added to the variance: where that is small, the result is still that of 64."""
    net = nnkit.Network(nn.BatchNorm(eps=eps), (4,), dtype="float64")
    net.set_parameters({"variance": np.full(4, 1e-9), "weight": np.full(4, 0.3)})
    model = agrees(net, FEW)
    assert operators(model) == (["BatchNormalization"] if eps == 2.0**-10 else ["Add", "BatchNormalization"])
    (given,) = (each.f for each in model.graph.node[-1].attribute if each.name == "epsilon")
    assert 0 <= eps - given < 1e-7 * eps


def test_functions_with_bound_parameters_are_operators_too() -> None:
    net = nnkit.Network(nn.Activation(partial(nn.activations.leaky_relu, slope=0.2)), (3,))
    model = agrees(net, FEW)
    assert operators(model) == ["LeakyRelu"]
    assert model.graph.node[0].attribute[0].f == np.float32(0.2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_is_one(dtype: str) -> None:
    net = nnkit.Network(Applied(lambda xp, x: x - xp.mean(x, axis=(1, 2), keepdims=True)), (2, 3), dtype=dtype)
    for opset in (13, 21):
        assert operators(agrees(net, FEW, opset)) == ["ReduceMean", "Sub"]
