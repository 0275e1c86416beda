"""Random expressions: the interpreter against NumPy itself, and the gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import numpy as host
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit import ops
from nnkit.functional import trace
from nnkit.gradient_check import check_function
from nnkit.graph import Trace, differentiate, interpret

X = np.asarray([[0.31, -0.82, 1.13], [-1.41, 0.54, 0.23]])
Y = np.asarray([0.47, -0.35, 0.88])
S = np.asarray(-0.63)


def wide(xp: Any, a: Any) -> Any:
    return xp.broadcast_to(a, (2, 3))


# Smooth operations on two of the values so far, all of shapes that broadcast to (2, 3); nothing grows without bound.
OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda xp, a, b: a + b,
    "subtract": lambda xp, a, b: 0.5 * a - b,
    "multiply": lambda xp, a, b: xp.sin(a) * b,
    "divide": lambda xp, a, b: a / (2.0 + xp.cos(b)),
    "power": lambda xp, a, b: xp.tanh(a) ** 3 - (2.0 + xp.sin(b)) ** -1.5,
    "square": lambda xp, a, b: xp.tanh(a) ** 2,
    "exp": lambda xp, a, b: xp.exp(xp.sin(a)),
    "log": lambda xp, a, b: xp.log1p(xp.square(xp.tanh(a))),
    "erf": lambda xp, a, b: ops.erf(a) * ops.sigmoid(b),
    "softplus": lambda xp, a, b: ops.softplus(a) - xp.sqrt(1.0 + xp.square(b)),
    "matmul": lambda xp, a, b: xp.tanh(wide(xp, a) @ wide(xp, b).mT) @ wide(xp, b),
    "vector": lambda xp, a, b: xp.tanh(wide(xp, a) @ wide(xp, b)[0, :]) @ wide(xp, b),
    "softmax": lambda xp, a, b: ops.softmax(wide(xp, a)) * b,
    "logsumexp": lambda xp, a, b: ops.logsumexp(wide(xp, a), axis=0) + b,
    "sum": lambda xp, a, b: xp.tanh(xp.sum(wide(xp, a), axis=1, keepdims=True)),
    "mean": lambda xp, a, b: xp.mean(wide(xp, a), axis=0) * xp.mean(b),
    "variance": lambda xp, a, b: xp.sin(xp.var(wide(xp, a), axis=-1, keepdims=True)),
    "flip": lambda xp, a, b: wide(xp, a)[::-1, ::-1] * b,
    "slice": lambda xp, a, b: wide(xp, a)[1:, ...] + b,
    "join": lambda xp, a, b: xp.concat([wide(xp, a)[:, 1:], wide(xp, b)[:, :1]], axis=1),
    "stack": lambda xp, a, b: xp.tanh(xp.sum(xp.stack([wide(xp, a), wide(xp, b), wide(xp, a)]), axis=0)),
    "take": lambda xp, a, b: xp.take(wide(xp, a), xp.asarray([2, 0, 2]), axis=1) - b,
    "transpose": lambda xp, a, b: xp.reshape(wide(xp, a).T, (2, 3)),
    "where": lambda xp, a, b: xp.where(xp.asarray([True, False, True]), a, b),
    "again": lambda xp, a, b: a,
}

PROGRAMS = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12
)


def evaluate(program: list[tuple[str, int, int]], xp: Any, *leaves: Any) -> Any:
    """The last value of a program whose instructions read any values before them."""
    values = list(leaves)
    for name, one, two in program:
        values.append(OPERATIONS[name](xp, values[-1 - one % len(values)], values[-1 - two % len(values)]))
    return values[-1]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(PROGRAMS)
def test_interpreting_is_computing(program: list[tuple[str, int, int]]) -> None:
    graph = trace(lambda *leaves: evaluate(program, leaves[0].trace.namespace, *leaves), X, Y, S)
    inputs = {"0": X, "1": Y, "2": S}
    value = interpret(graph, host, inputs)["value"]
    np.testing.assert_allclose(value, evaluate(program, host, X, Y, S), rtol=1e-13, atol=1e-15)
    outer = Trace()
    given = {name: outer.input(**graph.nodes[i].options) for name, i in graph.inputs.items()}
    inlined = outer.graph(interpret(graph, outer.namespace, given))
    np.testing.assert_array_equal(interpret(inlined, host, inputs)["value"], value)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(PROGRAMS)
def test_gradients_are_slopes(program: list[tuple[str, int, int]]) -> None:
    check_function(lambda *leaves: evaluate(program, leaves[0].trace.namespace, *leaves), X, Y, S, rtol=1e-5)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(PROGRAMS)
def test_gradients_are_the_same_in_one_pass_or_several(program: list[tuple[str, int, int]]) -> None:
    def summed(*leaves: Any) -> Any:
        xp = leaves[0].trace.namespace
        return xp.sum(evaluate(program, xp, *leaves))

    graph, inputs = trace(summed, X, Y, S), {"0": X, "1": Y, "2": S}
    together = interpret(differentiate(graph, "value", ["0", "1", "2"]), host, inputs)
    for name in inputs:
        alone = interpret(differentiate(graph, "value", [name]), host, inputs)
        np.testing.assert_allclose(alone[f"grad:{name}"], together[f"grad:{name}"], rtol=1e-12, atol=1e-14)
