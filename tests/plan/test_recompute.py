"""Under a limit values are computed again rather than kept: the same bits, an exact peak, no needless refusal."""

from __future__ import annotations

import gc
import re
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnkit import nn
from nnkit.graph import Graph, Trace
from nnkit.optimizers import SGD, Adam
from nnkit.plan import plan
from nnkit.plan.explain import explain, explain_json
from nnkit.plan.limit import MemoryLimitError
from nnkit.plan.planner import closest
from nnkit.plan.savings import savings
from tests.plan.memory import check_memory
from tests.plan.random_graphs import RandomGraph
from tests.plan.running import TARGET, Bench, same_bits
from tests.training.architectures import PLAIN, jobs
from tests.training.steps import Job

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


def deep(layers=12, width=96, activation="relu", optimizer=None, rows=256, between=list, dtype="float32"):
    hidden = [part for _ in range(layers) for part in (nn.Dense(width, activation), *between())]
    module = nn.Sequential([*hidden, nn.Dense(4)])
    return Job(module, (64,), "auto", optimizer or Adam(), rows=2 * rows, dtype=dtype)


def least(graph, target=TARGET):
    """The smallest arena."""
    return closest(graph, target, (), 0).arena_bytes


def limited_bench(job, rows, limit):
    graph = job.graph(rows)
    return Bench(graph, job.values(graph), memory_limit=limit)


def same_steps(job, rows, limit, steps=3):
    """The plan with the limit, after as many steps as give the same bits without it."""
    free, limited = limited_bench(job, rows, None), limited_bench(job, rows, limit)
    assert limited.plan.arena_bytes <= limit
    check_memory(limited.plan)
    for _ in range(steps):
        expected = free.step()
        same_bits(limited.step(), expected)
    return limited.plan


def test_without_need_nothing_changes():
    graph = deep().graph(256)
    free = plan(graph, TARGET)
    roomy = plan(graph, TARGET, (), free.arena_bytes)
    assert roomy.fingerprint == free.fingerprint
    assert [node.origin.phase for _, node in roomy.graph] == [node.origin.phase for _, node in free.graph]
    assert plan(graph, TARGET, (), free.arena_bytes - 1).fingerprint != free.fingerprint


def test_two_limits_give_two_plans():
    graph = deep().graph(256)
    free = plan(graph, TARGET)
    made = [plan(graph, TARGET, (), int(free.arena_bytes * share)) for share in (0.9, 0.7, 0.5)]
    assert len({each.fingerprint for each in (free, *made)}) == 4
    assert free.cost.seconds < made[0].cost.seconds < made[1].cost.seconds < made[2].cost.seconds
    assert plan(graph, TARGET, (), made[2].memory_limit) == made[2]


BETWEEN = {
    "nothing": list,
    "dropout": lambda: [nn.Dropout(0.3)],
    "batch norm": lambda: [nn.BatchNorm()],
    "layer norm": lambda: [nn.LayerNorm()],
}


HALVED = [
    pytest.param(activation, between, marks=() if (activation == "gelu") == ("norm" in between) else pytest.mark.slow)
    for activation in ("relu", "gelu")
    for between in BETWEEN
]


