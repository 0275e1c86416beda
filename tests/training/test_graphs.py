"""The graph of the training step and its program: whatever the architecture, loss and optimiser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit import nn, ops
from nnkit.optimizers import SGD, Adam
from nnkit.plan import DECISIONS
from tests.plan.memory import check_memory
from tests.plan.running import TARGET, close, same_bits
from tests.training.architectures import ADAPTIVE, PLAIN, jobs
from tests.training.steps import Job, steady

DISABLED = st.sampled_from([(), (), *((name,) for name in DECISIONS), tuple(DECISIONS)])
TARGETS = st.sampled_from([TARGET, replace(TARGET, tile_bytes=256)])
QUICK = settings(max_examples=30, deadline=None)


@QUICK
@given(jobs(st.one_of(PLAIN, ADAPTIVE)), DISABLED, TARGETS)
def test_the_program_is_the_planned_graph_bit_for_bit(job, disable, target):
    job, batch = job
    bench = job.bench(batch, disable, target)
    check_memory(bench.plan)
    for _ in range(3):
        expected = bench.expected_bits()
        same_bits(bench.step(), expected)


@pytest.mark.slow
@QUICK
@given(jobs(PLAIN), DISABLED, TARGETS)
def test_the_program_is_the_recorded_graph_to_rounding(job, disable, target):
    """Without adaptive optimisers, which turn a gradient of mere rounding into a whole step."""
    job, batch = job
    bench = job.bench(batch, disable, target)
    for expected in steady(bench.graph, bench.values):
        close(bench.step(), expected, rtol=1e-7)


def layered():
    return nn.Sequential([nn.Dense(6, "relu"), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(3, "softmax")])


def everything(bench):
    return {leaf.name: bench.store.array(leaf.name).tobytes() for leaf in bench.store.leaves()}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_bad_row_changes_nothing_at_all(value):
    """Three good batches, then one with a bad row: no parameter, moment, counter, metric or state moves."""
    job = Job(layered(), (4,), "auto", Adam(0.1), "classes", rows=23)
    job.x[23 - 1 - 3 * 5, 2] = value  # the order is backwards
    bench = job.bench(5)
    assert bench.program.run(2) == 2
    assert bench.program.run(9) == 1
    before = everything(bench)
    assert bench.program.run(9) == 0
    assert everything(bench) == before
    assert bench.store.read(["counter.step", "counter.cursor"]) == {"counter.step": 3, "counter.cursor": 15}


class Root(nn.Module):
    """Finite everywhere, with an infinite derivative at 0."""

    def __init__(self):
        self.weight = nn.Parameter((nn.leaves.INPUTS, 2))
        self.seen = nn.State((), 0.0)

    def __call__(self, x, run):
        if run.training:
            run.update(self, seen=self.seen + 1.0)
        return ops.namespace(x).sqrt(x @ self.weight * 0.0)


def test_an_infinite_gradient_of_a_finite_loss_changes_nothing():
    bench = Job(Root(), (4,), "mean_absolute_error", SGD(0.1, momentum=0.9)).bench(5)
    before = everything(bench)
    assert np.isfinite(bench.expected()["metric.loss"])
    assert bench.program.run(1) == 0
    assert everything(bench) == before


def test_batches_follow_the_order_and_the_last_may_be_smaller():
    """The step of a smaller batch goes on where the others ended, on the same arrays."""
    job = Job(layered(), (4,), "auto", SGD(0.1), "classes", rows=23)
    whole, rest = job.bench(5), job.bench(3)
    whole.program.run(4)
    rest.store.write(whole.store.read(name for name in whole.lasting))
    rest.values |= whole.store.read(whole.lasting)
    assert rest.values["counter.cursor"] == 20
    expected = rest.expected_bits()
    same_bits(rest.step(), expected)
    assert rest.store.read(["metric.weight"])["metric.weight"] == 23.0


def test_metrics_add_up_exactly():
    """Loss times rows and correct predictions, summed over the epoch, are those of every batch by itself."""
    job = Job(nn.Dense(3, "softmax"), (4,), "auto", SGD(0.0), "classes", rows=20)
    bench = job.bench(5)
    bench.program.run(4)
    sums = bench.store.read(["metric.loss", "metric.weight", "metric.correct"])
    logits = job.x @ job.split(bench.values["parameter"])["weight"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    chances = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = -np.log(chances[np.arange(20), job.y])
    np.testing.assert_allclose(sums["metric.loss"], losses.sum(), rtol=1e-13)
    assert sums["metric.weight"] == 20.0
    assert sums["metric.correct"] == np.sum(chances.argmax(axis=1) == job.y)


def test_weights_weigh_and_a_batch_that_weighs_nothing_does_nothing():
    job = Job(nn.Dense(2), (3,), "auto", SGD(0.1), weighted=True, rows=10)
    job.weight[:5] = 0.0
    bench = job.bench(5)
    bench.program.run(1)
    prediction = job.x @ job.split(bench.values["parameter"])["weight"]
    losses = np.mean((prediction - job.y) ** 2, axis=1)
    sums = bench.store.read(["metric.loss", "metric.weight"])
    np.testing.assert_allclose(sums["metric.loss"], np.sum(losses[5:] * job.weight[5:]), rtol=1e-13)
    np.testing.assert_allclose(sums["metric.weight"], job.weight[5:].sum(), rtol=1e-15)
    before = bench.store.read(["parameter", "metric.loss"])
    assert bench.program.run(1) == 1
    same_bits(bench.store.read(["parameter", "metric.loss"]), before)


def test_the_gradient_of_the_input_is_dropped():
    job = Job(layered(), (4,), "auto", SGD(0.1), "classes")
    shapes = {node.shape for _, node in job.bench(5).plan.graph if node.origin.phase == "backward"}
    assert (5, 4) not in shapes
    assert (5, 4) in {node.shape for _, node in job.bench(5, ("drop_unused",)).plan.graph if node.operation == "matmul"}


def test_gradients_are_computed_in_their_place_and_states_over_themselves():
    bench = Job(nn.Sequential([nn.Dense(6, "relu"), nn.Dense(3, "softmax")]), (4,), "auto", Adam(), "classes").bench(5)
    joins = [step for step in bench.plan.steps if step.kernel == "concat"]
    assert [step.cost.nbytes for step in joins] == [0]
    over = {
        bench.plan.graph.nodes[slot.ref].options["name"] for slot in bench.plan.slots.values() if slot.kind == "state"
    }
    assert {"parameter", "moment.first", "moment.second"} <= over
