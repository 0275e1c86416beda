"""A framework in its own process, and blocks of steps that take turns."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from contest.workloads import EPOCH, WORKLOADS

FRAMEWORKS = {
    "nnkit": ("ours", "first"),
    "nnkit, not compiled": ("ours", "off"),
    "PyTorch eager": ("pytorch", "eager"),
    "PyTorch, fused Adam": ("pytorch", "fused"),
    "torch.compile": ("pytorch", "compile"),
    "JAX jit": ("jax_jit", ""),
    "Keras on JAX": ("keras_fit", ""),
    "scikit-learn": ("sklearn_mlp", ""),
}
EPOCHS = {
    "nnkit": ("ours", "first"),
    "nnkit, not compiled": ("ours", "off"),
    "PyTorch with its DataLoader": ("pytorch", "eager"),
    "Keras on JAX": ("keras_fit", ""),
    "scikit-learn": ("sklearn_mlp", ""),
}
PAUSE_S = 0.2
"""Between turns: the threads of a matrix library look out for work for tens of milliseconds after the last of it, and
would take a core from the next contestant."""
PEERS = tuple(name for name in FRAMEWORKS if not name.startswith("nnkit"))


class Contestant:
    """Runs a block of steps whenever it is told to. Starting it waits until it has warmed up."""

    def __init__(self, framework: str, workload: str) -> None:
        self._name = f"{framework} on {workload}"
        command = [sys.executable, "-m", "contest.turns", framework, workload]
        folder = Path(__file__).parent.parent
        self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def block(self) -> float:
        """Seconds per step of one block."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> float:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with status {self._process.wait()}; its message stands above")
        return float(line)

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate("")


def measure(workload: str, frameworks: Iterable[str], rounds: int) -> Mapping[str, list[float]]:
    """Seconds per step (per epoch for an epoch) of each framework, ``rounds`` blocks each, all taking turns."""
    contestants = {name: Contestant(name, workload) for name in frameworks}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            time.sleep(PAUSE_S)
            seconds[name].append(contestant.block())
    for contestant in contestants.values():
        contestant.end()
    return seconds


def work(framework: str, name: str) -> None:
    """The body of a contestant's process: two blocks of warm-up, then a timed one for each line of input."""
    module, mode = (EPOCHS if name == EPOCH else FRAMEWORKS)[framework]
    contestant = importlib.import_module(f"contest.{module}")
    workload = WORKLOADS.get(name)
    block = contestant.block(workload, mode) if workload else contestant.epoch(mode)
    steps = workload.steps if workload else 1
    block()
    block()
    print(0.0, flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        block()
        print((time.perf_counter() - began) / steps, flush=True)


if __name__ == "__main__":
    work(*sys.argv[1:])
