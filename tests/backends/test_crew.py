"""Several threads on one native program: how work is divided, who waits, and what happens when one cannot come."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from nnkit import nn
from nnkit.graph import Trace
from nnkit.optimizers import Adam
from nnkit.plan import plan
from nnkit_numpy import cores
from nnkit_numpy.device import NATIVE
from nnkit_numpy.memory import NumpyStore
from nnkit_numpy.native.helpers import ABORT, Helpers
from nnkit_numpy.native.loops import DIVISIBLE, EMIT
from nnkit_numpy.native.pace import EVERY, LEAST, RECENT, Pace
from nnkit_numpy.native.passes import TOGETHER
from nnkit_numpy.native.program import NativeExecutable, compiled
from nnkit_numpy.native.source import source
from tests.backends.test_native import small
from tests.backends.threads import CREW, crew
from tests.plan.running import Bench, same_bits
from tests.training.steps import Job

pytest.importorskip("llvmlite")


pytestmark = pytest.mark.usefixtures("native_cache")


def job(rows=128):
    module = nn.Sequential([nn.Dense(24, "tanh"), nn.Dense(5, "softmax")])
    return Job(module, (12,), "auto", Adam(), "classes", rows=rows)


def test_one_thread_that_does_the_work_of_all_gets_the_same_bits():
    graph = job().graph(32)
    values = job().values(graph)
    results = {}
    for together in (True, False):
        bench = Bench(graph, values, target=CREW)
        assert bench.plan.threads == 3
        assert bench.program._go(3, together) == 3
        results[together] = bench.program.read(bench.others) | bench.store.read(bench.states)
    same_bits(results[True], results[False])


def test_threads_take_the_columns_of_a_large_product_from_each_other():
    trace = Trace()
    a, b = (trace.input(name, "data", shape, "float32") for name, shape in (("a", (150, 1100)), ("b", (1100, 1200))))
    graph = trace.graph({"y": trace.namespace.matmul(a, b) + 1})
    draw = np.random.default_rng(0)
    values = {name: draw.normal(size=graph.nodes[i].shape).astype(np.float32) for name, i in graph.inputs.items()}
    results = []
    for target, together in ((CREW, True), (CREW, False), (replace(NATIVE, threads=1), False)):
        made = plan(graph, target)
        assert TOGETHER in source(made).text
        program = NativeExecutable(made).bind(NumpyStore(), values)
        assert program._go(3, together) == 3
        results.append(program.read(["y"])["y"])
    np.testing.assert_allclose(results[0], values["a"] @ values["b"] + 1, atol=2e-3)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_only_kernels_that_can_be_divided_are_shared():
    made = plan(job().graph(32), CREW)
    shared = {step.kernel for step in made.steps if step.shared}
    assert {"fused", "matmul", "take"} <= shared <= set(DIVISIBLE)
    text = source(made).text
    assert text.count("meet(addresses[1]") > sum(step.shared for step in made.steps) / 2
    assert "scatter_add" in EMIT
    assert "scatter_add" not in DIVISIBLE


def test_a_single_step_must_be_worth_bringing_threads_together():
    graph = job().graph(32)
    alone = replace(NATIVE, threads=1)
    cheap = replace(NATIVE, threads=2, start_s=1e-9, meet_s=1e-9)
    step_s = plan(graph, alone).cost.seconds
    assert plan(graph, cheap).threads == 2
    assert plan(graph, replace(cheap, start_s=step_s, run_steps=1)).threads == 1
    assert plan(graph, replace(cheap, start_s=step_s, run_steps=100)).threads == 2


def test_what_a_product_reads_from_other_cores_must_be_worth_it():
    """Half of its operands, with two threads."""
    graph = job().graph(32)
    near, far = (replace(crew(2), near_bytes_per_s=rate) for rate in (1e30, 1e6))
    assert any(step.shared for step in plan(graph, near).steps if step.kernel == "matmul")
    assert not any(step.shared for step in plan(graph, far).steps if step.kernel == "matmul")
    one, two = (plan(graph, replace(near, near_bytes_per_s=rate)) for rate in (1e30, 1e12))
    extra = sum(step.cost.nbytes for step in two.steps if step.kernel == "matmul") / 2 / 1e12
    assert two.cost.seconds - one.cost.seconds == pytest.approx(extra, rel=1e-3)


def test_one_thread_never_waits():
    assert "met = meet" not in source(plan(job().graph(32), NATIVE)).text


def test_layers_of_one_shape_share_their_kernels():
    def kernels(depth):
        module = nn.Sequential([*(nn.Dense(12, "tanh") for _ in range(depth)), nn.Dense(5, "softmax")])
        graph = Job(module, (12,), "auto", Adam(), "classes", rows=64).graph(32)
        return source(plan(graph, NATIVE)).text.count("def kernel")

    assert kernels(10) == kernels(5)


class Interrupted(BaseException):
    """As Ctrl-C between two lines."""


def test_helpers_leave_when_the_caller_never_comes():
    gate, seen = np.zeros(1, np.int64), []

    def run(addresses, steps, who):
        while not gate[0] >= ABORT:
            pass
        seen.append(who)
        return 0

    def interrupted():
        with Helpers(2).beside(gate, run, gate, 5):
            raise Interrupted

    with pytest.raises(Interrupted):
        interrupted()
    assert sorted(seen) == [1, 2]


def test_an_interrupted_program_runs_again(monkeypatch):
    graph = job().graph(32)
    bench = Bench(graph, job().values(graph), target=CREW)
    native, calls = bench.program._native, []

    def once(addresses, steps, who):
        if who == 0 and not calls:
            calls.append(who)
            raise Interrupted
        return native(addresses, steps, who)

    monkeypatch.setattr(bench.program, "_native", once)
    before = bench.store.read(bench.states)
    with pytest.raises(Interrupted):
        bench.program._go(3, True)
    same_bits(bench.store.read(bench.states), before)
    assert bench.program._go(3, True) == 3


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not tell")
def test_helpers_stay_off_the_core_of_the_caller():
    before = os.sched_getaffinity(0)
    first = min(before)
    seen = []

    def run(addresses, steps, who):
        seen.append(os.sched_getaffinity(0))
        return steps

    os.sched_setaffinity(0, {first})
    try:
        with Helpers(1).beside(np.zeros(1, np.int64), run, np.zeros(1, np.int64), 1):
            pass
        assert seen == [{first}]  # there is no other
        os.sched_setaffinity(0, before)
        with Helpers(1).beside(np.zeros(1, np.int64), run, np.zeros(1, np.int64), 1):
            assert os.sched_getaffinity(0) == before
    finally:
        os.sched_setaffinity(0, before)
    if len(before) > 1:
        assert len(seen[1]) == len(before) - 1
        assert seen[1] < before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_starts_helpers_of_its_own():
    helpers = Helpers(1)
    first = helpers._ready()
    assert helpers._ready() is first
    helpers._process = -1
    assert helpers._ready() is not first


def seconds(monkeypatch, costs):
    """A clock that each step moves on by the cost of its way."""
    now = [0.0]
    monkeypatch.setattr("nnkit_numpy.native.pace.time", SimpleNamespace(perf_counter=lambda: now[0]))
    went = []

    def go(steps, together):
        now[0] += steps * costs[together]
        went.append((steps, together))
        return steps

    return go, went


def test_the_faster_way_is_gone(monkeypatch):
    costs = {True: 1.0, False: 1.5}
    go, went = seconds(monkeypatch, costs)
    pace = Pace()
    for _ in range(30):
        assert pace.run(16, go) == 16
    assert sum(steps for steps, together in went if not together) == (1 + (30 - 2) // EVERY[0]) * LEAST
    costs[True] = 10.0  # other work has come
    for _ in range(RECENT + 1):
        pace.run(16, go)
    assert went[-1][1] is False
    costs[True] = 1.0  # and gone
    for _ in range(2 * EVERY[1]):
        pace.run(16, go)
    assert went[-1][1] is True


def test_one_slow_run_changes_nothing(monkeypatch):
    costs = {True: 1.0, False: 1.5}
    go, went = seconds(monkeypatch, costs)
    pace = Pace()
    for slow in (False, False, False, True, False):
        costs[True] = 9.0 if slow else 1.0
        pace.run(16, go)
    assert went[-1] == (16, True)


def test_a_refused_step_ends_the_run(monkeypatch):
    pace = Pace()
    done = [pace.run(16, lambda steps, together: steps) for _ in range(1)]
    assert done == [16]
    assert pace.run(16, lambda steps, together: 1) == 1
    assert Pace().run(4, lambda steps, together: 0) == 0


@pytest.mark.parametrize(("text", "limit"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", None)])
def test_the_quota_of_a_container_counts(tmp_path, monkeypatch, text, limit):
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    assert cores._quota() is None
    (tmp_path / "cpu.max").write_text(text)
    assert cores._quota() == limit


def test_a_person_may_want_fewer_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert cores.cores() == 1
    monkeypatch.setenv("NNKIT_NUM_THREADS", "0")
    assert cores._wanted() is None
    monkeypatch.delenv("NNKIT_NUM_THREADS")
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert cores.cores() >= 1


def test_a_fit_by_several_threads_equals_one_by_one(monkeypatch):
    found = {}
    for threads in (1, 3):
        target = crew(threads)
        monkeypatch.setattr("nnkit_numpy.device._native", lambda target=target: target)
        net, x, y = small()
        run = net.fit(x, y, epochs=3, batch_size=8, compile="first", progress=False)
        found[threads] = (net.parameters(), run.history["loss"])
    for path, value in found[1][0].items():
        np.testing.assert_allclose(found[3][0][path], value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found[3][1], found[1][1], rtol=1e-10)


def lagging(text):
    """The program in which the thread whose number stands beside the gate is late at every piece."""
    wait = "{0}if who == arrived(addresses[1] + 8):\n{0}    for _ in range(2000):\n{0}        pause()\n{0}"
    head, steps, body = text.partition("def steps(")
    return head + steps + re.sub(r"^( +)(?=kernel\d+\()", lambda found: wait.format(found[1]), body, flags=re.MULTILINE)


LAYERS = [
    *(nn.Dense(40, "relu"), nn.BatchNorm(), nn.Dropout(0.3)),
    *(nn.Dense(36, "tanh"), nn.LayerNorm(), nn.Dense(3, "softmax")),
]


@pytest.mark.slow
def test_threads_meet_wherever_one_needs_what_another_did():
    this = Job(nn.Sequential(LAYERS), (28,), "auto", Adam(0.01), "classes", rows=128)
    graph = this.graph(64)
    values = this.values(graph)
    results = []
    run = compiled(lagging(source(plan(graph, CREW)).text))
    for late in (None, 0, 1, 2):
        bench = Bench(graph, values, target=CREW)
        assert bench.plan.threads == 3
        bench.program._native = run
        if late is not None:
            bench.program._gate[1] = late
        assert bench.program._go(2, late is not None) == 2
        results.append(bench.program.read(bench.others) | bench.store.read(bench.states))
    for found in results[1:]:
        same_bits(found, results[0])


def test_a_forward_pass_needs_no_meeting():
    """Each thread goes through all layers with rows of its own."""
    layers = [nn.Dense(40, "relu") for _ in range(6)]
    counts = []
    for depth in (3, 6):
        graph = Job(nn.Sequential([*layers[:depth], nn.Dense(3, "softmax")]), (40,), "auto", Adam(), "classes").graph(
            64
        )
        counts.append(source(plan(graph, CREW)).text.count("meet(addresses[1]"))
    assert counts[1] - counts[0] <= 2 * 3
