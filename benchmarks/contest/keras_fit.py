"""Keras on JAX: ``fit``, whose every epoch shuffles the data."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras

from contest.workloads import Block, Workload, digits


def block(workload: Workload, mode: str) -> Block:
    """An epoch of ``fit`` for each epoch of the block, in one call."""
    hidden = [keras.layers.Dense(width, activation="relu") for width in workload.sizes[1:-1]]
    last = keras.layers.Dense(workload.sizes[-1], activation="softmax")
    model = keras.Sequential([keras.Input((workload.sizes[0],)), *hidden, last])
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    x, y, _ = workload.data()

    def run() -> None:
        model.fit(x, y, batch_size=workload.batch, epochs=workload.epochs, verbose=0)

    return run


def epoch(mode: str) -> Block:
    """``fit`` for one epoch with the accuracy as its metric."""
    layers = [keras.Input((784,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = digits()
    return lambda: model.fit(x, y, batch_size=64, epochs=1, verbose=0) and None
