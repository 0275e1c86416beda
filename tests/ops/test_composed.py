"""Composed functions: values where naive formulas overflow, on every library, traced and eager alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnkit import ops
from nnkit.functional import grad, trace
from nnkit.gradient_check import check_function
from nnkit.graph import interpret
from nnkit.ops import namespace
from tests.libraries import Library

EXTREME = np.asarray([-1e4, -745.2, -100.0, -20.0, -1.0, -1e-8, 0.0, 1e-8, 1.0, 20.0, 100.0, 745.2, 1e4])
ULP = np.finfo(np.float64).eps


def exact_sigmoid(x: float) -> float:
    """With the exponential of a negative number only."""
    small = math.exp(-abs(x))
    return 1.0 / (1.0 + small) if x >= 0 else small / (1.0 + small)


def exact_softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def test_sigmoid_to_rounding() -> None:
    x = np.concatenate([EXTREME, np.linspace(-40, 40, 2001)])
    np.testing.assert_allclose(ops.sigmoid(x), [exact_sigmoid(v) for v in x], rtol=0, atol=ULP)
    value = ops.sigmoid(x)
    assert value.min() >= 0
    assert value.max() <= 1
    assert np.abs(value + ops.sigmoid(-x) - 1.0).max() <= ULP
    narrow = ops.sigmoid(x.astype("float32"))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, [exact_sigmoid(v) for v in x.astype("float32")], rtol=0, atol=1.2e-7)


def test_softplus_and_log_sigmoid_to_rounding() -> None:
    x = np.concatenate([EXTREME, np.linspace(-40, 40, 2001)])
    expected = np.asarray([exact_softplus(v) for v in x])
    np.testing.assert_allclose(ops.softplus(x), expected, rtol=4 * ULP, atol=1e-300)
    np.testing.assert_allclose(ops.log_sigmoid(-x), -expected, rtol=4 * ULP, atol=1e-300)


def test_relu_keeps_nan_and_types() -> None:
    x = np.asarray([-1.0, -0.0, 2.0, np.nan, np.inf, -np.inf], "float32")
    np.testing.assert_array_equal(ops.relu(x), np.asarray([0, 0, 2, np.nan, np.inf, 0], "float32"))
    assert ops.relu(np.asarray([-3, 3])).tolist() == [0, 3]
    assert trace(ops.relu, np.asarray([-3, 3], "int8")).nodes[-1].dtype == "int8"


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_is_not_moved_by_a_shift(shift: float, dtype: str) -> None:
    x = np.asarray([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]], dtype)
    exact = np.exp(x.astype("float64")) / np.exp(x.astype("float64")).sum(-1, keepdims=True)
    np.testing.assert_allclose(ops.softmax(x + x.dtype.type(shift)), exact, rtol=4 * np.finfo(dtype).eps)
    logarithms = ops.log_softmax(x + x.dtype.type(shift))
    np.testing.assert_allclose(
        logarithms, np.log(exact), rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps * abs(shift)
    )
    assert logarithms.dtype == dtype


def test_softmax_of_extremes() -> None:
    x = np.asarray([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [-np.inf, 0.0, 0.0]])
    np.testing.assert_allclose(ops.softmax(x), [[1, 0, 0], [1 / 3] * 3, [0, 0.5, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(ops.softmax(x).sum(axis=-1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(ops.log_softmax(x)[0], [0.0, -2e4, -1e4])
    np.testing.assert_allclose(ops.softmax(x[:2], axis=0), [[1, 0.5, 1], [0, 0.5, 0]], rtol=1e-15)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, -1])
def test_logsumexp(axis: int, keepdims: bool) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4)) + np.asarray([[1e4], [-1e4], [0.0]])
    expected = np.logaddexp.reduce(x, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(ops.logsumexp(x, axis=axis, keepdims=keepdims), expected, rtol=1e-15)


@pytest.mark.parametrize("at", [-1e4, -1000.0, 0.0, 1000.0, 1e4])
def test_gradients_at_extremes_are_finite_and_right(at: float) -> None:
    x = np.asarray(at)
    sure = float(at > 0) if at else 0.5
    assert float(grad(ops.softplus)(x)) == sure
    assert float(grad(ops.log_sigmoid)(x)) == 1.0 - sure
    assert float(grad(ops.sigmoid)(x)) == (0.25 if at == 0 else 0.0)
    rows = np.asarray([at, 0.0, 0.0])
    for function in (ops.softmax, ops.log_softmax, ops.logsumexp):
        slope = grad(lambda x, f=function: f(x) if f is ops.logsumexp else f(x)[0])(rows)
        assert np.isfinite(slope).all()
    np.testing.assert_allclose(grad(ops.logsumexp)(rows), ops.softmax(rows), atol=1e-16)


@pytest.mark.parametrize(
    "function",
    [ops.sigmoid, ops.softplus, ops.log_sigmoid, ops.softmax, ops.log_softmax, ops.logsumexp, ops.erf, ops.relu],
)
def test_traced_eager_and_everywhere(function: Callable[..., Any], library: Library) -> None:
    x = library.narrow(np.random.default_rng(1).normal(size=(3, 4)) * 3.0)
    expected = function(x)
    rounding = 2e-6 if library.single else 1e-14
    array = library.array(x)
    eager = function(array)
    traced = interpret(trace(function, x), library.xp, {"0": array}, library.device)["value"]
    for value in (eager, traced):
        np.testing.assert_allclose(library.numpy(value), expected, rtol=rounding, atol=rounding)
    if library.name == "numpy":
        check_function(function, x)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_one_hot(library: Library, dtype: str) -> None:
    labels = library.array(np.asarray([[0, 2], [1, 1]], dtype))
    hot = ops.one_hot(labels, 3, library.xp.float32)
    np.testing.assert_array_equal(library.numpy(hot), np.eye(3, dtype="float32")[[[0, 2], [1, 1]]])


def test_one_hot_in_a_trace() -> None:
    graph = trace(lambda labels: ops.one_hot(labels, 3, "float32"), np.asarray([2, 0], "int32"))
    value = interpret(graph, namespace(np.zeros(1)), {"0": np.asarray([2, 0], "int32")})["value"]
    np.testing.assert_array_equal(value, np.eye(3, dtype="float32")[[2, 0]])
