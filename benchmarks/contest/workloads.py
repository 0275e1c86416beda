"""What is trained: sizes of the layers, rows of a batch, and how many times faster than the fastest peer it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnkit

Block = Callable[[], None]
"""Runs the block's epochs of training; everything is done when it returns."""


@dataclass(frozen=True)
class Workload:
    """A ReLU network with softmax and cross-entropy, trained with Adam; a block takes about a tenth of a second."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    epochs: int
    goal: float
    batches: int = 16

    @property
    def steps(self) -> int:
        """Steps in a block."""
        return self.epochs * self.batches

    def data(self) -> tuple[Any, Any, Any]:
        """Rows, labels, and an order of the rows."""
        draw = np.random.default_rng(0)
        rows = self.batches * self.batch
        x = draw.normal(size=(rows, self.sizes[0])).astype(np.float32)
        return x, draw.integers(0, self.sizes[-1], rows).astype(np.int32), draw.permutation(rows)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("2-8-8-2 b32", (2, 8, 8, 2), 32, 64, 10.0),
        Workload("784-128-10 b64", (784, 128, 10), 64, 12, 1.5),
        Workload("784-512-512-10 b128", (784, 512, 512, 10), 128, 2, 1.1),
        Workload("1024-4096-4096-10 b1024", (1024, 4096, 4096, 10), 1024, 1, 1.1, batches=2),
        Workload("64-(96×12)-4 b64", (64, *[96] * 12, 4), 64, 8, 2.0),
    )
}

EPOCH = "MNIST epoch"
"""A whole epoch of 784-128-10, batch 64, Adam, on the 60,000 digits: shuffling, gathering and metrics included."""
EPOCH_GOALS = {"PyTorch with its DataLoader": 5.0, "Keras on JAX": 2.0}


def digits() -> tuple[Any, Any]:
    """Pixels from 0 to 1 and labels of MNIST, from NNKIT_DATA_DIR or the user's cache."""
    data = nnkit.data.load("mnist")
    return data.x_train.reshape(len(data.x_train), -1), data.y_train
