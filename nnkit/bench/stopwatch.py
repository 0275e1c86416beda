"""A planned step by the stopwatch: each of its kernels, and the whole."""

from __future__ import annotations

import time
from statistics import median

from nnkit.bench.frameworks.programs import allocated, resident
from nnkit.bench.job import Job
from nnkit.network import Network
from nnkit.plan import Plan
from nnkit.plan.explain import Measured
from nnkit.training.precision import FULL

ROUNDS = 31


def measured(network: Network, made: Plan, batch: int, optimizer: str, loss: str, precision: str = FULL) -> Measured:
    """A training step of a network by its plan, on random data and fresh weights."""
    job = Job.of(network, batch, optimizer, loss)
    fresh = job.network()
    allocated(fresh, job, precision)
    model = fresh._model
    program = model.backend.compile(made).bind(model.store, resident(fresh, job.data()))

    def whole() -> float:
        model.store.write({"counter.cursor": 0})
        began = time.perf_counter()
        program.run(job.batches)
        model.store.read(["counter.cursor"])  # waits for the device
        return (time.perf_counter() - began) / job.batches

    whole()
    seconds = median(whole() for _ in range(ROUNDS))
    model.store.write({"counter.cursor": 0})
    return Measured(tuple(program.step_seconds(job.batches)), seconds)
