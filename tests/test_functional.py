# ruff: noqa: E501  # a table of errors: one row, one line
"""trace, grad and value_and_grad on plain functions."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from array_api_compat import array_namespace

from nnkit import ops
from nnkit.errors import ArgumentError, TraceError
from nnkit.functional import dtype_name, grad, trace, value_and_grad
from nnkit.graph import TracedArray
from nnkit.ops import namespace
from tests.libraries import Library

ONE = np.ones(2)


def loss(parameters: Any, x: Any) -> Any:
    xp = namespace(x)
    hidden = x
    for layer in parameters["layers"]:
        hidden = xp.tanh(hidden @ layer["weight"] + layer["bias"])
    return xp.mean(xp.square(hidden)) * parameters["scale"][0]


def nested(array: Any) -> dict[str, Any]:
    draw = np.random.default_rng(5)
    sizes = (3, 4, 2)
    layers = [
        {"weight": array(draw.normal(size=pair)), "bias": array(draw.normal(size=pair[1]))} for pair in pairwise(sizes)
    ]
    return {"layers": layers, "scale": (array(np.asarray(1.5)),)}


def test_the_gradient_has_the_structure_of_its_argument(library: Library) -> None:
    x = np.random.default_rng(6).normal(size=(5, 3))
    value, slopes = value_and_grad(loss)(nested(library.array), library.array(x))
    expected_value, expected = value_and_grad(loss)(nested(library.narrow), library.narrow(x))
    rounding = 1e-5 if library.single else 1e-12
    assert float(library.numpy(value)) == pytest.approx(float(expected_value), rel=rounding)
    assert slopes.keys() == {"layers", "scale"}
    assert isinstance(slopes["scale"], tuple)
    pairs = [(slopes["scale"][0], expected["scale"][0])]
    for got, wanted in zip(slopes["layers"], expected["layers"], strict=True):
        assert got.keys() == {"weight", "bias"}
        pairs += [(got[name], wanted[name]) for name in got]
    for got, wanted in pairs:
        np.testing.assert_allclose(library.numpy(got), wanted, rtol=rounding, atol=rounding)
        assert array_namespace(got) is library.xp


def test_any_argument_can_be_chosen() -> None:
    x, y = np.asarray([1.0, 2.0]), np.asarray([3.0, 5.0])
    function = lambda x, y: x @ (y * y)  # noqa: E731
    assert grad(function)(x, y).tolist() == [9.0, 25.0]
    assert grad(function, argument=1)(x, y).tolist() == [6.0, 20.0]


def test_gradients_of_gradients() -> None:
    x = np.asarray([0.5, -1.5])
    inner = lambda x: namespace(x).sum(x**3)  # noqa: E731
    assert grad(lambda x: namespace(x).sum(grad(inner)(x)))(x).tolist() == (6 * x).tolist()
    third = grad(lambda x: namespace(x).sum(grad(lambda x: namespace(x).sum(grad(inner)(x)))(x)))
    assert third(x).tolist() == [6.0, 6.0]


def test_an_inner_gradient_may_mix_outer_values_and_inner_structure() -> None:
    """A step of gradient descent inside the function, differentiated through."""

    def after_one_step(rate: Any, w: Any) -> Any:
        slopes = grad(lambda p: p["w"] @ p["w"])({"w": w})
        moved = w - rate * slopes["w"]
        return moved @ moved

    w = np.asarray([1.0, 2.0])
    assert float(grad(after_one_step)(np.asarray(0.25), w)) == pytest.approx(-4 * 5 * 0.5)


def test_constants_enter_through_asarray() -> None:
    table = np.asarray([[1.0, 2.0], [3.0, 4.0]])
    assert grad(lambda x: namespace(x).sum(namespace(x).asarray(table) @ x))(np.ones(2)).tolist() == [4.0, 6.0]


def test_integers_and_bools_may_be_arguments_that_are_not_differentiated() -> None:
    labels, mask = np.asarray([1, 0]), np.asarray([True, False])

    def picked(x: Any, labels: Any, mask: Any) -> Any:
        xp = namespace(x)
        chosen = ops.one_hot(labels, 2, x.dtype) * x
        return xp.sum(xp.where(xp.expand_dims(mask, axis=1), chosen, 0.0))

    assert grad(picked)(np.ones((2, 2)), labels, mask).tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_trace_names_inputs_and_outputs() -> None:
    graph = trace(lambda x, p: {"sum": p["b"] + x[0], "pair": (x[1], p["b"])}, [ONE, ONE], {"b": ONE})
    assert list(graph.inputs) == ["0.0", "0.1", "1.b"]
    assert [name for name, _ in graph.outputs] == ["sum", "pair.0", "pair.1"]
    assert [name for name, _ in trace(lambda x: x, np.ones(2)).outputs] == ["value"]


def test_dtype_names(library: Library) -> None:
    for dtype in ("float32", "int32", "bool", "uint8"):
        assert dtype_name(library.array(np.ones(2, dtype))) == dtype


class Point(NamedTuple):
    x: Any
    y: Any


def test_named_tuples_stay_named() -> None:
    slopes = grad(lambda p: p.x * p.y * p.y)(Point(np.asarray(2.0), np.asarray(3.0)))
    assert slopes == Point(9.0, 12.0)
    assert isinstance(slopes, Point)


REFUSED = [
    (lambda: grad(lambda x: x)(ONE), ArgumentError, "a gradient needs an output of one number, got shape (2,)"),
    (lambda: grad(lambda x: 3.0)(ONE), ArgumentError, "the function must return one array computed from its arguments, got float"),
    (lambda: grad(lambda x: (x, x))(ONE), ArgumentError, "the function must return one array computed from its arguments, got tuple"),
    (lambda: grad(lambda x: x, 1)(ONE), ArgumentError, "argument=1, but the function was called with 1 positional arguments"),
    (lambda: grad(lambda x: x, -1)(ONE), ArgumentError, "argument=-1, but the function was called with 1 positional"),
    (lambda: grad(lambda: 1.0)(), ArgumentError, "argument=0, but the function was called with 0 positional"),
    (
        lambda: grad(lambda p: p["w"])({"w": np.ones(2, "int32")}),
        ArgumentError,
        "argument 0.w is int32; gradients need floating-point arrays",
    ),
    (lambda: grad(lambda x: x)(2.0), ArgumentError, "argument 0 is 2.0 (float); pass arrays, for example numpy.asarray(values)"),
    (lambda: trace(lambda x: x, {"a": [1.0, None]}), ArgumentError, "argument 0.a.0 is 1.0 (float); pass arrays"),
    (
        lambda: grad(lambda x: namespace(x).sum(grad(lambda y: namespace(y).sum(x * y))(x)))(ONE),
        TraceError,
        "multiply: arrays of two traces meet; pass the outer array to the inner function as an argument",
    ),
    (lambda: grad(lambda x: x @ ONE)(ONE), TraceError, "write float(value) for a NumPy scalar, xp.asarray(value) for an array"),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "error", "text"), REFUSED, ids=[text for *_, text in REFUSED])
def test_refused(attempt: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        attempt()


def test_a_function_is_called_once_with_traced_arrays() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(x)
        return x @ x

    grad(function)(ONE)
    assert len(calls) == 1
    assert isinstance(calls[0], TracedArray)
    assert calls[0].trace.nodes[0].origin.source.startswith("test_functional.py:")
