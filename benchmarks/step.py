"""One training step beside PyTorch eager, interleaved in one run: python benchmarks/step.py

Each step gathers a shuffled batch, computes loss, gradients and Adam's update. Each framework has a process of its own,
so that the threads of one do not disturb the other; blocks of steps alternate between the two, after a warm-up, and are
timed by wall clock from outside the framework. Writes benchmarks/results/step.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit.measure import environment
from nnkit.training.graphs import training_graph
from nnkit.training.layout import SEEDS, counters, metrics, moments, settings
from nnkit.training.objective import objective

WORKLOADS: dict[str, tuple[list[int], int, int, float]] = {
    # name: sizes, batch, steps in a block, how many times faster than PyTorch eager it must be
    "2-8-8-2 b32": ([2, 8, 8, 2], 32, 400, 3.0),
    "784-128-10 b64": ([784, 128, 10], 64, 60, 1.0),
    "784-512-512-10 b128": ([784, 512, 512, 10], 128, 12, 1.0),
}
RESULTS = Path(__file__).parent / "results" / "step.json"
Block = Callable[[], None]


def data(sizes: list[int], batch: int) -> tuple[Any, Any]:
    """Rows for 16 batches."""
    rng = np.random.default_rng(0)
    rows = 16 * batch
    return rng.normal(size=(rows, sizes[0])).astype(np.float32), rng.integers(0, sizes[-1], rows).astype(np.int32)


def our_block(sizes: list[int], batch: int, steps: int) -> Block:
    """So many steps of nnkit, an epoch's program run as ``fit`` runs it."""
    net = nnkit.FeedForward(sizes[0], sizes[-1], sizes[1:-1], output_activation="softmax", seed=0)
    model, goal, adam = net._model, objective(net.module, "auto"), nnkit.optimizers.Adam(1e-3)
    numbers = {f"setting.optimizer.{name}": value for name, value in adam.settings().items()}
    for leaves in (counters(), metrics(), settings(numbers, "float32"), moments(adam.moments, model.layout)):
        model.store.allocate(leaves)
    model.store.write(numbers | dict.fromkeys(SEEDS, 0))
    x, y = data(sizes, batch)
    _, code = model.planned("bench", lambda: training_graph(model.layout, goal, adam, ((), "int32"), batch, False))
    program = code.bind(model.store, {"x": x, "y": y, "order": np.random.default_rng(1).permutation(len(x))})

    def block() -> None:
        for start in range(0, steps, 16):
            model.store.write({"counter.cursor": 0})
            assert program.run(min(16, steps - start)) == min(16, steps - start)

    return block


def torch_block(sizes: list[int], batch: int, steps: int) -> Block:
    """The same steps in PyTorch, with the shortest eager loop that does the same work."""
    import torch

    torch.manual_seed(0)
    layers: list[Any] = []
    for inputs, outputs in pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = (torch.from_numpy(array) for array in data(sizes, batch))
    y = y.long()
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(x)))

    def block() -> None:
        for step in range(steps):
            rows = order[step % 16 * batch : (step % 16 + 1) * batch]
            adam.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            adam.step()

    return block


class Contestant:
    """A framework in its own process, which runs a block of steps whenever it is told to."""

    def __init__(self, framework: str, workload: str) -> None:
        command = [sys.executable, __file__, "--worker", framework, workload]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def block(self) -> float:
        """Seconds per step of one block."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate("")


def work(framework: str, workload: str) -> None:
    """The body of a contestant's process: a warm-up, then a timed block for each line of input."""
    sizes, batch, steps, _ = WORKLOADS[workload]
    block = {"nnkit": our_block, "pytorch eager": torch_block}[framework](sizes, batch, steps)
    block()
    for _ in sys.stdin:
        began = time.perf_counter()
        block()
        print((time.perf_counter() - began) / steps, flush=True)


def measure(workload: str, rounds: int) -> dict[str, list[float]]:
    """Seconds per step of each framework, the two taking turns."""
    contestants = {name: Contestant(name, workload) for name in ("nnkit", "pytorch eager")}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, contestant in contestants.items():
            taken = contestant.block()
            if turn:  # the first waits for the process to start and warm up
                seconds[name].append(taken)
    for contestant in contestants.values():
        contestant.end()
    return seconds


def row(workload: str, framework: str, seconds: list[float], goal: str | None, met: bool | None) -> dict[str, Any]:
    """One line of the result file: median and interquartile range."""
    low, middle, high = statistics.quantiles(seconds, n=4)
    return {
        "workload": workload,
        "framework": framework,
        "step_median_s": middle,
        "step_spread_s": high - low,
        "runs": len(seconds),
        "goal": goal,
        "met": met,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--worker", nargs=2, metavar=("FRAMEWORK", "WORKLOAD"))
    arguments = parser.parse_args()
    if arguments.worker:
        work(*arguments.worker)
        return
    rows = []
    for workload, (_, _, _, factor) in WORKLOADS.items():
        seconds = measure(workload, arguments.rounds)
        ours, theirs = (statistics.median(seconds[name]) for name in ("nnkit", "pytorch eager"))
        met = theirs / ours >= factor
        rows.append(row(workload, "nnkit", seconds["nnkit"], f"{factor:g} times as fast as pytorch eager", met))
        rows.append(row(workload, "pytorch eager", seconds["pytorch eager"], None, None))
        times = f"nnkit {ours * 1e6:,.0f} µs, pytorch eager {theirs * 1e6:,.0f} µs"
        print(f"{workload:22} {times}: {theirs / ours:.2f} times as fast")
    write(rows)


def write(rows: list[dict[str, Any]]) -> None:
    """The result file, with machine and versions."""
    machine = environment()
    result = {
        "machine": {"cpu": machine["cpu"], "cores": machine["threads"], "gpu": None},
        "versions": {
            "python": platform.python_version(),
            "nnkit": nnkit.__version__,
            "numpy": np.__version__,
            "blas": machine["blas"],
            "torch": version("torch"),
        },
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": rows,
        "parity": [],
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
