"""Trainings that are broken off and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit import nn
from nnkit.training.callbacks import Training
from nnkit.training.result import TrainingRun

ROWS = np.random.default_rng(0)
X = ROWS.normal(size=(90, 5)).astype(np.float32)
Y = ROWS.integers(0, 3, 90)
OPTIONS: dict[str, Any] = {"epochs": 4, "batch_size": 16, "validation_split": 0.1, "progress": False}
"""Six steps an epoch, the last of them smaller."""


class BrokenError(Exception):
    """The machine fails."""


class Break(nnkit.Callback):
    """Fails after so many steps; 0 is never."""

    every = "1 step"

    def __init__(self, step: int = 0) -> None:
        self.step = step

    def due(self, training: Training) -> None:
        """Fail, if it is time."""
        if training.step == self.step:
            raise BrokenError


def network(seed: int = 3, **options: Any) -> nnkit.Network:
    """With running statistics, random masks and a penalty."""
    layers = [nn.Dense(8, "relu", l2=1e-3), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(3, "softmax")]
    return nnkit.Sequential(layers, input_shape=(5,), seed=seed, **options)


def plain(seed: int = 3, **options: Any) -> nnkit.Network:
    """Without anything that a full-batch method cannot have."""
    return nnkit.FeedForward(5, 3, hidden=[6], activation="tanh", output_activation="softmax", seed=seed, **options)


def broken(net: nnkit.Network, path: Path, step: int, every: str = "1 step", **options: Any) -> None:
    """Train until a step, with checkpoints; the last one is of that step or the one before."""
    callbacks = [Break(step), *options.pop("callbacks", ())]
    try:
        net.fit(X, Y, checkpoint=path, every=every, callbacks=callbacks, **(OPTIONS | options))
    except BrokenError:
        return
    raise AssertionError("it was not broken off")


def same(a: nnkit.Network, b: nnkit.Network) -> bool:
    """Whether parameters, states, moments and counts are equal to the bit."""
    kept, found = a._model.progress(), b._model.progress()
    arrays = all(
        kept[kind][name].tobytes() == found[kind][name].tobytes()
        for kind in ("values", "moments")
        for name in kept[kind]
    )
    counts = ("epochs_done", "steps_done", "updates_before", "as_drawn")
    return arrays and all(kept["counts"][name] == found["counts"][name] for name in counts)


def alike(a: TrainingRun, b: TrainingRun) -> bool:
    """Whether two runs learned the same, to the bit: network and history, validation and the reason for the end."""
    histories = {name: np.asarray(values).tobytes() for name, values in a.history.items()}
    others = {name: np.asarray(values).tobytes() for name, values in b.history.items()}
    ends = (a.stopped, a.record.result["validation"]) == (b.stopped, b.record.result["validation"])
    return same(a.network, b.network) and histories == others and ends
