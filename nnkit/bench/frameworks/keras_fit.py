"""Keras on JAX: ``fit``, whose every epoch shuffles the data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from nnkit.bench.contestant import Block
from nnkit.bench.frameworks.calls import calls
from nnkit.bench.job import Job
from nnkit.names import lookup

ACTIVATIONS = {
    name: name
    for name in ("relu", "tanh", "sigmoid", "softmax", "gelu", "elu", "selu", "silu", "softplus", "leaky_relu")
} | {"identity": "linear"}
LOSSES = {
    "classes": "sparse_categorical_crossentropy",
    "numbers": "mean_squared_error",
    "binary": "binary_crossentropy",
}
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}
ONE_CALL = 1000
"""Up to so many rows, Keras' manual advises to call the model, and ``predict`` beyond."""


def step(job: Job, mode: str) -> tuple[Block, int]:
    """An epoch of ``fit`` for each epoch of the block, in one call."""
    network = model(job)
    x, y, _ = job.flat_data()
    return lambda: network.fit(x, y, batch_size=job.batch, epochs=job.epochs, verbose=0), job.steps


def predict(job: Job, mode: str, rows: int) -> tuple[Block, int]:
    """``model(x)`` for few rows, ``model.predict(x)`` for many; to a NumPy array."""
    import numpy as np

    network, x = model(job), job.rows(rows).reshape(rows, -1)
    if rows > ONE_CALL:
        return calls(job, rows, lambda: network.predict(x, batch_size=ONE_CALL, verbose=0))
    return calls(job, rows, lambda: np.asarray(network(x)))


def model(job: Job, metrics: Sequence[str] = ()) -> Any:
    """The network with its optimiser and loss."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    layers = [
        keras.layers.Dense(units, activation=lookup("activation", activation, ACTIVATIONS))
        for units, activation in job.dense_layers()
    ]
    made = keras.Sequential([keras.Input((job.inputs,)), *layers])
    optimizer = getattr(keras.optimizers, lookup("optimizer", job.optimizer, OPTIMIZERS))
    made.compile(optimizer(1e-3), LOSSES[job.targets], metrics=list(metrics))
    return made