@pytest.mark.parametrize(("activation", "between"), HALVED)
def test_the_same_bits_in_half_the_memory(between, activation):
    """Gradients too: with SGD at the rate 1 the change of the parameters is the gradient."""
    job = deep(8, 40, activation, SGD(1.0), 500, BETWEEN[between])
    whole = plan(job.graph(500), TARGET)
    made = same_steps(job, 500, whole.arena_bytes // 2)
    assert {step.phase for step in made.steps} == {"forward", "backward", "recompute", "update"}
    assert not any(step.phase == "recompute" for step in whole.steps)


@pytest.mark.slow
def test_twelve_layers_of_ninety_six_in_half_the_memory():
    job = deep(rows=1024)
    whole = plan(job.graph(1024), TARGET)
    same_steps(job, 1024, whole.arena_bytes // 2)


@pytest.mark.slow
@settings(SETTINGS, max_examples=20)
@given(jobs(PLAIN), st.floats(0.0, 1.0))
def test_the_same_bits_of_random_networks_under_random_limits(drawn, share):
    job, batch = drawn
    graph = job.graph(batch)
    smallest, whole = least(graph), plan(graph, TARGET).arena_bytes
    same_steps(job, batch, smallest + int(share * (whole - smallest)))


class InTwoPhases(RandomGraph):
    """The second half of the operations is the backward pass: it reads of the first what it likes."""

    def __init__(self, seed, operations, **options):
        self.left = operations // 2
        super().__init__(seed, operations, **options)

    def recent(self):
        self.left -= 1
        if self.left < 0:
            self.trace.phase = "backward"
        return super().recent()


@settings(SETTINGS, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(4, 80), st.floats(0.0, 1.0))
def test_the_same_bits_of_random_graphs_under_random_limits(seed, operations, share):
    drawn = InTwoPhases(seed, operations)
    whole, smallest = plan(drawn.graph, TARGET).arena_bytes, least(drawn.graph)
    limit = smallest + int(share * (whole - smallest))
    limited = Bench(drawn.graph, drawn.inputs, memory_limit=limit)
    assert limited.plan.arena_bytes <= limit
    check_memory(limited.plan)
    free = Bench(drawn.graph, drawn.inputs)
    for _ in range(2):
        expected = free.step()
        same_bits(limited.step(), expected)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_smallest_limit_of_a_refusal_is_met_and_one_byte_less_is_not(activation):
    graph = deep(5, 40, activation, rows=200).graph(200)
    smallest = least(graph)
    assert plan(graph, TARGET, (), smallest).arena_bytes == smallest
    text = f"memory_limit: the values of one step need at least {smallest:,} bytes, got {smallest - 1:,}"
    with pytest.raises(MemoryLimitError, match=re.escape(text)):
        plan(graph, TARGET, (), smallest - 1)
    assert smallest < 0.7 * plan(graph, TARGET).arena_bytes


@pytest.mark.slow
def test_every_limit_above_the_smallest_is_met_and_the_time_falls_with_it():
    graph = deep(4, 32, rows=64).graph(64)
    smallest, whole = least(graph), plan(graph, TARGET)
    seconds = []
    for limit in np.linspace(smallest, whole.arena_bytes, 40).astype(int):
        made = plan(graph, TARGET, (), int(limit))
        assert made.arena_bytes <= limit
        seconds.append(made.cost.seconds)
    assert seconds[-1] == whole.cost.seconds
    assert all(later <= earlier for earlier, later in pairwise(seconds))


def test_the_predicted_peak_is_all_that_a_step_takes():
    """The arena is used to its last byte, and a step allocates no array beside it (NumPy's own buffers aside)."""
    job = deep(rows=512)
    bench = limited_bench(job, 512, plan(job.graph(512), TARGET).arena_bytes // 2)
    taken = max(slot.offset + slot.nbytes for slot in bench.plan.slots.values() if slot.kind == "arena")
    assert bench.plan.arena_bytes - TARGET.alignment < taken <= bench.plan.arena_bytes
    assert bench.program.memory() == bench.plan.arena_bytes == bench.program._arena.nbytes
    bench.program.run(1)
    gc.collect()
    tracemalloc.start()
    try:
        bench.store.write({"counter.cursor": 0})
        before = tracemalloc.get_traced_memory()[0]
        bench.program.run(1)
        assert tracemalloc.get_traced_memory()[1] - before < 40_000
    finally:
        tracemalloc.stop()


def test_states_that_are_read_again_are_those_of_before_the_step():
    """A value computed again from a state, in a graph that overwrites the state at the end."""
    trace = Trace()
    xp = trace.namespace
    state = trace.input("state", "state", (400,), "float64")
    values = [state]
    for _ in range(6):
        values.append(xp.tanh(xp.flip(values[-1]) * 1.5))
    with trace.within("backward"):
        slope = xp.ones((400,), dtype="float64")
        for value in reversed(values[1:]):
            slope = xp.flip(slope * (1.0 - value * value))
    guard = xp.all(xp.isfinite(slope))
    graph = trace.graph({"state": state - slope, "value": xp.sum(values[-1]), "guard": guard})
    inputs = {"state": np.random.default_rng(0).normal(size=400)}
    limited = Bench(graph, inputs, memory_limit=least(graph))
    free = Bench(graph, inputs)
    assert limited.plan.arena_bytes < free.plan.arena_bytes
    for _ in range(3):
        expected = free.step()
        same_bits(limited.step(), expected)


def test_the_decision_can_be_switched_off():
    graph = deep().graph(256)
    free = plan(graph, TARGET)
    text = f"need at least {free.arena_bytes:,} bytes, got {free.arena_bytes - 1:,}"
    with pytest.raises(MemoryLimitError, match=re.escape(text)):
        plan(graph, TARGET, ("recompute",), free.arena_bytes - 1)


@pytest.mark.slow
def test_what_it_saves_is_the_difference_to_the_plan_without_it():
    graph = deep().graph(256)
    free = plan(graph, TARGET)
    made = plan(graph, TARGET, (), free.arena_bytes // 2)
    saved = savings(made)["recompute"]
    assert saved.arena_bytes == free.arena_bytes - made.arena_bytes > 0
    assert saved.flops == free.cost.flops - made.cost.flops < 0
    assert savings(free)["recompute"].arena_bytes == 0


@pytest.mark.slow
def test_explain_says_what_is_computed_again():
    graph = deep(4).graph(256)
    free = plan(graph, TARGET)
    made = plan(graph, TARGET, (), int(free.arena_bytes * 0.8))
    again = sum(len(step.nodes) for step in made.steps if step.phase == "recompute")
    share = made.cost.flops / free.cost.flops - 1
    assert f"{again} values are computed again, for {share:.0%} more FLOP" in explain(made)
    assert "\nRECOMPUTE " in explain(made)
    assert "recompute" in {row["phase"] for row in explain_json(made)["steps"]}
    assert "no memory limit: everything is kept" in explain(free)
    assert "RECOMPUTE" not in explain(free)
    roomy = plan(graph, TARGET, (), free.arena_bytes)
    assert f"everything fits the limit of {free.arena_bytes:,} bytes" in explain(roomy)


def test_graphs_without_a_backward_pass_are_left_alone():
    trace = Trace()
    x = trace.input("x", "data", (40, 40), "float64")
    graph: Graph = trace.graph({"y": trace.namespace.tanh(x @ x) @ x})
    assert least(graph) == plan(graph, TARGET).arena_bytes


@pytest.mark.slow
def test_ten_thousand_operations_with_a_backward_pass():
    trace = Trace()
    x = y = trace.input("x", "data", (64,), "float64")
    values = []
    for _ in range(1500):
        y = trace.namespace.tanh(trace.namespace.flip(y)) * x
        values.append(y)
    with trace.within("backward"):
        slope = x
        for value in reversed(values):
            slope = trace.namespace.flip(slope * value) + x
    graph = trace.graph({"slope": trace.namespace.sum(slope)})
    free = plan(graph, TARGET)
    assert plan(graph, TARGET, (), free.arena_bytes // 4).arena_bytes <= free.arena_bytes // 4
