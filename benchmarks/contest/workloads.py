"""What is trained, and how fast it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import nnkit
from nnkit.bench import LIMIT, Job


class Goal(NamedTuple):
    """How many times as fast as the fastest of all peers; for large networks, also how near to the limit."""

    factor: float
    of_limit: float | None = None

    def text(self) -> str:
        near = "" if self.of_limit is None else f", and within {self.of_limit:g} of the limit"
        return f"{self.factor:g} times as fast as the fastest peer{near}"

    def met(self, middle: Mapping[str, float]) -> bool:
        """By the medians of ours, of every peer, and of the limit."""
        peers = [seconds for name, seconds in middle.items() if name != LIMIT and not name.startswith("nnkit")]
        near = self.of_limit is None or middle["nnkit"] <= self.of_limit * middle[LIMIT]
        return middle["nnkit"] * self.factor <= min(peers) and near


class Workload(NamedTuple):
    """A ReLU network with softmax and cross-entropy, trained with Adam."""

    sizes: tuple[int, ...]
    batch: int
    goal: Goal | None = None

    def network(self) -> nnkit.Network:
        inputs, *hidden, outputs = self.sizes
        return nnkit.FeedForward(inputs, outputs, hidden, output_activation="softmax", seed=0)

    def job(self) -> Job:
        return Job.of(self.network(), self.batch)


GOALS = {
    "tiny": Goal(10),
    "small": Goal(1.5),
    "medium": Goal(1.1, 1.25),
    "large": Goal(1.1, 1.15),
    "deep": Goal(2),
}
"""By size class; each has its workload below, and shapes drawn at random in shapes.py."""
WORKLOADS = {
    "tiny": Workload((2, 8, 8, 2), 32, GOALS["tiny"]),
    "small": Workload((784, 128, 10), 64, GOALS["small"]),
    "medium": Workload((784, 512, 512, 10), 128, GOALS["medium"]),
    "large": Workload((1024, 4096, 4096, 10), 1024, GOALS["large"]),
    "deep": Workload((64, *[96] * 12, 4), 64, GOALS["deep"]),
}
ONE_ROW_GOAL = Goal(2)
EPOCH = "MNIST epoch"
"""A whole epoch of 784-128-10, batch 64, Adam, on the 60,000 digits: shuffling, gathering and metrics included."""
EPOCH_GOALS = {"PyTorch with its DataLoader": 5.0, "Keras on JAX": 2.0}


def digits() -> Any:
    """MNIST with each image as a row, from NNKIT_DATA_DIR or the user's cache: x, y, x and y of the test."""
    data = nnkit.data.load("mnist")
    flat = (x.reshape(len(x), -1) for x in (data.x_train, data.x_test))
    x, x_test = flat
    return x, data.y_train, x_test, data.y_test
