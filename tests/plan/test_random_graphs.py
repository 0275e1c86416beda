"""Whatever the graph, whatever is switched off: the program computes what the interpreter says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit.plan import DECISIONS
from tests.plan.memory import check_memory
from tests.plan.random_graphs import RandomGraph
from tests.plan.running import TARGET, Bench, close, same_bits

SEEDS = st.integers(0, 2**32 - 1)
LENGTHS = st.integers(1, 60)
TARGETS = st.sampled_from([TARGET, replace(TARGET, tile_bytes=256), replace(TARGET, tile_bytes=1024, alignment=8)])
DISABLED = st.sampled_from([(), (), *((name,) for name in DECISIONS), tuple(DECISIONS)])
QUICK = settings(max_examples=150, deadline=None)


@QUICK
@given(SEEDS, LENGTHS, DISABLED, TARGETS)
def test_a_program_is_the_graph_to_rounding(seed, operations, disable, target):
    drawn = RandomGraph(seed, operations)
    bench = Bench(drawn.graph, drawn.inputs, disable, target)
    for _ in range(3):
        expected = bench.expected()
        close(bench.step(), expected)


@QUICK
@given(SEEDS, LENGTHS, DISABLED, TARGETS, st.sampled_from(["float32", "float64"]))
def test_a_program_is_the_planned_graph_bit_for_bit(seed, operations, disable, target, dtype):
    drawn = RandomGraph(seed, operations, dtype=dtype)
    bench = Bench(drawn.graph, drawn.inputs, disable, target)
    for _ in range(3):
        expected = bench.expected_bits()
        same_bits(bench.step(), expected)


@QUICK
@given(SEEDS, LENGTHS, DISABLED, TARGETS)
def test_no_value_is_lost_before_its_last_reader(seed, operations, disable, target):
    drawn = RandomGraph(seed, operations)
    check_memory(Bench(drawn.graph, drawn.inputs, disable, target).plan)


@settings(max_examples=60, deadline=None)
@given(SEEDS, LENGTHS, st.booleans(), TARGETS)
def test_behind_a_guard_all_states_change_or_none(seed, operations, allowed, target):
    drawn = RandomGraph(seed, operations, guarded=allowed)
    bench = Bench(drawn.graph, drawn.inputs, (), target)
    check_memory(bench.plan)
    before = bench.store.read(bench.states)
    expected = bench.expected()
    bench.others.clear()  # what the commit phase computes has no value when it did not run
    close(bench.step(), {name: expected[name] for name in bench.states} if allowed else before)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(SEEDS, LENGTHS, DISABLED, TARGETS)
def test_many_programs(seed, operations, disable, target):
    drawn = RandomGraph(seed, operations)
    bench = Bench(drawn.graph, drawn.inputs, disable, target)
    check_memory(bench.plan)
    for _ in range(2):
        expected = bench.expected()
        close(bench.step(), expected)
