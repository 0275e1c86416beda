"""Executables and programs: caching, threads, memory."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import numpy as np
import pytest

from nnkit import nn
from nnkit.backend import select
from nnkit.errors import ArgumentError, DeviceError
from nnkit.graph import Trace
from nnkit.optimizers import SGD, Adam, AdamW, ClipByGlobalNorm, RMSprop
from nnkit.optimizers.schedules import Cosine
from nnkit.plan import plan
from nnkit_numpy import create
from nnkit_numpy.device import KEPT, NumpyBackend
from tests.plan.running import BACKEND, TARGET, Bench, poison, same_bits
from tests.training.steps import Job


def doubled(size, factor=2.0):
    trace = Trace()
    x = trace.input("x", "state", (size,), "float32")
    return trace.graph({"x": x * factor})


def test_the_same_plan_is_compiled_once():
    backend = NumpyBackend()
    assert backend.compile(plan(doubled(3), TARGET)) is backend.compile(plan(doubled(3), TARGET))
    assert backend.compile(plan(doubled(3), TARGET)) is not backend.compile(plan(doubled(4), TARGET))
    assert backend.compile(plan(doubled(3), TARGET)) is not backend.compile(plan(doubled(3, 4.0), TARGET))


def test_only_the_latest_code_is_kept():
    backend = NumpyBackend()
    first = backend.compile(plan(doubled(1), TARGET))
    for size in range(2, KEPT + 2):
        backend.compile(plan(doubled(size), TARGET))
    assert len(backend._executables) == KEPT
    assert backend.compile(plan(doubled(1), TARGET)) is not first


def test_programs_of_one_executable_share_no_memory():
    values = {"x": np.ones(3, dtype="float32")}
    one, other = Bench(doubled(3), values), Bench(doubled(3), values)
    one.program.run(3)
    other.program.run(1)
    assert one.store.read(["x"])["x"].tolist() == [8.0, 8.0, 8.0]
    assert other.store.read(["x"])["x"].tolist() == [2.0, 2.0, 2.0]


def test_no_steps_do_nothing():
    bench = Bench(doubled(3), {"x": np.ones(3, dtype="float32")})
    assert bench.program.run(0) == 0
    assert bench.store.read(["x"])["x"].tolist() == [1.0, 1.0, 1.0]


def test_outputs_that_are_read_are_copies():
    trace = Trace()
    x = trace.input("x", "data", (2,), "float32")
    bench = Bench(trace.graph({"y": x + 1.0, "x again": x}), {"x": np.ones(2, dtype="float32")})
    first = bench.step()
    first["y"][:] = first["x again"][:] = 9.0
    assert bench.step()["y"].tolist() == [2.0, 2.0]


OPTIMIZERS = {
    "sgd": SGD(0.01),
    "momentum": SGD(0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": RMSprop(0.01, momentum=0.5),
    "adam": Adam(Cosine(0.01, warmup=3)),
    "adamw, clipped": ClipByGlobalNorm(AdamW(0.01), 1.0),
}


WIDTH, ROWS = 128, 128
BUFFERS = 40_000  # NumPy's own, whenever it repeats a row or a column over a matrix: at most 8192 elements


def step_with_everything(optimizer, width=WIDTH, rows=ROWS):
    """Dropout, both normalisations, penalties, weights; a pass that works in tiles, joins, products, states."""
    first = [nn.Dense(width, "gelu", l2=0.01), nn.BatchNorm(), nn.Dropout(0.3)]
    second = [nn.Dense(width, "prelu", l1=0.01), nn.LayerNorm()]
    module = nn.Sequential([nn.Flatten(), *first, *second, nn.Dense(10, "softmax")])
    job = Job(module, (8, 4), "auto", optimizer, "classes", rows=2 * rows, weighted=True, dtype="float32")
    return job.bench(rows)


@pytest.mark.parametrize(
    "optimizer", [name if name == "adam" else pytest.param(name, marks=pytest.mark.slow) for name in OPTIMIZERS]
)
def test_a_step_allocates_no_array(optimizer):
    """Activations and weights take 65 kB each; no step takes more than NumPy's buffers, and nothing is kept."""
    bench = step_with_everything(OPTIMIZERS[optimizer])
    bench.program.run(2)
    rewind = {"counter.cursor": 0}
    gc.collect()
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(25):
            bench.store.write(rewind)
            assert bench.program.run(2) == 2
        end, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - start < BUFFERS < 4 * WIDTH * ROWS
    assert end - start < 2000


