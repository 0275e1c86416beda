"""Learning MNIST in one framework: one epoch as a block, or a process that ends when it knows enough.

``python -m contest.learning MODULE MODE SEED`` trains until the accuracy is reached and prints those of its epochs.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

from contest.workloads import digits
from nnkit.bench import Block

Learner = tuple[Callable[[], object], Callable[[], float]]
"""Trains for an epoch; gives the accuracy on the test images."""
WANTED = 0.98
MOST_EPOCHS = 20
HIDDEN, BATCH = 512, 128
LEARNERS = {
    "nnkit": ("ours", "first"),
    "nnkit, not compiled": ("ours", "off"),
    "PyTorch with its DataLoader": ("pytorch", ""),
    "JAX jit": ("jax_jit", ""),
    "Keras on JAX": ("keras_fit", ""),
    "scikit-learn": ("sklearn_mlp", ""),
}


class Task:
    """A network 784-hidden-10 with Adam at 0.001, and the images."""

    def __init__(self, hidden: int, batch: int, seed: int = 0) -> None:
        self.hidden, self.batch, self.seed = hidden, batch, seed

    @cached_property
    def data(self) -> Any:
        """Images and labels for training and for the test."""
        return digits()


def epoch(module: str, mode: str) -> tuple[Block, int]:
    """One epoch of 784-128-10 in batches of 64."""
    return _learner(module, Task(128, 64), mode)[0], 1


def reach(module: str, mode: str, seed: int) -> list[float]:
    """The accuracy after each epoch, until it is what is wanted or there have been too many epochs."""
    train, accuracy = _learner(module, Task(HIDDEN, BATCH, seed), mode)
    found: list[float] = []
    while len(found) < MOST_EPOCHS and max(found, default=0.0) < WANTED:
        train()
        found.append(accuracy())
    return found


def _learner(module: str, task: Task, mode: str) -> Learner:
    made: Learner = importlib.import_module(f"contest.learners.{module}").learner(task, mode)
    return made


if __name__ == "__main__":
    module, mode, seed = sys.argv[1:]
    print(json.dumps(reach(module, mode, int(seed))))
