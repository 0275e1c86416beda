"""Halves in memory: gathered rows, rows of odd lengths by columns, and sums down long columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnkit.graph import Trace
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source import moves
from nnkit_cupy.source.launches import module
from nnkit_cupy.source.pieces import Product
from tests.cuda.halves import EPS, HALVES, rounded, sums
from tests.cuda.stand_in import HostRuntime
from tests.plan.running import Bench


@HALVES
@pytest.mark.parametrize(("rows", "width", "many"), [(8, 20, 1), (512, 64, 1 << 22), (512, 64, 1), (512, 66, 1)])
@pytest.mark.parametrize("also", [False, True])
def test_a_batch_is_gathered_as_halves(
    device: CupyBackend, monkeypatch: pytest.MonkeyPatch, dtype: str, rows: int, width: int, many: int, also: bool
) -> None:
    """In pieces of four, several by a thread where there are many, and one by one; not where somebody else reads the
    rows as they are."""
    monkeypatch.setattr(moves, "MANY", many)
    trace, draw = Trace(), np.random.default_rng(0)
    xp = trace.namespace
    values = {"x": draw.normal(size=(600, width)).astype(np.float32), "order": draw.permutation(600)[:rows]}
    values["order"][0] = -1
    x = trace.input("x", "data", (None, width), "float32")
    order = trace.input("order", "data", (rows,), "int64")
    batch = xp.take(x, order, axis=0)
    outputs = {"y": xp.matmul(xp.matrix_transpose(batch), batch)} | ({"z": batch * 2.0} if also else {})
    bench = Bench(trace.graph(outputs), values, target=replace(device.target(), products=dtype), backend=device)
    gather = next(body for body in module(bench.plan).text.split("__global__") if "= nn_row(" in body)
    if rows > 8:  # else all is one kernel
        assert (f"(nn_{dtype})" in gather) == (not also)
        assert ("s < 4" in gather) == (width == 64 and many == 1)
    found, taken = bench.step(), values["x"][values["order"]]
    near = rounded(taken, dtype).astype(np.float64)
    assert (np.abs(found["y"] - near.T @ near) <= sums(rows) * (np.abs(near).T @ np.abs(near))).all()
    if also:
        np.testing.assert_array_equal(found["z"], 2 * taken)


@HALVES
@pytest.mark.parametrize("rows", [64, 60])
def test_odd_rows_are_stored_by_columns(device: CupyBackend, dtype: str, rows: int) -> None:
    """Of ten scores, their slopes and their weights, where a column has a multiple of eight."""
    trace, draw = Trace(), np.random.default_rng(0)
    xp = trace.namespace
    values = {"x": draw.normal(size=(rows, 48)), "w": draw.normal(size=(48, 10)), "s": draw.normal(size=(rows, 10))}
    values = {name: value.astype(np.float32) for name, value in values.items()}
    x, w, s = (trace.input(name, "data", value.shape, "float32") for name, value in values.items())
    outputs = {"y": xp.matmul(x, w)}
    with trace.within("backward"):
        slopes = s * s
        outputs |= {"dw": xp.matmul(xp.matrix_transpose(x), slopes), "db": xp.sum(slopes, axis=0)}
        outputs["dx"] = xp.matmul(slopes, xp.matrix_transpose(w))
    bench = Bench(trace.graph(outputs), values, target=replace(device.target(), products=dtype), backend=device)
    items = [item for item in module(bench.plan).launches if isinstance(item, Product)]
    lengths = {(item.k, item.n): item.lengths[1] for item in items}
    assert lengths == {(48, 10): 48, (rows, 10): rows if rows % 8 == 0 else 10, (10, 48): 48}
    x, w, s = (rounded(value, dtype).astype(np.float64) for value in (values["x"], values["w"], values["s"] ** 2))
    found = bench.step()
    for name, exact, size in (
        ("y", x @ w, np.abs(x) @ np.abs(w)),
        ("dw", x.T @ s, np.abs(x).T @ np.abs(s)),
        ("db", s.sum(axis=0), np.abs(s).sum(axis=0)),
        ("dx", s @ w.T, np.abs(s) @ np.abs(w).T),
    ):
        assert (np.abs(found[name] - exact) <= 16 * EPS * size).all(), name


@HALVES
@pytest.mark.parametrize("rows", [1024, 1500])
def test_sums_of_the_columns_of_a_long_matrix(device: CupyBackend, dtype: str, rows: int) -> None:
    long_sums(device, dtype, rows)


@HALVES
def test_all_threads_of_a_block_sum_columns(dtype: str) -> None:
    long_sums(CupyBackend("cuda", HostRuntime(threads=True)), dtype, 1500)


def long_sums(device: CupyBackend, dtype: str, rows: int) -> None:
    """With an ending; 72 columns are two blocks and a quarter of one."""
    trace, x = Trace(), np.random.default_rng(0).normal(size=(rows, 72)).astype(np.float32)
    halves = trace.record("astype", (trace.input("x", "data", x.shape, "float32"),), dtype=dtype)
    total = trace.record("sum", (halves,), axis=(0,), keepdims=False, dtype="float32")
    turned = trace.namespace.matrix_transpose(halves)  # so that they are in memory
    product = trace.record("matmul", (turned, halves), dtype="float32")
    graph = trace.graph({"sum": total, "ending": total * 2.0 + 1.0, "product": product})
    bench = Bench(graph, {"x": x}, target=device.target(), backend=device)
    assert "if (all)" in module(bench.plan).text
    near, found = rounded(x, dtype).astype(np.float64), bench.step()
    error = np.abs(found["sum"] - near.sum(axis=0))
    assert (error <= EPS * rows * np.abs(near).sum(axis=0)).all()
    np.testing.assert_array_equal(found["ending"], found["sum"] * 2 + 1)
