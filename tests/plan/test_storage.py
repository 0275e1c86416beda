"""Memory: joins, views, tiles and lifetimes, each where it once went wrong or easily could."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnkit.graph import Trace
from tests.plan.memory import check_memory
from tests.plan.running import TARGET, Bench, same_bits

TINY = replace(TARGET, tile_bytes=256)
X = np.random.default_rng(0).normal(size=(40, 40))
LINE = np.random.default_rng(1).normal(size=160)


def bench_of(build, target=TARGET, disable=(), **values):
    trace = Trace()
    inputs = {name: trace.input(name, "data", value.shape, str(value.dtype)) for name, value in values.items()}
    return Bench(trace.graph(build(trace.namespace, **inputs)), values, disable, target)


def halves(xp, x):
    return xp.exp(x), xp.sin(x)


def part_read_after_the_whole_is_gone(xp, x):
    first, second = halves(xp, x)
    doubled = xp.concat([first, second]) * 2.0
    return {"y": xp.sum(doubled * doubled) + xp.sum(first * doubled[:160])}


def part_that_is_an_output_in_another_shape(xp, x):
    first, second = halves(xp, x)
    return {"y": xp.concat([first, second]) * 2.0, "part": xp.reshape(first, (4, 40))}


def joined_twice(xp, x):
    first, second = halves(xp, x)
    return {"y": xp.concat([first, second]), "z": xp.concat([second, first, first])}


def join_of_a_join(xp, x):
    first, second = halves(xp, x)
    inner = xp.concat([first, second])
    return {"y": xp.concat([xp.cos(x), inner, xp.concat([xp.tanh(x), xp.abs(inner)])])}


def join_of_views(xp, x):
    first, second = halves(xp, x)
    flipped = xp.reshape(xp.flip(xp.reshape(second, (4, 40))), (-1,))
    return {"y": xp.concat([first[10:], flipped, xp.reshape(xp.reshape(first, (40, 4)).T, (-1,))])}


def join_along_the_last_axis(xp, x):
    first, second = (xp.reshape(part, (40, 4)) for part in halves(xp, x))
    return {"y": xp.concat([first, second], axis=1) * 2.0}


def join_of_nothing(xp, x):
    first, second = halves(xp, x)
    return {"y": xp.concat([first[:0], second, first[:0], first])}


def join_of_two_data_types(xp, x):
    first, second = halves(xp, x)
    return {"y": xp.concat([xp.astype(first, "float32"), second])}


def join_of_inputs(xp, x):
    return {"y": xp.concat([x, xp.arange(3, dtype="float64"), x * 2.0, xp.ones(2)])}


JOINS = [
    part_read_after_the_whole_is_gone,
    part_that_is_an_output_in_another_shape,
    joined_twice,
    join_of_a_join,
    join_of_views,
    join_along_the_last_axis,
    join_of_nothing,
    join_of_two_data_types,
    join_of_inputs,
]


@pytest.mark.parametrize("target", [TARGET, TINY], ids=["", "tiles"])
@pytest.mark.parametrize("disable", [(), ("join_gradients",), ("in_place",)], ids=str)
@pytest.mark.parametrize("build", JOINS, ids=lambda build: build.__name__)
def test_joined_arrays(build, disable, target):
    bench = bench_of(build, target, disable, x=LINE)
    check_memory(bench.plan)
    expected = bench.expected_bits()
    same_bits(bench.step(), expected)


def test_parts_are_computed_in_their_place():
    square = LINE.reshape(16, 10)
    bench = bench_of(lambda xp, x: {"y": xp.concat([xp.reshape(xp.exp(x), (-1,)), xp.sum(x, axis=0)])}, x=square)
    assert [step.kernel for step in bench.plan.kernels] == ["fused", "sum"]
    assert bench.plan.arena_bytes == 64 * -(-(square.nbytes + 80) // 64)


PASSES = {
    "its transpose": lambda xp, a: a + a.T + a * 3.0,
    "itself upside down": lambda xp, a: a + xp.flip(a, axis=0) + a * 3.0,
    "its last row": lambda xp, a: a - a[-1:, :],
    "its first row": lambda xp, a: a - a[:1, :],
    "a column": lambda xp, a: a * a[:, 3:4] + a[:, 5:6],
    "every second": lambda xp, a: xp.tanh(a)[::2, :] * a[1::2, :],
    "its sums": lambda xp, a: a / xp.sum(a * a, axis=1, keepdims=True) - xp.max(a, axis=0),
    "a row, then flags": lambda xp, a: xp.astype(a * xp.max(a, axis=0) > 0.0, "float64") * a,
    "a number": lambda xp, a: a * xp.sum(a) + a[3, 4],
}


@pytest.mark.parametrize("target", [TARGET, TINY], ids=["", "tiles"])
@pytest.mark.parametrize("case", PASSES)
def test_a_pass_in_tiles_reads_no_row_before_it_is_there(case, target):
    bench = bench_of(lambda xp, x: {"y": PASSES[case](xp, xp.sin(x) * 2.0 + 1.0)}, target, x=X)
    assert any(step.tile for step in bench.plan.steps) == (target is TINY)
    check_memory(bench.plan)
    expected = bench.expected_bits()
    same_bits(bench.step(), expected)


RESHAPES = {
    "of a transpose": lambda xp, x: xp.reshape(x.T, (-1,)),
    "of a reversal": lambda xp, x: xp.reshape(xp.flip(x, axis=1), (-1,)),
    "of a cut": lambda xp, x: xp.reshape(x[:, 3:7], (-1,)),
    "of every second": lambda xp, x: xp.reshape(x[::2, :], (-1,)),
    "of a repetition": lambda xp, x: xp.reshape(xp.broadcast_to(x[0, :], (3, 40)), (-1,)),
    "of rows": lambda xp, x: xp.reshape(x[3:7, :], (-1,)),
    "of a column": lambda xp, x: xp.reshape(x[:, 2:3], (-1,)),
    "of a reversal with a new axis": lambda xp, x: xp.reshape(xp.flip(x, axis=0), (40, 1, 40)),
    "of a reversed single row": lambda xp, x: xp.reshape(xp.flip(x[:1, :], axis=0), (-1,)),
    "of a reshape of a transpose": lambda xp, x: xp.reshape(xp.reshape(x.T, (1600,)), (20, 80)),
}


@pytest.mark.parametrize("disable", [(), ("fold_transposes",), ("simplify",)], ids=str)
@pytest.mark.parametrize("case", RESHAPES)
def test_a_reshape_never_looks_at_memory_of_another_time(case, disable):
    """What is reshaped changes from step to step; a copy made when the program was bound would not."""

    def build(xp, x, n):
        return {"n": n + 1.0, "y": RESHAPES[case](xp, xp.sin(x) * n) * 2.0, "raw": RESHAPES[case](xp, x)}

    trace = Trace()
    x, n = trace.input("x", "data", X.shape, "float64"), trace.input("n", "state", (), "float64")
    bench = Bench(trace.graph(build(trace.namespace, x, n)), {"x": X, "n": np.asarray(1.0)}, disable)
    check_memory(bench.plan)
    for _ in range(3):
        expected = bench.expected_bits()
        same_bits(bench.step(), expected)


def test_values_that_do_not_live_together_share_memory():
    def chain(xp, x):
        for _ in range(10):
            x = xp.cumulative_sum(x * 0.5, axis=0)
        return {"y": x}

    assert bench_of(chain, x=LINE).plan.arena_bytes == 2 * LINE.nbytes
    assert bench_of(chain, disable=("reuse_memory", "in_place"), x=LINE).plan.arena_bytes == 20 * LINE.nbytes


def test_a_value_that_outlives_its_tiles_shares_no_memory_with_scratch_of_another_data_type():
    """In arrays so small that a tile, rounded up, is as large as the whole."""

    def build(xp, x):
        product = xp.sin(x + x) * x
        single = xp.astype(product, "float32")
        back = xp.astype(single, "float64") * xp.sin(x + x)
        return {"product": product, "back": back, "sum": (product + product) + (product + product)}

    bench = bench_of(build, replace(TARGET, tile_bytes=64), ("simplify", "merge_common"), x=X[:3, :2])
    check_memory(bench.plan)
    expected = bench.expected_bits()
    same_bits(bench.step(), expected)


def test_the_arena_is_as_large_as_the_plan_says_and_aligned():
    bench = bench_of(join_of_a_join, x=LINE)
    assert bench.program._arena.nbytes == bench.plan.arena_bytes == bench.program.memory()
    assert bench.program._arena.ctypes.data % 64 == 0
    assert all(slot.offset + slot.nbytes <= bench.plan.arena_bytes for slot in bench.plan.slots.values())


def test_in_a_large_pass_what_lies_between_takes_one_tile():
    rows = np.random.default_rng(2).normal(size=(4000, 40))
    bench = bench_of(lambda xp, x: {"y": xp.sum(xp.tanh(xp.sin(x) * xp.cos(x)) + x)}, x=rows)
    scratch = [slot for slot in bench.plan.slots.values() if slot.tiled]
    assert scratch
    assert all(slot.nbytes <= TARGET.tile_bytes for slot in scratch)
    assert bench.plan.arena_bytes < rows.nbytes + 4 * TARGET.tile_bytes
