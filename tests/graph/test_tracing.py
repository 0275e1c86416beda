"""Traced arrays: weak scalars, provenance, attributes, and what a trace records."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import array_namespace, is_array_api_obj

from nnkit.functional import trace
from nnkit.graph import Graph, Node, Origin, Trace, TracedArray, differentiate, gradients, interpret
from nnkit.graph.ir import describe
from tests.libraries import Library


@pytest.fixture
def x() -> TracedArray:
    return Trace().input("x", "data", (2, 3), "float32")


def test_attributes(x: TracedArray) -> None:
    assert (x.shape, x.ndim, x.size, x.dtype, x.device) == ((2, 3), 2, 6, "float32", "traced")
    assert repr(x) == "TracedArray(shape=(2, 3), dtype=float32)"
    assert array_namespace(x) is x.trace.namespace
    assert is_array_api_obj(x)
    assert not hasattr(x, "sum")
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_the_free_number_of_rows_counts_as_one() -> None:
    rows = Trace().input("rows", "data", (None, 3), "float32")
    assert (rows.size, repr(rows)) == (3, "TracedArray(shape=(…, 3), dtype=float32)")


@pytest.mark.parametrize("scalar", [True, 2, 2.5, 1e300, -0.0])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_python_scalars_never_widen(scalar: float, dtype: str) -> None:
    x = Trace().input("x", "data", (3,), dtype)
    for value in (x + scalar, scalar * x, x / scalar, scalar - x, x**scalar, x.trace.namespace.maximum(scalar, x)):
        assert value.dtype == dtype
    for value in (x < scalar, x == scalar, scalar >= x):
        assert value.dtype == "bool"


@pytest.mark.parametrize(("dtype", "scalar"), [("int8", -128), ("uint8", 255), ("uint64", 2**64 - 1), ("int32", True)])
def test_integers_keep_their_type_beside_scalars_that_fit(dtype: str, scalar: int) -> None:
    x = Trace().input("x", "data", (3,), dtype)
    assert (x + scalar).dtype == dtype
    assert type(x.trace.nodes[1].options["value"]) is int


def test_a_scalar_takes_the_type_of_the_array_it_is_selected_against(x: TracedArray) -> None:
    xp = x.trace.namespace
    assert xp.where(x > 0, 1, x).dtype == xp.where(x > 0, x, True).dtype == "float32"


def test_operators_record_their_primitive() -> None:
    trace = Trace()
    f, n, b = (trace.input(name, "data", (2, 2), name) for name in ("float32", "int32", "bool"))
    recorded = {
        "add": f + 1, "subtract": 1 - f, "multiply": 2 * f, "divide": 1 / f, "floor_divide": 7 // n, "remainder": 7 % n,
        "pow": 2**f, "matmul": f @ f, "negative": -f, "abs": abs(f), "logical_not": ~b, "bitwise_invert": ~n,
        "bitwise_and": 1 & n, "bitwise_or": n | 1, "bitwise_xor": n ^ n, "bitwise_left_shift": 1 << n,
        "bitwise_right_shift": n >> 1, "equal": f == 0, "not_equal": f != 0, "less": f < 0, "less_equal": f <= 0,
        "greater": f > 0, "greater_equal": f >= 0, "permute_dims": f.T, "take": f[n[0]], "square": f**2,
    }  # fmt: skip
    assert {name: trace.nodes[value.position].operation for name, value in recorded.items()} == {n: n for n in recorded}
    assert (+f) is f
    assert (f**1) is f


def test_arrays_of_every_library_are_refused_beside_traced_ones(library: Library) -> None:
    x = Trace().input("x", "data", (3,), "float32")
    other = library.array(np.ones(3, "float32"))
    for attempt in (
        lambda: x + other,
        lambda: other + x,
        lambda: x @ other,
        lambda: x.trace.namespace.maximum(x, other),
    ):
        with pytest.raises(TypeError):
            attempt()


def here() -> int:
    import sys

    return sys._getframe(1).f_lineno


def test_every_node_knows_the_line_of_the_user(x: TracedArray) -> None:
    trace = x.trace
    trace.path = "layers.3"
    line = here() + 1
    y = trace.namespace.mean(trace.namespace.tanh(x @ x.T) ** 2)
    forward = len(trace.nodes)
    gradients(y, [x])
    for node in trace.nodes[1:]:
        assert (node.origin.path, node.origin.source) == ("layers.3", f"test_tracing.py:{line}") or node.operation in (
            "constant",
            "broadcast_to",
        )
    assert {node.origin.phase for node in trace.nodes[:forward]} == {"forward"}
    assert {node.origin.phase for node in trace.nodes[forward:]} == {"backward"}
    products = [node for node in trace.nodes[forward:] if node.operation == "matmul"]
    assert len(products) == 2
    assert all(str(node.origin) == f"layers.3 (test_tracing.py:{line})" for node in products)


def test_provenance_survives_inlining() -> None:
    line = here() + 1
    graph = trace(lambda x: x.trace.namespace.sum(x * x), np.ones(3))
    again = differentiate(graph, "value", ["0"])
    assert {node.origin.source for node in again.nodes if node.operation in ("multiply", "sum", "add")} == {
        f"test_tracing.py:{line}"
    }


def test_origins_do_not_enter_equality_or_fingerprint() -> None:
    def build(path: str) -> Graph:
        trace = Trace()
        trace.path = path
        x = trace.input("x", "data", (3,), "float32")
        return trace.graph({"y": x * 2.0})

    one, two = build("a"), build("b")
    assert one == two
    assert one.fingerprint == two.fingerprint
    assert one.nodes[1].origin != two.nodes[1].origin
    assert one.fingerprint != trace(lambda x: x * 3.0, np.ones(3, "float32")).fingerprint


def test_a_graph_prints_one_line_for_each_node() -> None:
    trace, line = Trace(), here() + 1
    x = trace.input("x", "state", (2, 0), "float32")
    assert str(trace.graph({"y": x})).splitlines() == [
        f"%0 = input(dtype=float32, name=x, role=state, shape=(2, 0)) : float32[2, 0]  # (test_tracing.py:{line})",
        "return y=%0",
    ]
    assert trace.graph({"y": x})._repr_html_().startswith("<pre>%0 = input(")
    product = Node("sum", (0,), (("axis", (0,)),), (), "float32", Origin("layers.0", "a.py:3"))
    assert describe(product) == "sum(%0, axis=(0,)) : float32[]  # layers.0 (a.py:3)"


def test_what_a_graph_knows_of_itself() -> None:
    trace = Trace()
    w = trace.input("w", "state", (2, 3), "float32")
    x = trace.input("x", "data", (3,), "float64")
    y = w * 2.0
    z = y + y
    unused = trace.namespace.exp(x)
    graph = trace.graph({"w": z, "x": x})
    assert graph.inputs == {"w": 0, "x": 1}
    assert graph.output == {"w": z.position, "x": 1}
    assert graph.state == {0: z.position}
    assert graph.users[y.position] == (z.position,)
    assert unused.position not in graph.ancestors(graph.output.values())
    assert len(graph) == 6
    assert (graph.nodes[0].size, graph.nodes[0].nbytes, graph.nodes[1].nbytes) == (6, 24, 24)


@pytest.mark.slow
def test_ten_thousand_nodes_in_a_chain() -> None:
    trace = Trace()
    x = trace.input("x", "data", (), "float64")
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    graph = differentiate(trace.graph({"y": y}), "y", ["x"])
    outputs = interpret(graph, np, {"x": np.asarray(2.0)})
    assert outputs["grad:x"] == pytest.approx(1.0001**10_000, rel=1e-9)
    assert len(graph.fingerprint) == 64
    assert str(graph).count("\n") == len(graph)
    assert len(graph.ancestors(graph.output.values())) <= len(graph)