@pytest.mark.slow
def test_a_thousand_steps_leave_the_memory_of_the_process_flat():
    """By the system's count of resident pages, and by Python's of what it holds."""
    psutil = pytest.importorskip("psutil")
    bench = step_with_everything(OPTIMIZERS["adam"], width=32, rows=16)
    rewind = {"counter.cursor": 0}

    def steps(count):
        for _ in range(count // 2):
            bench.store.write(rewind)
            assert bench.program.run(2) == 2

    steps(20)
    gc.collect()
    process = psutil.Process()
    resident = process.memory_info().rss
    tracemalloc.start()
    try:
        held = tracemalloc.get_traced_memory()[0]
        steps(1000)
        kept = tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    assert kept < 2000
    assert process.memory_info().rss - resident < 2_000_000


def test_sorting_allocates_its_indices():
    """NumPy sorts indices only into new memory: the one exception, in sparsemax."""
    job = Job(nn.Dense(300, "sparsemax"), (8,), "mean_squared_error", SGD(0.01), rows=64)
    bench = job.bench(32)
    assert "argsort" in {node.operation for _, node in bench.plan.graph}
    bench.program.run(1)
    tracemalloc.start()
    try:
        bench.program.run(1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 32 * 300 * 8


@pytest.mark.slow
def test_a_program_that_is_dropped_leaves_no_memory():
    def once():
        step_with_everything(SGD(0.01)).program.run(1)
        gc.collect()

    once()
    tracemalloc.start()
    try:
        once()
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            once()
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert grown < bench_bytes() / 4


def bench_bytes():
    return step_with_everything(SGD(0.01)).program.memory()


def test_programs_in_two_threads_compute_what_they_compute_alone():
    def trained(optimizer, results, name):
        bench = step_with_everything(optimizer, 24, 16)
        for _ in range(5):
            bench.store.write({"counter.cursor": 0})
            bench.program.run(2)
        results[name] = bench.store.read(bench.states)

    alone, together = {}, {}
    for name, optimizer in OPTIMIZERS.items():
        trained(optimizer, alone, name)
    threads = [threading.Thread(target=trained, args=(o, together, name)) for name, o in OPTIMIZERS.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, values in alone.items():
        same_bits(together[name], values)


def test_the_same_step_twice_gives_the_same_bits_whatever_was_in_memory():
    first, second = (step_with_everything(OPTIMIZERS["adam"], 24, 16) for _ in range(2))
    second.program._arena[:] = 0
    poison(first.program)
    for bench in (first, second):
        bench.program.run(2)
    same_bits(first.store.read(first.states), second.store.read(second.states))


def test_floating_point_warnings_stay_off_and_come_back():
    trace = Trace()
    x = trace.input("x", "data", (2,), "float32")
    bench = Bench(
        trace.graph({"y": 1.0 / x, "z": trace.namespace.exp(1000.0 / x)}), {"x": np.zeros(2, dtype="float32")}
    )
    before = np.geterr()
    assert np.isinf(bench.step()["y"]).all()
    assert np.geterr() == before


def test_there_is_one_cpu():
    assert create("").name == create("0").name == "cpu"
    with pytest.raises(DeviceError, match="device 'cpu:1': this machine has one processor to NumPy; use device='cpu'"):
        create("1")
    with pytest.raises(DeviceError, match="one processor"):
        select("cpu:1")


def test_devices_are_found_by_name():
    assert select("cpu") is BACKEND
    with pytest.raises(DeviceError, match=r"there is no backend for device 'tpu' here: installed devices: .*cpu"):
        select("tpu")
    with pytest.raises(DeviceError, match=r"device 'cuda:1' here: it takes an NVIDIA GPU, CuPy \(pip install"):
        select("cuda:1")
    for wrong in ("", 3, None):
        with pytest.raises(ArgumentError, match="device must be a name such as 'cpu' or 'cuda', got"):
            select(wrong)


def test_host_arrays_are_shared_and_made_contiguous():
    array = np.ones((3, 4))
    assert np.shares_memory(BACKEND.to_device(array), array)
    assert BACKEND.to_device(array.T).flags.c_contiguous
    BACKEND.overwrite(array, np.zeros((3, 4)))
    assert not array.any()
