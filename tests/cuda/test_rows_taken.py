"""Indices of gathers that are computed in place, truths that are outputs, and rewrites that must not go too far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnkit.graph import Trace
from nnkit.plan import plan
from nnkit_cupy.device import TARGET, CupyBackend
from tests.plan.running import BACKEND, Bench, close

Build = Callable[[Trace, Any], dict[str, Any]]
DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(30, 4)).astype(np.float32)


def agrees(build: Build, values: dict[str, Any], backend: Any, **options: Any) -> None:
    """A step of the device beside the interpreter."""
    trace = Trace()
    outputs = build(trace, trace.namespace)
    bench = Bench(trace.graph(outputs), values, target=backend.target(), backend=backend, **options)
    expected = bench.expected()
    close(bench.step(), expected, 1e-5, 1e-6)


def one_number(trace: Trace, xp: Any) -> dict[str, Any]:
    """An index from a state of shape (1,), which is repeated."""
    x, s = trace.input("x", "data", (None, 4), "float32"), trace.input("s", "state", (1,), "int64")
    return {"y": xp.take(x, s + xp.arange(5), axis=0) * 2.0, "s": s + 5}


def index_of_an_index(trace: Trace, xp: Any) -> dict[str, Any]:
    """An index that is also what another gather takes its rows from."""
    x, c = trace.input("x", "data", (None, 4), "float32"), trace.input("c", "state", (), "int64")
    order, p = trace.input("order", "data", (None,), "int64"), trace.input("p", "data", (5,), "int64")
    chosen = xp.take(order, c + xp.arange(5))
    again = xp.take(chosen, p)
    return {"y": xp.take(x, chosen, axis=0) * 2.0, "z": xp.take(x, again, axis=0) * 3.0, "c": c + 5}


def changing(trace: Trace, xp: Any) -> dict[str, Any]:
    """An index from a state that the step writes before the rows are taken."""
    x, s = trace.input("x", "data", (None, 4), "float32"), trace.input("s", "state", (5,), "int64")
    q = trace.input("q", "state", (5, 4), "float32")
    return {"s": s + 2, "q": q + xp.take(x, s * 3 + 1, axis=0)}


CASES: dict[str, tuple[Build, dict[str, Any]]] = {
    "one number": (one_number, {"x": ROWS, "s": np.array([3])}),
    "index of an index": (
        index_of_an_index,
        {"x": ROWS, "c": np.array(3), "order": DRAW.permutation(30), "p": np.array([4, 2, 0, 1, 3])},
    ),
    "changing": (changing, {"x": ROWS, "s": np.arange(5), "q": np.zeros((5, 4), np.float32)}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rows_are_those_of_the_index(device: CupyBackend, name: str) -> None:
    build, values = CASES[name]
    agrees(build, values, device)


@pytest.mark.parametrize("limit", [None, 1 << 20])
def test_an_index_from_memory_that_is_used_again(device: CupyBackend, limit: int | None) -> None:
    def build(trace: Trace, xp: Any) -> dict[str, Any]:
        x, q = trace.input("x", "data", (None, 64), "float32"), trace.input("q", "data", (64,), "float32")
        p, a = trace.input("p", "data", (64,), "int64"), trace.input("a", "data", (64, 64), "float32")
        chosen = xp.take(xp.argsort(q, axis=0), p)
        between = xp.cumulative_sum(xp.sum(xp.matmul(a, a) ** 2, axis=0) * 2.0, axis=0)
        return {"r": xp.sum(xp.take(x, chosen, axis=0), axis=1) + between}

    values = {
        "x": DRAW.normal(size=(70, 64)).astype(np.float32),
        "q": DRAW.normal(size=64).astype(np.float32),
        "p": DRAW.permutation(64),
        "a": DRAW.normal(size=(64, 64)).astype(np.float32),
    }
    agrees(build, values, device, memory_limit=limit)


def test_truths_can_be_read(device: CupyBackend) -> None:
    def build(trace: Trace, xp: Any) -> dict[str, Any]:
        x = trace.input("x", "data", (8, 5), "float32")
        return {"fine": xp.all(xp.isfinite(x)), "y": x * 2.0}

    agrees(build, {"x": np.full((8, 5), np.nan, np.float32)}, device)


def test_a_value_of_a_row_may_take_the_place_of_its_operand(stand_in: CupyBackend) -> None:
    """Lanes of a warp meet before it is written: some may still read the operand."""
    trace = Trace()
    xp, x = trace.namespace, trace.input("x", "data", (40, 33), "float32")
    w = xp.cumulative_sum(xp.sum(x, axis=0), axis=0)
    v = xp.take(w, xp.arange(40) % 33) * xp.sum(2.0 * x, axis=1)
    graph = trace.graph({"v": v, "e": x * v[:, None]})
    lines = stand_in.compile(plan(graph, stand_in.target())).code.text.splitlines()
    stored = [number for number, line in enumerate(lines) if "% 32) == 0) a_float32[r" in line and "= v" in line]
    assert stored
    assert all("__syncwarp()" in lines[number - 1] for number in stored)


@pytest.mark.parametrize("where", ["cpu", "cuda"])
def test_a_bound_of_another_type_is_another_bound(stand_in: CupyBackend, where: str) -> None:
    def build(trace: Trace, xp: Any) -> dict[str, Any]:
        x = trace.input("x", "data", (7,), "float32")
        above = xp.greater(x, xp.asarray(0.1, dtype="float64"))
        return {"m": xp.maximum(x, 0.1), "g": xp.astype(above, "int32")}

    agrees(build, {"x": np.linspace(-1, 1, 7, dtype=np.float32)}, BACKEND if where == "cpu" else stand_in)


def test_what_is_no_derivative_is_not_rounded() -> None:
    """A mean of the data, and a comparison with 0, beside a product that reads the data as halves."""
    trace = Trace()
    xp, x = trace.namespace, trace.input("x", "data", (64, 8), "float32")
    w = trace.input("w", "data", (8, 4), "float32")
    graph = trace.graph({"y": x @ w, "mean": xp.mean(x, axis=0), "positive": xp.astype(x > 0, "float32")})
    nodes = plan(graph, replace(TARGET, products="float16")).graph.nodes
    read = {node.operation: nodes[node.inputs[0]].dtype for node in nodes if node.inputs}
    assert read["matmul"] == "float16"
    assert read["sum"] == read["greater"] == "float32"
