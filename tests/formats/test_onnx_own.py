"""Modules of one's own as ONNX: every function of the namespace, and any number of rows or a reason why not."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn, ops
from nnkit.errors import ArgumentError
from nnkit.graph import gradients
from nnkit.graph.dtypes import KNOWN
from nnkit.graph.namespace import Namespace
from tests.formats.onnx_runs import agrees, close, evaluated, exported, operators, ran, shaken
from tests.formats.test_onnx_layers import Applied
from tests.training.test_own_module import Branches

FEW = 64


def each(call: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """``call`` with each of these functions of the namespace."""
    return {name: partial(lambda name, xp, x: call(getattr(xp, name), xp, x), name) for name in names}


# Of x, (rows, 6) and between −0.9 and 0.9 or so; what comes out has the rows in front.
FUNCTIONS: dict[str, Any] = {
    **each(lambda f, xp, x: f(x), (
        "abs", "asin", "acos", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "erf", "exp", "expm1", "flip", "floor",
        "negative", "positive", "round", "sign", "sin", "sinh", "square", "stop_gradient", "tan", "tanh", "trunc",
        "isfinite", "isinf", "isnan",
    )),
    **each(lambda f, xp, x: f(abs(x) + 1.5), ("acosh", "log", "log10", "log1p", "log2", "reciprocal", "sqrt")),
    **each(lambda f, xp, x: f(x, x[:, ::-1] + 2.0), (
        "add", "atan2", "divide", "equal", "floor_divide", "greater", "greater_equal", "hypot", "less", "less_equal",
        "logaddexp", "maximum", "minimum", "multiply", "not_equal", "remainder", "subtract",
    )),
    **each(lambda f, xp, x: f(x > 0, x < 0.5), ("logical_and", "logical_or", "logical_xor")),
    **each(lambda f, xp, x: f(xp.astype(x * 9.0, "int32"), 3), (
        "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    )),
    **each(lambda f, xp, x: x + f(x, axis=1, keepdims=True), ("max", "mean", "min", "std", "sum", "var")),
    "all": lambda xp, x: xp.all(x > -0.5, axis=1),
    "any": lambda xp, x: xp.any(x > 0.7, axis=1, keepdims=True),
    "arange": lambda xp, x: x * xp.arange(6, dtype=x.dtype) + xp.reshape(xp.arange(x.shape[0], dtype=x.dtype), (-1, 1)),
    "argmax": lambda xp, x: xp.argmax(x, axis=1),
    "argmin": lambda xp, x: xp.argmin(x, axis=-1, keepdims=True),
    "argsort": lambda xp, x: xp.argsort(x, axis=1, descending=True),
    "asarray": lambda xp, x: x + xp.asarray(np.arange(6.0), dtype=x.dtype) * xp.asarray(2.0, dtype=x.dtype),
    "astype": lambda xp, x: xp.astype(xp.astype(x * 9.0, "int8"), "float64"),
    "bitwise_invert": lambda xp, x: ~xp.astype(x * 9.0, "int32"),
    "broadcast_arrays": lambda xp, x: xp.broadcast_arrays(x, xp.ones((1, 6), dtype=x.dtype))[1] + x,
    "broadcast_shapes": lambda xp, x: xp.ones(xp.broadcast_shapes(x.shape, (1, 6)), dtype=x.dtype) + x,
    "broadcast_to": lambda xp, x: xp.broadcast_to(x[:, :1], x.shape),
    "clip": lambda xp, x: xp.clip(x, -0.2, 0.4),
    "concat": lambda xp, x: xp.concat([x, -x], axis=1),
    "cumulative_sum": lambda xp, x: xp.cumulative_sum(x, axis=1, include_initial=True),
    "empty": lambda xp, x: x + xp.empty((6,), dtype=x.dtype),
    "empty_like": lambda xp, x: x + xp.empty_like(x),
    "expand_dims": lambda xp, x: xp.expand_dims(x, axis=-1),
    "eye": lambda xp, x: x @ xp.eye(6, 4, k=1, dtype=x.dtype),
    "finfo": lambda xp, x: x + xp.finfo(x.dtype).eps,
    "full": lambda xp, x: xp.full((x.shape[0], 2), 3.5, dtype=x.dtype),
    "full_like": lambda xp, x: xp.full_like(x, 0.25) * x,
    "getitem": lambda xp, x: xp.getitem(x, (slice(None), slice(4, 0, -2))),
    "iinfo": lambda xp, x: x * float(xp.iinfo("int8").max),
    "isdtype": lambda xp, x: x * float(xp.isdtype(x.dtype, "real floating")),
    "logical_not": lambda xp, x: xp.logical_not(x > 0),
    "matmul": lambda xp, x: xp.matmul(x, xp.asarray(np.ones((6, 3)), dtype=x.dtype)),
    "matrix_transpose": lambda xp, x: xp.matrix_transpose(xp.reshape(x, (-1, 2, 3))),
    "moveaxis": lambda xp, x: xp.moveaxis(xp.reshape(x, (-1, 1, 2, 3)), -1, 1),
    "ones": lambda xp, x: xp.ones((x.shape[0],), dtype=x.dtype),
    "ones_like": lambda xp, x: x - xp.ones_like(x),
    "permute_dims": lambda xp, x: xp.permute_dims(xp.reshape(x, (-1, 3, 2)), (0, 2, 1)),
    "place": lambda xp, x: xp.place(x, (x.shape[0], 13), (0, 1), (1, 2)),
    "pow": lambda xp, x: xp.pow(abs(x) + 0.1, 1.7) + x**3 + 2.0**x,
    "repeat": lambda xp, x: xp.repeat(x, 3, axis=1),
    "reshape": lambda xp, x: xp.reshape(xp.reshape(x, (-1,)), (x.shape[0], 3, 2)),
    "result_type": lambda xp, x: xp.astype(x > 0, xp.result_type(x, "float32")),
    "roll": lambda xp, x: xp.roll(x, 2, axis=1),
    "scatter_add": lambda xp, x: xp.scatter_add(x, xp.asarray([0, 2, 2, 1, 0, 3]), (x.shape[0], 4), 1),
    "sort": lambda xp, x: xp.sort(x, axis=1),
    "squeeze": lambda xp, x: xp.squeeze(x[:, :1], axis=1),
    "stack": lambda xp, x: xp.stack([x, x * 2.0], axis=-1),
    "take": lambda xp, x: xp.take(x, xp.asarray([3, -1, 3, 0]), axis=1),
    "take_along_axis": lambda xp, x: xp.take_along_axis(x, xp.argsort(-x, axis=1), axis=1),
    "tensordot": lambda xp, x: xp.tensordot(xp.reshape(x, (-1, 2, 3)), xp.asarray(np.ones((3, 2, 4)), dtype=x.dtype),
                                            axes=((1, 2), (1, 0))),
    "tril": lambda xp, x: xp.tril(xp.reshape(x, (-1, 2, 3)), k=1),
    "triu": lambda xp, x: xp.triu(xp.reshape(x, (-1, 2, 3))),
    "unstack": lambda xp, x: xp.unstack(x, axis=1)[4],
    "vecdot": lambda xp, x: xp.vecdot(x, x * 2.0),
    "where": lambda xp, x: xp.where(x > 0.1, x, -1.0),
    "zeros": lambda xp, x: x + xp.zeros((x.shape[0], 1), dtype=x.dtype),
    "zeros_like": lambda xp, x: xp.maximum(xp.zeros_like(x), x),
}  # fmt: skip
OF_OPS: dict[str, Any] = {
    "erf": lambda x: ops.erf(x),
    "log_sigmoid": lambda x: ops.log_sigmoid(x * 5.0),
    "log_softmax": lambda x: ops.log_softmax(x, axis=1),
    "logsumexp": lambda x: ops.logsumexp(x * 9.0),
    "namespace": lambda x: ops.namespace(x).exp(x),
    "one_hot": lambda x: ops.one_hot(ops.namespace(x).argmax(x, axis=1), 6, x.dtype),
    "random_bits": lambda x: x + ops.random_uniform(_bits(x, (x.shape[0], 6)), x.dtype),
    "random_normal": lambda x: x + ops.random_normal(_bits(x, (6,)), _bits(x, (6,), 2), x.dtype),
    "random_uniform": lambda x: x + ops.random_uniform(_bits(x, (1, 6)), x.dtype),
    "relu": lambda x: ops.relu(x),
    "scatter_add": lambda x: ops.scatter_add(x, ops.namespace(x).asarray([1, 1, 0, 1, 2, 0]), (x.shape[0], 3), axis=1),
    "sigmoid": lambda x: ops.sigmoid(x),
    "softmax": lambda x: ops.softmax(ops.namespace(x).reshape(x, (-1, 2, 3)), axis=1),
    "softplus": lambda x: ops.softplus(x),
    "stop_gradient": lambda x: ops.stop_gradient(x) * 2.0,
}


def _bits(x: Any, shape: tuple[int, ...], stream: int = 1) -> Any:
    """From a seed that is a constant: the same for every prediction."""
    words = [ops.namespace(x).asarray(word, dtype="uint32") for word in (7, 8, 9)]
    return ops.random_bits(words[:2], words[2], (0, stream), shape)


def check(function: Any, dtype: str, opset: int | None = None, batches: tuple[int, ...] = (1, 2, 7)) -> None:
    net = nnkit.Network(Applied(function), (6,), dtype=dtype)
    model = exported(net, opset)
    draw = np.random.default_rng(0)
    for rows in batches:
        x = (np.tanh(draw.normal(size=(rows, 6))) * 0.9).astype(dtype)
        close(ran(model, x), np.asarray(net.predict(x)), FEW)


def test_every_function_of_the_namespace_is_here() -> None:
    constants = {"e", "inf", "nan", "newaxis", "pi"}
    assert {name for name in dir(Namespace) if name[0] != "_"} - KNOWN - constants == FUNCTIONS.keys()
    assert set(ops.__all__) == OF_OPS.keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_namespace(name: str, dtype: str) -> None:
    check(FUNCTIONS[name], dtype, batches=(1, 7) if dtype == "float32" else (7,))


@pytest.mark.parametrize("name", OF_OPS)
def test_every_function_of_ops(name: str) -> None:
    check(lambda xp, x: OF_OPS[name](x), "float32", batches=(1, 7))


@pytest.mark.parametrize("name", [name for name in OF_OPS if "random" not in name])
def test_every_function_of_ops_in_double(name: str) -> None:
    check(lambda xp, x: OF_OPS[name](x), "float64", batches=(7,))


def test_a_module_with_branches_lists_and_dictionaries() -> None:
    net = shaken(nnkit.Network(Branches(), (5,), dtype="float64"))
    model = agrees(net, FEW)
    names = {each.name for each in model.graph.initializer}
    assert {"shared", "slope", "level", "norm.variance", "heads.mean.weight", "heads.gate.0.bias"} <= names
    assert "seen" not in names  # training alone reads it
    x = np.random.default_rng(0).normal(size=(4, 5))
    close(evaluated(model, x), net.predict(x), FEW)


class Residual(nn.Module):
    """Attention over the columns of a row, in two heads that share their weights, and what came in added."""

    def __init__(self) -> None:
        self.key = nn.Dense(8, bias=False)
        self.query = nn.Dense(8)
        self.norm = nn.LayerNorm()

    def __call__(self, x: Any, run: nn.Run) -> Any:
        xp = ops.namespace(x)
        rows, places, _ = x.shape
        split = (rows, places, 2, 4)
        key, query = (
            xp.permute_dims(xp.reshape(layer(x, run), split), (0, 2, 1, 3)) for layer in (self.key, self.query)
        )
        weights = ops.softmax(query @ key.mT * 0.5)
        mixed = xp.reshape(xp.permute_dims(weights @ key, (0, 2, 1, 3)), (rows, places, 8))
        return self.norm(mixed + x, run)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_attention(dtype: str) -> None:
    net = nnkit.Network(Residual(), (5, 8), dtype=dtype, seed=1)
    model = agrees(net, FEW)
    assert {"Softmax", "MatMul", "Transpose"} <= set(operators(model))


class Potential(nn.Module):
    """Forces: what comes out is the derivative of an energy by what comes in."""

    def __init__(self) -> None:
        self.energy = nn.Sequential([nn.Dense(8, "softplus"), nn.Dense(8, "tanh"), nn.Dense(1)])

    def __call__(self, x: Any, run: nn.Run) -> Any:
        total = ops.namespace(x).sum(self.energy(x, run))
        return -gradients(total, [x])[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivatives_in_a_prediction(dtype: str) -> None:
    agrees(nnkit.Network(Potential(), (3,), dtype=dtype, seed=1), FEW)


def test_one_layer_in_two_places_is_one_initialiser() -> None:
    shared = nn.Dense(4, "tanh")
    model = agrees(nnkit.Sequential([shared, shared, nn.Dense(2)], input_shape=(4,)), FEW)
    assert sorted(each.name for each in model.graph.initializer) == [
        *("layers.0.bias", "layers.0.weight", "layers.2.bias", "layers.2.weight"),
    ]


# -- rows

MIXED: dict[str, Any] = {
    "a mean over the rows": lambda xp, x: x - xp.mean(x, axis=0),
    "their number": lambda xp, x: x * float(x.shape[0]) + 2 * x.shape[0],
    "half of it": lambda xp, x: x * (x.shape[0] * 0.5) - x.shape[0],
    "flat and back": lambda xp, x: xp.reshape(xp.flip(xp.reshape(x, (3 * x.shape[0], 2)), axis=1), x.shape),
    "all with all": lambda xp, x: ops.softmax(x @ x.T) @ x,
    "all with all, flat": lambda xp, x: xp.sum(
        xp.reshape(xp.broadcast_to(xp.expand_dims(x, axis=0), (2, *x.shape)), (2, x.shape[0], 6)), axis=0
    ),
    "a range": lambda xp, x: x + xp.expand_dims(xp.astype(xp.arange(2, 2 + 3 * x.shape[0], 3), x.dtype), axis=1),
    "a triangle": lambda xp, x: xp.tril(x @ x.T) @ x,
    "the order of a column": lambda xp, x: xp.take(x, xp.argsort(x[:, 0]), axis=0),
    "backwards": lambda xp, x: xp.flip(x, axis=0),
    "the first against all": lambda xp, x: x - x[:1],
    "nothing of it": lambda xp, x: xp.zeros((x.shape[0], 3), dtype=x.dtype),
    "no columns": lambda xp, x: xp.concat([x[:, 3:3], x], axis=1),
    "nothing at all": lambda xp, x: x[:, 6:],
    "empty, in another shape": lambda xp, x: xp.reshape(x[:, 6:], (x.shape[0], 2, 0)),
    "sums along rows": lambda xp, x: xp.cumulative_sum(x, axis=0),
    "a transposed copy": lambda xp, x: (x.T * 2.0).T,
}  # fmt: skip


@pytest.mark.parametrize("opset", [13, 21])
@pytest.mark.parametrize("name", MIXED)
def test_what_depends_on_the_number_of_rows(name: str, opset: int) -> None:
    """Against a network that is traced for so many rows; ``predict`` fills up a last, smaller batch."""
    check(MIXED[name], "float32", opset, (1, 2, 7, 300))


REFUSED: dict[str, tuple[Any, str]] = {
    "another function for few": (
        lambda xp, x: xp.exp(x) if x.shape[0] < 3 else xp.sin(x),
        r"computes something else for 1 rows than for 1009; an ONNX file holds one graph for any number of rows: let",
    ),
    "more steps for many": (
        lambda xp, x: x + 1.0 if x.shape[0] < 1200 else x + 1.0 - 2.0,
        "computes something else for 1514 rows than for 1009",
    ),
    "a number that is not in proportion": (
        lambda xp, x: x * (1 / x.shape[0]),
        r"'constant' has 0\.00099\d+ for 1009 rows and 0\.0006\d+ for 1514; an ONNX file is for any number of rows",
    ),
    "every second row": (lambda xp, x: xp.repeat(x[::2], 2, axis=0)[: x.shape[0]], "'slice' has .* for 1009 rows"),
    "an array of that length": (
        lambda xp, x: x + xp.asarray(np.arange(x.shape[0], dtype="float32")[:, None]),
        r"'constant' has an array of shape \(1009, 1\) for 1009 rows and .*: compute with x.shape, and make arrays of",
    ),
    "a remainder": (lambda xp, x: x * (x.shape[0] % 2 + 1.0), "computes something else for 2027 rows than for 1009"),
    "more than a thousand": (
        lambda xp, x: x * float(x.shape[0] > 1100),
        "computes something else for 2027 rows than for",
    ),
    "one row alone": (lambda xp, x: x if x.shape[0] > 1 else x * 2.0, "computes something else for 1 rows than"),
    "other axes for many": (
        lambda xp, x: xp.sum(xp.reshape(x, (*x.shape, 1) if x.shape[0] < 1200 else (*x.shape, 1, 1)), axis=2),
        "computes something else for 1514 rows than for 1009",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_file_can_hold_is_refused_with_its_place(name: str, tmp_path: Any) -> None:
    function, message = REFUSED[name]
    net = nnkit.Sequential([nn.Dense(6), Applied(function)], input_shape=(6,), seed=1)
    with pytest.raises(ArgumentError, match=rf"^export: layer 'layers\.1' \(at \w+\.py:\d+\):? {message}"):
        net.export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda xp, x: xp.ones((2, 3), dtype=x.dtype) + xp.sum(x), r"\(2, 3\)"),
        (lambda xp, x: x @ x.T, r"\(1009, 1009\)"),
    ],
)
def test_outputs_that_are_not_one_row_for_each(function: Any, shape: str, tmp_path: Any) -> None:
    """At two rows, of which a network is made, they look as if they were."""
    net = nnkit.Network(Applied(function), (6,))
    with pytest.raises(
        ArgumentError, match=rf"the network makes {shape} of 1009 rows; an ONNX file needs an output with"
    ):
        net.export(tmp_path / "net.onnx")


def test_penalties_leave_nothing_in_the_file() -> None:
    """Not even what depends on the number of rows as no file could hold it."""

    class Penalised(nn.Module):
        def __call__(self, x: Any, run: nn.Run) -> Any:
            run.penalty(self, ops.namespace(x).sum(x, axis=1) * (1 / x.shape[0] ** 2))
            return x * 2.0

    assert operators(agrees(nnkit.Network(Penalised(), (3,)), 0)) == ["Mul"]


def test_a_long_chain() -> None:
    def chain(xp: Any, x: Any) -> Any:
        for i in range(400):
            x = x * 1.5 if i % 2 else x * (2 / 3)
        return x

    check(chain, "float64", batches=(2,))
