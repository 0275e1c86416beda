"""Fused passes with values of rows: which nodes join, in which phases, and that no row is read before it is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnkit import ops
from nnkit.plan import plan
from nnkit.plan.passes import phases
from nnkit_numpy.device import NATIVE
from tests.plan.memory import check_memory
from tests.plan.rows import (
    CASES,
    X,
    along_the_other_axis,
    bench_of,
    down_the_columns,
    its_own_transpose,
    layer_norm,
    of_rows_first,
    upside_down,
)
from tests.plan.running import TARGET, close, same_bits

LONE = replace(NATIVE, threads=1)


def kernels(bench):
    return [step.kernel for step in bench.plan.kernels]


@pytest.mark.parametrize("tile_bytes", [TARGET.tile_bytes, 1024], ids=["whole", "in pieces"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_pass_over_rows_is_the_formula(case, tile_bytes):
    bench = bench_of(lambda xp, x: {"y": case(xp, x)}, replace(TARGET, tile_bytes=tile_bytes))
    check_memory(bench.plan)
    expected, bits = bench.expected(), bench.expected_bits()
    for _ in range(2):
        got = bench.step()
        close(got, expected, rtol=1e-12, atol=1e-12)
        same_bits(got, bits)


@pytest.mark.parametrize("tile_bytes", [TARGET.tile_bytes, 1024], ids=["whole", "in pieces"])
def test_a_state_that_every_row_reads_is_not_written_over_row_by_row(tile_bytes):
    bench = down_the_columns(replace(TARGET, tile_bytes=tile_bytes))
    check_memory(bench.plan)
    for _ in range(3):
        expected = bench.expected()
        close(bench.step(), expected)


def test_layer_normalisation_and_softmax_are_one_pass_each():
    for build in (layer_norm, lambda xp, x: ops.softmax(x), lambda xp, x: ops.log_softmax(x), of_rows_first):
        assert kernels(bench_of(lambda xp, x, build=build: {"y": build(xp, x)})) == ["fused"]


def test_a_value_of_all_rows_ends_the_pass():
    for build in (along_the_other_axis, upside_down, its_own_transpose):
        assert len(kernels(bench_of(lambda xp, x, build=build: {"y": build(xp, x)}))) > 1


def test_phases_are_as_few_as_can_be():
    """Elements recorded after a sum that they do not need stand with those before it."""

    def build(xp, x):
        y = xp.exp(x)
        total = xp.sum(y, axis=1, keepdims=True)
        return {"y": (y + xp.sin(x)) / xp.sqrt(total), "total": total}

    bench = bench_of(build)
    (step,) = bench.plan.kernels
    names = [[bench.plan.graph.nodes[i].operation for i in part] for part in phases(bench.plan.graph, step.nodes)]
    assert names == [["exp", "sin", "add"], ["sum"], ["sqrt"], ["divide"]]


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (40,), (0, 5), (5, 0), (1, 1)])
def test_no_rows_to_speak_of(shape):
    bench = bench_of(lambda xp, x: {"y": xp.exp(x) / xp.sum(xp.exp(x), axis=-1, keepdims=True)}, x=np.ones(shape))
    check_memory(bench.plan)
    close(bench.step(), bench.expected())


def test_values_of_other_rows_stay_apart():
    """Two passes over rows that have nothing to do with each other, recorded in turns."""

    def build(xp, x):
        y = xp.exp(x)
        narrow = xp.tanh(x[:, :1])  # as many values as there are rows, but of no use to the elements
        return {"y": y / xp.sum(y, axis=1, keepdims=True), "narrow": narrow * 2.0}

    bench = bench_of(build)
    found = [{bench.plan.graph.nodes[i].operation for i in step.nodes} for step in bench.plan.kernels]
    assert found == [{"exp", "sum", "divide"}, {"tanh", "multiply"}]


def test_what_goes_from_phase_to_phase_is_kept_and_nothing_else():
    """Native: elements that the next phase reads lie in memory, those of one loop only do not."""
    made = plan(bench_of(lambda xp, x: {"y": layer_norm(xp, x)}).graph, LONE)
    full = [i for i, node in made.graph if node.shape == X.shape and made.slots[i].kind == "arena"]
    kept = [made.graph.nodes[i].operation for i in full if not made.slots[i].tiled]
    assert sorted(kept) == ["divide", "multiply", "square", "subtract"]
    assert made.arena_bytes < 2.2 * X.nbytes


def test_pieces_are_as_large_as_the_cache_allows():
    graph = bench_of(lambda xp, x: {"y": layer_norm(xp, x)}).graph
    tiles = [plan(graph, replace(LONE, tile_bytes=size)).kernels[0].tile for size in (1024, 8192, 16384, 1 << 20)]
    assert tiles[0] == 1 < tiles[1] < tiles[2] < 40
    assert tiles[-1] == 0
