"""nnkit: an epoch's program, run as ``fit`` runs it."""

from __future__ import annotations

import numpy as np

import nnkit
from contest.workloads import Block, Workload, digits
from nnkit.training.compiling import Compiler
from nnkit.training.graphs import training_graph
from nnkit.training.layout import SEEDS, counters, metrics, moments, settings
from nnkit.training.objective import objective


def block(workload: Workload, mode: str) -> Block:
    """``mode`` is that of ``fit(compile=…)``."""
    sizes, batch = workload.sizes, workload.batch
    net = nnkit.FeedForward(sizes[0], sizes[-1], list(sizes[1:-1]), output_activation="softmax", seed=0)
    model, goal, adam = net._model, objective(net.module, "auto"), nnkit.optimizers.Adam(1e-3)
    numbers = {f"setting.optimizer.{name}": value for name, value in adam.settings().items()}
    for leaves in (counters(), metrics(), settings(numbers, "float32"), moments(adam.moments, model.layout)):
        model.store.allocate(leaves)
    model.store.write(numbers | dict.fromkeys(SEEDS, 0))
    x, y, order = workload.data()
    compiler = Compiler(model, mode)
    _, code = compiler.choose(
        "bench", lambda: training_graph(model.layout, goal, adam, ((), "int32"), batch, False), workload.steps
    )
    assert not compiler.fallbacks, compiler.fallbacks
    program = code.bind(model.store, {"x": x, "y": y, "order": order.astype(np.int64)})

    def run() -> None:
        for _ in range(workload.epochs):
            model.store.write({"counter.cursor": 0})
            assert program.run(workload.batches) == workload.batches

    return run


def epoch(mode: str) -> Block:
    """``fit`` for one epoch, called from outside each time; the second call on goes on with the same optimiser."""
    net = nnkit.FeedForward(784, 10, [128], output_activation="softmax", seed=0)
    adam = nnkit.optimizers.Adam(1e-3)
    x, y = digits()
    return lambda: net.fit(x, y, epochs=1, batch_size=64, optimizer=adam, compile=mode, progress=False) and None
