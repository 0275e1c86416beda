"""The programs of the GPU, there and compiled for the processor: rows of the table, whole steps, random graphs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnkit
from nnkit import nn
from nnkit.graph import Trace
from nnkit.optimizers import Adam
from nnkit.plan import plan
from nnkit.training.graphs import training_graph
from nnkit.training.objective import objective
from nnkit.training.targets import usual_signature
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source.launches import module
from nnkit_cupy.source.pieces import Product
from tests.backends.test_native import together, value
from tests.graph.table import TABLE
from tests.graph.test_primitives import derived
from tests.plan.random_graphs import RandomGraph
from tests.plan.running import Bench, close, same_bits
from tests.plan.test_random_graphs import DISABLED, LENGTHS, SEEDS
from tests.training.architectures import PLAIN, jobs
from tests.training.steps import Job, steady


def bench(backend: CupyBackend, graph, values, **options) -> Bench:
    made = Bench(graph, values, target=backend.target(), backend=backend, **options)
    made.program._runtime.overwrite(made.program._arena, np.uint8(255))  # what is read before it is written shows
    return made


@pytest.mark.parametrize("part", range(4))
def test_rows(device: CupyBackend, part: int) -> None:
    made = bench(device, *together(TABLE[part::4], value))
    close(made.step(), made.expected(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("part", range(8))
def test_rows_with_their_derivatives(device: CupyBackend, part: int) -> None:
    made = bench(device, *together(TABLE[part::8], derived))
    close(made.step(), made.expected(), rtol=1e-9, atol=1e-10)


SETTINGS = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@settings(SETTINGS, max_examples=5)
@given(jobs(PLAIN))
def test_whole_steps(device: CupyBackend, job) -> None:
    graph = job[0].graph(job[1])
    values = job[0].values(graph)
    made = bench(device, graph, values)
    for expected in steady(graph, values):
        close(made.step(), expected, rtol=1e-7, atol=1e-9)


@settings(SETTINGS, max_examples=12)
@given(SEEDS, LENGTHS, DISABLED)
@pytest.mark.slow
def test_random_graphs(device: CupyBackend, seed: int, operations: int, disable: tuple[str, ...]) -> None:
    drawn = RandomGraph(seed, operations)
    made = bench(device, drawn.graph, drawn.inputs, disable=disable)
    for _ in range(3):
        close(made.step(), made.expected())


@settings(SETTINGS, max_examples=6)
@given(SEEDS, LENGTHS, st.booleans())
def test_behind_a_guard_all_states_change_or_none(
    device: CupyBackend, seed: int, operations: int, allowed: bool
) -> None:
    drawn = RandomGraph(seed, operations, guarded=allowed)
    made = bench(device, drawn.graph, drawn.inputs)
    before = made.store.read(made.states)
    expected = made.expected()
    assert made.program.run(1) == allowed
    close(made.store.read(made.states), {name: expected[name] for name in made.states} if allowed else before)


SHAPES = [
    (1, 1, 1),
    (64, 128, 784),
    (64, 10, 128),
    (784, 128, 64),
    (64, 128, 10),
    (33, 65, 7),
    (130, 40, 36),
    (5, 513, 3),
]


@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True), (True, True)])
def test_products_of_our_own(device: CupyBackend, flags: tuple[bool, bool]) -> None:
    trace, values, outputs = Trace(), {}, {}
    draw = np.random.default_rng(0)
    for m, n, k in SHAPES:
        sides = []
        for name, shape, flag in (("a", (m, k), flags[0]), ("b", (k, n), flags[1])):
            values[f"{name}{m},{n},{k}"] = draw.normal(size=shape[::-1] if flag else shape).astype("float32")
            side = trace.input(f"{name}{m},{n},{k}", "data", shape[::-1] if flag else shape, "float32")
            sides.append(trace.namespace.matrix_transpose(side) if flag else side)
        outputs[f"{m},{n},{k}"] = trace.namespace.matmul(*sides)
    made = bench(device, trace.graph(outputs), values)
    assert not any(isinstance(item, Product) for item in device.compile(made.plan).code.launches)
    close(made.step(), made.expected(), rtol=1e-4, atol=1e-4)


def test_many_steps_in_one_graph(device: CupyBackend) -> None:
    """The stand-in runs what need not wait in another order each time: the states are those of steps one by one."""
    module = nn.Sequential([nn.Dense(6, "tanh"), nn.Dropout(0.3), nn.Dense(3, "softmax")])
    job = Job(module, (4,), "auto", Adam(0.01), "classes", rows=200)
    graph = job.graph(8)
    many, single = bench(device, graph, job.values(graph)), bench(device, graph, job.values(graph))
    assert many.program.run(23) == 23
    assert many.program._replays.keys() == {8, 1}
    assert sum(single.program.run(1) for _ in range(23)) == 23
    same_bits(many.store.read(many.states), single.store.read(single.states))


def test_small_steps_share_kernels_and_memory(stand_in: CupyBackend) -> None:
    """Of a deep tiny network a block does sixteen pieces in one kernel, which use the same memory in turn."""
    net = nnkit.FeedForward(4, 3, [8] * 24, output_activation="softmax")
    goal = objective(net.module, "auto")
    target = usual_signature(goal, net._model.layout)
    graph = training_graph(net._model.layout, goal, Adam(0.01).resolved(10), target, 32, weighted=False)
    code = module(plan(graph, stand_in.target()))
    assert len(code.launches) < 20
    assert max(map(int, re.findall(r"char shared\[(\d+)\]", code.text))) <= 48 << 10
