"""Native programs: every row of the table, whole training steps of random jobs, and what stands in their way."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import nnkit
from nnkit.backend import NoNativeFormError
from nnkit.graph import Trace, interpret
from nnkit.optimizers import SGD
from nnkit.plan import plan
from nnkit_numpy.device import NATIVE
from nnkit_numpy.native import program
from tests.backends.threads import CREW, crew
from tests.graph.table import TABLE
from tests.graph.test_primitives import derived
from tests.plan.random_graphs import RandomGraph
from tests.plan.running import Bench, close, poison
from tests.training.architectures import ADAPTIVE, PLAIN, jobs
from tests.training.steps import steady

pytest.importorskip("llvmlite")


pytestmark = pytest.mark.usefixtures("native_cache")


def together(cases, graph_of):
    """One graph of many cases, since each compilation takes seconds."""
    trace, outputs, values = Trace(), {}, {}
    for number, case in enumerate(cases):
        graph = graph_of(case, case.arrays)
        given = {}
        for name, position in graph.inputs.items():
            node = graph.nodes[position]
            given[name] = trace.input(f"{number} {name}", "data", node.shape, node.dtype)
            values[f"{number} {name}"] = case.arrays[int(name)]
        found = interpret(graph, trace.namespace, given)
        outputs |= {f"{number} {case} {name}": value for name, value in found.items()}
    return trace.graph(outputs), values


def value(case, arrays):
    trace = Trace()
    given = [trace.input(str(i), "data", array.shape, str(array.dtype)) for i, array in enumerate(arrays)]
    return trace.graph({"value": case.call(trace.namespace, *given)})


def check_rows(cases, graph_of):
    bench = Bench(*together(cases, graph_of), target=CREW)
    expected = bench.expected()
    for together_ in (True, False):
        poison(bench.program)
        bench.program._go(1, together_)
        close(bench.program.read(bench.others), expected, rtol=1e-12, atol=1e-12)


def portions(size):
    found = [TABLE[i : i + size] for i in range(0, len(TABLE), size)]
    return pytest.mark.parametrize("cases", found, ids=lambda cases: str(cases[0]))


@portions(32)
def test_every_row(cases):
    check_rows(cases, value)


@pytest.mark.slow
@portions(8)
def test_every_row_with_its_derivatives(cases):
    check_rows(cases, derived)


def check_steps(job, batch, *targets):
    graph = job.graph(batch)
    values = job.values(graph)
    benches = [Bench(graph, values, target=target) for target in targets]
    for expected in steady(graph, values):
        for bench in benches:
            close(bench.step(), expected, rtol=1e-7, atol=1e-9)


SETTINGS = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@settings(SETTINGS, max_examples=3)
@given(jobs(PLAIN))
def test_whole_steps(job):
    check_steps(*job, CREW)


@pytest.mark.slow
@settings(SETTINGS, max_examples=3)
@given(jobs(ADAPTIVE))
def test_whole_steps_with_an_adaptive_optimizer(job):
    graph = job[0].graph(job[1])
    bench = Bench(graph, job[0].values(graph), target=NATIVE)
    # A gradient that is truly zero becomes a step out of rounding: gradients are compared, not what Adam makes of them.
    got, expected = bench.step(), bench.expected()
    close({n: got[n] for n in got if n.startswith("metric")}, {n: expected[n] for n in expected if "metric" in n})


@pytest.mark.slow
@settings(SETTINGS, max_examples=150)
@given(jobs(PLAIN))
def test_whole_steps_at_length(job):
    check_steps(*job, NATIVE, CREW)


def test_rows_taken_from_the_end_of_a_part_of_the_data():
    """They count from the end of the part, not of the data that it looks at."""
    trace = Trace()
    x = trace.input("x", "data", (5, 2), "float64")
    chosen = trace.namespace.asarray(np.array([-1, -4, 0]))
    graph = trace.graph({"y": trace.namespace.take(x[:4, :], chosen, axis=0)})
    bench = Bench(graph, {"x": np.arange(10.0).reshape(5, 2)}, target=CREW)
    close(bench.step(), bench.expected())


def check_random_graph(seed, tile_bytes):
    drawn = RandomGraph(seed, 40)
    benches = [Bench(drawn.graph, drawn.inputs, target=crew(threads, tile_bytes=tile_bytes)) for threads in (1, 3)]
    for _ in range(2):
        expected = benches[0].expected()
        for bench in benches:
            close(bench.step(), expected)


@pytest.mark.parametrize("tile_bytes", [512, 1 << 19])
@pytest.mark.parametrize("seed", range(4))
def test_random_graphs(seed, tile_bytes):
    check_random_graph(seed, tile_bytes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_many_random_graphs(seed):
    check_random_graph(seed, 512)


def small(seed=0, dtype="float64"):
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(50, 3)), draw.integers(0, 2, 50)
    net = nnkit.FeedForward(3, 2, [5], activation="tanh", output_activation="softmax", dtype=dtype, seed=seed)
    return net, x, y


def trained(mode, optimizer=None, **options):
    net, x, y = small()
    run = net.fit(
        x, y, epochs=3, batch_size=8, optimizer=optimizer or SGD(0.1), compile=mode, progress=False, **options
    )
    return net, run


def test_fit_equals_the_plain_program_the_last_smaller_batch_included():
    (native, first), (plain, off) = trained("first"), trained("off")
    assert first.record.training["program"]["kind"] == "native"
    assert off.record.training["program"]["kind"] == "plain"
    assert first.record.training["program"]["fallbacks"] == []
    close(native.parameters(), plain.parameters(), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(first.history["loss"], off.history["loss"], rtol=1e-12)
    assert first.history["accuracy"] == off.history["accuracy"]


def test_the_same_bits_again_from_the_cache():
    once, again = (trained("first")[0].parameters() for _ in range(2))
    for path, value in once.items():
        np.testing.assert_array_equal(value, again[path])


def test_auto_compiles_only_what_pays():
    assert trained("auto")[1].record.training["program"]["kind"] == "plain"


def test_a_step_that_diverges_is_not_committed():
    results = {}
    for mode in ("first", "off"):
        x, y = small()[1:]
        net = nnkit.FeedForward(3, 1, [5], activation="identity", dtype="float64", seed=0)
        with pytest.warns(nnkit.errors.NnkitWarning, match="NaN or infinite"):
            run = net.fit(x, y * 1.0, epochs=5, optimizer=SGD(1e200), compile=mode, progress=False)
        assert all(np.isfinite(value).all() for value in net.parameters().values())
        results[mode] = (net.parameters(), str(run.failure))
    assert results["first"][1] == results["off"][1]
    close(results["first"][0], results["off"][0])


def test_threads_get_what_each_gets_alone():
    alone, together = {}, {}

    def train(seed, results):
        net, x, y = small(seed)
        net.fit(x, y, epochs=20, batch_size=8, compile="first", progress=False)
        results[seed] = net.parameters()

    for seed in range(2):
        train(seed, alone)
    threads = [Thread(target=train, args=(seed, together)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(2):
        for path, value in alone[seed].items():
            np.testing.assert_array_equal(together[seed][path], value)


def test_without_llvmlite_the_plain_program_runs_and_the_record_says_why(monkeypatch):
    monkeypatch.setattr(program, "find_spec", lambda name: None)
    run = trained("first", SGD(0.1, momentum=0.25))[1]  # a plan that no other test has compiled
    assert run.record.training["program"]["kind"] == "plain"
    assert run.record.training["program"]["fallbacks"] == [
        "native programs need llvmlite, from the extra 'fast': pip install 'nnkit[fast]'"
    ]


def refused(call, *inputs):
    trace = Trace()
    given = [trace.input(str(i), "data", shape, dtype) for i, (shape, dtype) in enumerate(inputs)]
    graph = trace.graph({"y": call(trace.namespace, *given)})
    with pytest.raises(NoNativeFormError) as refusal:
        nnkit.backend.select("cpu").compile(plan(graph, NATIVE))
    return str(refusal.value)


def test_half_precision_has_no_native_form():
    assert refused(lambda xp, x: x + x, ((3,), "float16")) == "float16 has no native arithmetic on this processor"
