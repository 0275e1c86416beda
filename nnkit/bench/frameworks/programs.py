"""nnkit: an epoch's program, run as ``fit`` runs it; and ``predict``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from nnkit import optimizers
from nnkit.bench.contestant import Block
from nnkit.bench.frameworks.calls import calls
from nnkit.bench.job import Job
from nnkit.errors import NnkitError, NnkitWarning
from nnkit.network import Network
from nnkit.optimizers import Optimizer
from nnkit.training.compiling import Compiler
from nnkit.training.graphs import training_graph
from nnkit.training.layout import SEEDS, counters, metrics, moments, settings
from nnkit.training.objective import objective
from nnkit.training.precision import FULL, scaled
from nnkit.training.targets import signature


class NotCompiledError(NnkitError):
    """The step that was to be compiled runs in its plain form."""


def step(job: Job, mode: str, precision: str = FULL) -> tuple[Block, int]:
    """``mode`` is that of ``fit(compile=…)``. A block is one run, as it is for the peers: nobody waits in between."""
    network = job.network()
    model, goal = network._model, objective(network.module, job.loss)
    optimizer = allocated(network, job, precision)
    x, y, order = job.data()
    target = signature(y)
    compiler = Compiler(model, mode, precision=precision)
    _, code = compiler.choose(
        "bench", lambda: training_graph(model.layout, goal, optimizer, target, job.batch, False), job.steps
    )
    if compiler.fallbacks:
        raise NotCompiledError("; ".join(compiler.fallbacks))
    program = code.bind(model.store, resident(network, (x, y, np.tile(order, job.epochs))))

    def run() -> None:
        model.store.write({"counter.cursor": 0})
        committed = program.run(job.steps)
        assert committed == job.steps, "the guard refused a step: the loss is not finite"
        model.store.read(["counter.cursor"])  # waits for the device

    return run, job.steps


def allocated(network: Network, job: Job, precision: str = FULL) -> Optimizer:
    """The optimiser, after the network's store has all that its steps need."""
    model = network._model
    optimizer = scaled(optimizers.get(job.optimizer), precision, None).resolved(1)
    numbers = {f"setting.optimizer.{name}": value for name, value in optimizer.settings().items()}
    for leaves in (
        counters(),
        metrics(),
        settings(numbers, job.dtype),
        moments(optimizer, model.layout),
    ):
        model.store.allocate(leaves)
    model.store.write(numbers | dict.fromkeys(SEEDS, 0))
    return optimizer


def resident(network: Network, data: tuple[Any, Any, Any]) -> dict[str, Any]:
    """The data of a job on the network's device."""
    x, y, order = data
    device = network._model.backend.to_device
    return {"x": device(x), "y": device(y), "order": device(order.astype(np.int64))}


def predict(job: Job, mode: str, rows: int) -> tuple[Block, int]:
    """``net.predict`` with this ``compile``."""
    network, x = job.network(), job.rows(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NnkitWarning)
        network.predict(x, compile=mode)
    return calls(job, rows, lambda: network.predict(x, compile=mode))
