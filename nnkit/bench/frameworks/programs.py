"""nnkit: an epoch's program, run as ``fit`` runs it; and ``predict``."""

from __future__ import annotations

import warnings

import numpy as np

from nnkit import optimizers
from nnkit.bench.contestant import Block
from nnkit.bench.frameworks.calls import calls
from nnkit.bench.job import Job
from nnkit.errors import NnkitError, NnkitWarning
from nnkit.training.compiling import Compiler
from nnkit.training.graphs import training_graph
from nnkit.training.layout import SEEDS, counters, metrics, moments, settings
from nnkit.training.objective import objective
from nnkit.training.targets import signature


class NotCompiledError(NnkitError):
    """The step that was to be compiled runs in its plain form."""


def step(job: Job, mode: str) -> tuple[Block, int]:
    """``mode`` is that of ``fit(compile=…)``."""
    network = job.network()
    model, goal = network._model, objective(network.module, job.loss)
    optimizer = optimizers.get(job.optimizer).resolved(1)
    numbers = {f"setting.optimizer.{name}": value for name, value in optimizer.settings().items()}
    for leaves in (
        counters(),
        metrics(),
        settings(numbers, job.dtype),
        moments(optimizer.moments, model.layout),
    ):
        model.store.allocate(leaves)
    model.store.write(numbers | dict.fromkeys(SEEDS, 0))
    x, y, order = job.data()
    target = signature(y)
    compiler = Compiler(model, mode)
    _, code = compiler.choose(
        "bench", lambda: training_graph(model.layout, goal, optimizer, target, job.batch, False), job.steps
    )
    if compiler.fallbacks:
        raise NotCompiledError("; ".join(compiler.fallbacks))
    device = model.backend.to_device
    data = {"x": device(x), "y": device(y), "order": device(order.astype(np.int64))}
    program = code.bind(model.store, data)

    def run() -> None:
        for _ in range(job.epochs):
            model.store.write({"counter.cursor": 0})
            committed = program.run(job.batches)
            assert committed == job.batches, "the guard refused a step: the loss is not finite"
        model.store.read(["counter.cursor"])  # waits for the device

    return run, job.steps


def predict(job: Job, mode: str, rows: int) -> tuple[Block, int]:
    """``net.predict`` with this ``compile``."""
    network, x = job.network(), job.rows(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NnkitWarning)
        network.predict(x, compile=mode)
    return calls(job, rows, lambda: network.predict(x, compile=mode))
