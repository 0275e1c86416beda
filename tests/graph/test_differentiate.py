"""Differentiation: conventions at kinks, shared and unused values, higher orders, mixed data types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from array_api_compat import numpy as host

from nnkit import ops
from nnkit.functional import grad, trace, value_and_grad
from nnkit.gradient_check import check_function
from nnkit.graph import Graph, Trace, differentiate, gradients, interpret
from nnkit.ops import namespace


def total(function: Callable[..., Any]) -> Callable[..., Any]:
    def summed(*arrays: Any) -> Any:
        value = function(*arrays)
        return namespace(value).sum(value)

    return summed


def slope(function: Callable[..., Any], *values: Any, argument: int = 0) -> list[float]:
    return grad(total(function), argument)(*(np.asarray(value, "float64") for value in values)).tolist()


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (ops.relu, [-1.0, 0.0, -0.0, 2.0], [0.0, 0.0, 0.0, 1.0]),
        (lambda x: abs(x), [-1.0, 0.0, 2.0], [-1.0, 0.0, 1.0]),
        (lambda x: namespace(x).sign(x), [-1.0, 0.0, 2.0], [0.0] * 3),
        (lambda x: namespace(x).floor(x) + namespace(x).round(x), [0.5, 1.0], [0.0] * 2),
        (lambda x: namespace(x).clip(x, 0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0], [0.0, 0.0, 1.0, 0.0, 0.0]),
        (lambda x: namespace(x).maximum(x, 1.0), [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),
        (lambda x: namespace(x).minimum(x, 1.0), [0.0, 1.0, 2.0], [1.0, 0.5, 0.0]),
        (lambda x: namespace(x).maximum(x, x), [3.0], [1.0]),
        (lambda x: namespace(x).max(x), [1.0, 3.0, 3.0, 2.0], [0.0, 0.5, 0.5, 0.0]),
        (lambda x: namespace(x).min(x, axis=0), [1.0, 1.0, 1.0, 2.0], [1 / 3, 1 / 3, 1 / 3, 0.0]),
        (lambda x: x**0, [0.0, 2.0], [0.0, 0.0]),
        (lambda x: x**1, [0.0, 2.0], [1.0, 1.0]),
        (lambda x: x**2, [0.0, -2.0], [0.0, -4.0]),
        (lambda x: x**3, [0.0, -2.0], [0.0, 12.0]),
        (lambda x: namespace(x).where(x > 0, x, 3.0 * x), [-1.0, 0.0, 1.0], [3.0, 3.0, 1.0]),
        (lambda x: ops.stop_gradient(x) * x, [2.0, 3.0], [2.0, 3.0]),
        (lambda x: namespace(x).astype(namespace(x).astype(x, "int64"), "float64") * x, [2.5], [2.0]),
    ],
)
def test_conventions(function: Callable[..., Any], at: list[float], expected: list[float]) -> None:
    assert slope(function, at) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_of_two_arrays_share(name: str) -> None:
    pair = [slope(lambda x, y: getattr(namespace(x), name)(x, y), [1.0], [1.0], argument=i) for i in (0, 1)]
    assert pair == [[0.5], [0.5]]


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_extrema_propagate_nan(name: str) -> None:
    x, y = np.asarray([np.nan, 1.0, 2.0]), np.asarray([0.0, np.nan, 1.0])
    graph = trace(lambda x, y: getattr(namespace(x), name)(x, y), x, y)
    assert np.isnan(interpret(graph, host, {"0": x, "1": y})["value"]).tolist() == [True, True, False]
    relu = trace(ops.relu, x)
    assert np.isnan(interpret(relu, host, {"0": x})["value"]).tolist() == [True, False, False]


def test_powers_of_zero() -> None:
    """No NaN where the function is flat: by the exponent at base 0, and by the base at exponent 0."""
    power = [slope(lambda x, y: x**y, [0.0, 0.0, 0.0, 2.0], [2.0, 1.0, 0.0, 0.0], argument=i) for i in (0, 1)]
    assert power == [[0.0, 1.0, 0.0, 0.0], pytest.approx([0.0, 0.0, 0.0, np.log(2.0)])]


def test_masks_multiply() -> None:
    """0 · ∞ is NaN: a gradient that overflowed stays visible."""
    with np.errstate(invalid="ignore"):
        assert np.isnan(slope(lambda x, g: ops.relu(x) * g, [-1.0], [np.inf])).all()


def test_shared_values_and_unused_inputs() -> None:
    def function(x, y, unused):
        shared = namespace(x).sin(x) * y
        return namespace(x).sum(shared * shared + shared)

    x, y = np.asarray([0.3, 1.2]), np.asarray(0.7)
    unused = np.ones((2, 0, 3), "float32")
    assert grad(function, 2)(x, y, unused).shape == (2, 0, 3)
    assert grad(function, 2)(x, y, np.ones(3, "float32")).dtype == np.float32
    np.testing.assert_array_equal(grad(function, 2)(x, y, np.ones((2, 3))), np.zeros((2, 3)))
    np.testing.assert_allclose(grad(function)(x, y, unused), (2 * np.sin(x) * 0.7 + 1) * np.cos(x) * 0.7)
    check_function(lambda x, y: function(x, y, y), x, y)


def test_an_output_that_is_its_input() -> None:
    assert grad(lambda x: x)(np.asarray(3.0)) == 1.0
    assert grad(lambda x, y: x, 1)(np.asarray(3.0), np.asarray(2.0)) == 0.0


def test_intermediate_values_can_be_differentiated_by() -> None:
    trace = Trace()
    x = trace.input("x", "data", (3,), "float64")
    hidden = trace.namespace.exp(x)
    loss = trace.namespace.sum(hidden * hidden * x)
    graph = trace.graph({"h": gradients(loss, [hidden])[0], "both": gradients(loss, [x, hidden])[1]})
    outputs = interpret(graph, host, {"x": np.asarray([0.0, 1.0, 2.0])})
    expected = 2 * np.exp([0.0, 1.0, 2.0]) * [0.0, 1.0, 2.0]
    np.testing.assert_allclose(outputs["h"], expected)
    np.testing.assert_array_equal(outputs["h"], outputs["both"])


def test_gradients_have_the_type_of_what_they_are_taken_by() -> None:
    trace = Trace()
    narrow = trace.input("narrow", "data", (2, 3), "float32")
    wide = trace.input("wide", "data", (3, 2), "float64")
    half = trace.input("half", "data", (2, 1), "float16")
    xp = trace.namespace
    loss = xp.sum((narrow * half) @ wide) + xp.sum(xp.concat([narrow, xp.astype(wide.T, "float64")]))
    slopes = gradients(loss, [narrow, wide, half])
    assert [s.dtype for s in slopes] == ["float32", "float64", "float16"]
    assert [s.shape for s in slopes] == [(2, 3), (3, 2), (2, 1)]


# Functions of one array whose second derivatives go through the rows that shape, gather and join.
SECOND = {
    "matmul": lambda x: namespace(x).tanh(x @ namespace(x).exp(x.mT)) @ x,
    "softmax": lambda x: ops.softmax(x * x),
    "log softmax": lambda x: ops.log_softmax(x, axis=0) ** 3,
    "logsumexp": lambda x: ops.logsumexp(x, axis=0) * ops.logsumexp(x),
    "take": lambda x: namespace(x).take(x, namespace(x).asarray([2, 0, 2]), axis=0) ** 3,
    "scatter": lambda x: ops.scatter_add(x, namespace(x).asarray([1, 1, 3]), (5, 3)) ** 3,
    "slice": lambda x: x[1:, ::2] ** 3 * x[0, 1],
    "steps backwards": lambda x: x[::-2, ::-1] ** 3 + x[:-2:-1, None, 0],
    "flip": lambda x: namespace(x).flip(x, axis=0) * x**2,
    "concat": lambda x: namespace(x).concat([x**2, namespace(x).sin(x)], axis=1) ** 2,
    "max": lambda x: namespace(x).max(x, axis=1) ** 3 * namespace(x).min(x),
    "where": lambda x: namespace(x).where(x > 0, x**3, namespace(x).exp(x)),
    "broadcast": lambda x: (x[:, None, :] * x[None, ...]) ** 2,
    "variance": lambda x: namespace(x).var(x, axis=0) * namespace(x).std(x),
    "erf": lambda x: x * ops.erf(x) + ops.sigmoid(x) * ops.softplus(x),
    "prefix": lambda x: namespace(x).cumulative_sum(x, axis=0) ** 3,
}


@pytest.mark.parametrize("function", SECOND.values(), ids=SECOND)
def test_second_order(function: Callable[..., Any]) -> None:
    check_function(function, np.asarray([[0.31, -0.82, 1.13], [-1.41, 0.54, 0.23], [0.92, -0.27, -0.63]]))


def test_third_order() -> None:
    check_function(lambda x: ops.sigmoid(x) * namespace(x).exp(-x * x), np.asarray([0.3, -0.7]), order=3, rtol=1e-5)


def test_a_differentiated_graph_is_differentiated_again() -> None:
    graph = trace(lambda x: x**4, np.asarray(1.0))
    for order in (1, 2, 3):
        source = "value" if order == 1 else "grad:" * (order - 1) + "0"
        graph = differentiate(graph, source, ["0"])
        assert graph.outputs[-1][0] == "grad:" * order + "0"
    outputs = {name: float(value) for name, value in interpret(graph, host, {"0": np.asarray(2.0)}).items()}
    assert outputs == {"value": 16.0, "grad:0": 32.0, "grad:grad:0": 48.0, "grad:grad:grad:0": 48.0}


def test_a_differentiated_graph_keeps_its_inputs_and_outputs() -> None:
    recorded = Trace()
    w = recorded.input("w", "state", (2,), "float64")
    rate = recorded.input("rate", "setting", (), "float64")
    loss = recorded.namespace.sum(w * w)
    graph = recorded.graph({"loss": loss, "w": w - rate * w})
    after = differentiate(graph, "loss", ["w"])
    assert list(after.inputs) == ["w", "rate"]
    assert [after.nodes[i].options["role"] for i in after.inputs.values()] == ["state", "setting"]
    assert [name for name, _ in after.outputs] == ["loss", "w", "grad:w"]


def test_only_what_lies_between_is_differentiated() -> None:
    def function(x, y):
        xp = namespace(x)
        return xp.sum(xp.tanh(xp.exp(y) @ xp.cos(y)) * x)

    graph = differentiate(trace(function, np.ones((2, 2)), np.ones((2, 2))), "value", ["0"])
    backward = [node.operation for node in graph.nodes if node.origin.phase == "backward"]
    assert not {"matmul", "square", "sin", "exp"} & set(backward)


def test_a_training_step_by_hand() -> None:
    """A two-layer network: the gradients of the textbook."""
    draw = np.random.default_rng(3)
    w, v, x, y = (draw.normal(size=shape) for shape in ((4, 5), (5, 2), (7, 4), (7, 2)))

    def loss(parameters, x, y):
        xp = namespace(x)
        return xp.mean(xp.square(xp.tanh(x @ parameters["w"]) @ parameters["v"] - y))

    value, slopes = value_and_grad(loss)({"w": w, "v": v}, x, y)
    h = np.tanh(x @ w)
    error = 2 * (h @ v - y) / y.size
    assert float(value) == pytest.approx(((h @ v - y) ** 2).mean())
    np.testing.assert_allclose(slopes["v"], h.T @ error)
    np.testing.assert_allclose(slopes["w"], x.T @ ((error @ v.T) * (1 - h**2)))


def test_a_wide_sum_of_many_terms() -> None:
    recorded = Trace()
    x = recorded.input("x", "data", (), "float64")
    terms = [x * float(i) for i in range(2000)]
    joined = recorded.namespace.sum(recorded.namespace.stack(terms))
    graph: Graph = recorded.graph({"slope": gradients(joined, [x])[0]})
    assert interpret(graph, host, {"x": np.asarray(1.0)})["slope"] == sum(range(2000))
