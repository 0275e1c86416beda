"""The kernels of the GPU, compiled for this processor: every row of the table, its derivatives, and random graphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnkit.graph import Trace
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source.pieces import Product
from tests.backends.test_native import together, value
from tests.cuda.stand_in import HostRuntime, compiler
from tests.graph.table import TABLE
from tests.graph.test_primitives import derived
from tests.plan.random_graphs import RandomGraph
from tests.plan.running import Bench, close, poison
from tests.plan.test_random_graphs import DISABLED, LENGTHS, SEEDS
from tests.training.architectures import PLAIN, jobs
from tests.training.steps import steady

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C++ compiler here")

BACKEND = CupyBackend("cuda", HostRuntime())


def bench(graph, values, **options) -> Bench:
    return Bench(graph, values, target=BACKEND.target(), backend=BACKEND, **options)


@pytest.mark.parametrize("part", range(4))
def test_rows(part: int) -> None:
    made = bench(*together(TABLE[part::4], value))
    poison(made.program)
    close(made.step(), made.expected(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("part", range(8))
def test_rows_with_their_derivatives(part: int) -> None:
    made = bench(*together(TABLE[part::8], derived))
    poison(made.program)
    close(made.step(), made.expected(), rtol=1e-9, atol=1e-10)


SETTINGS = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@settings(SETTINGS, max_examples=25)
@given(jobs(PLAIN))
def test_whole_steps(job) -> None:
    graph = job[0].graph(job[1])
    values = job[0].values(graph)
    made = bench(graph, values)
    poison(made.program)
    for expected in steady(graph, values):
        close(made.step(), expected, rtol=1e-7, atol=1e-9)


@settings(SETTINGS, max_examples=60)
@given(SEEDS, LENGTHS, DISABLED, st.sampled_from(["float32", "float64"]))
def test_random_graphs(seed: int, operations: int, disable: tuple[str, ...], dtype: str) -> None:
    drawn = RandomGraph(seed, operations, dtype=dtype)
    made = bench(drawn.graph, drawn.inputs, disable=disable)
    precision = 1e-9 if dtype == "float64" else 2e-4
    for _ in range(3):
        close(made.step(), made.expected(), precision, precision)


@settings(SETTINGS, max_examples=25)
@given(SEEDS, LENGTHS, st.booleans())
def test_behind_a_guard_all_states_change_or_none(seed: int, operations: int, allowed: bool) -> None:
    drawn = RandomGraph(seed, operations, guarded=allowed)
    made = bench(drawn.graph, drawn.inputs)
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
def test_products_of_our_own(flags: tuple[bool, bool]) -> None:
    trace, values, outputs = Trace(), {}, {}
    draw = np.random.default_rng(0)
    for m, n, k in SHAPES:
        sides = []
        for name, shape, flag in (("a", (m, k), flags[0]), ("b", (k, n), flags[1])):
            values[f"{name}{m},{n},{k}"] = draw.normal(size=shape[::-1] if flag else shape).astype("float32")
            side = trace.input(f"{name}{m},{n},{k}", "data", shape[::-1] if flag else shape, "float32")
            sides.append(trace.namespace.matrix_transpose(side) if flag else side)
        outputs[f"{m},{n},{k}"] = trace.namespace.matmul(*sides)
    made = bench(trace.graph(outputs), values)
    assert not any(isinstance(item, Product) for item in BACKEND.compile(made.plan).code.launches)
    poison(made.program)
    close(made.step(), made.expected(), rtol=1e-4, atol=1e-4)
