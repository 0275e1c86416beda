"""Keras on JAX: ``fit`` and ``evaluate`` with the accuracy as their metric."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras

from contest.learning import Learner, Task
from contest.workloads import Workload
from nnkit.bench.frameworks.keras_fit import model


def learner(task: Task, mode: str) -> Learner:
    """There is one mode."""
    keras.utils.set_random_seed(task.seed)
    network = model(Workload((784, task.hidden, 10), task.batch).job(), ["accuracy"])
    x, y, x_test, y_test = task.data

    def epoch() -> None:
        network.fit(x, y, batch_size=task.batch, epochs=1, verbose=0)

    return epoch, lambda: float(network.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1])
