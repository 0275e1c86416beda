"""The arguments of ``fit`` beside the data."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from nnkit import optimizers
from nnkit.errors import ArgumentError
from nnkit.measure.units import parse_bytes
from nnkit.optimizers import Optimizer
from nnkit.training.compiling import check_mode
from nnkit.training.data import TrainingData
from nnkit.training.precision import FULL, check_precision, scaled

DEFAULT_RATE = 1e-3


@dataclass(frozen=True)
class Options:
    """They are as the user gave them until ``check`` has been called."""

    epochs: int = 10
    batch_size: int = 32
    optimizer: str | Optimizer = "adam"
    learning_rate: Any = DEFAULT_RATE
    loss: Any = "auto"
    validation_split: float = 0.0
    validation_data: Any = None
    sample_weight: Any = None
    class_weight: Any = None
    shuffle: bool = True
    callbacks: Any = ()
    compile: str = "auto"
    memory_limit: Any = None
    progress: bool = True
    metrics: Any = ()
    time_ordered: bool = False
    standardize: bool = False
    precision: str = FULL

    @property
    def limit(self) -> int | None:
        """The limit on memory in bytes."""
        return None if self.memory_limit is None else parse_bytes("memory_limit", self.memory_limit)

    def check(self, dtype: str) -> None:
        """Refuse what cannot be meant, for a network of this data type."""
        check_precision(self.precision, dtype)
        for name, least in (("epochs", 0), ("batch_size", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
                raise ArgumentError(f"{name} must be a whole number from {least}, got {value!r}")
        split: object = self.validation_split
        if isinstance(split, bool) or not isinstance(split, (float, Real)) or not 0 <= float(split) < 1:
            raise ArgumentError(f"validation_split must be a number from 0 up to, but not, 1, got {split!r}")
        check_mode(self.compile)
        parse_bytes("memory_limit", 1 if self.memory_limit is None else self.memory_limit)
        for name in ("shuffle", "time_ordered", "standardize"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise ArgumentError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if isinstance(self.optimizer, Optimizer) and self.learning_rate not in (None, DEFAULT_RATE):
            raise ArgumentError(
                f"learning_rate={self.learning_rate!r} has no effect beside an optimiser object; "
                f"write it there: {type(self.optimizer).__name__}({self.learning_rate!r})"
            )

    def rows(self, optimizer: Optimizer, data: TrainingData) -> int:
        """Rows of a step: those of a batch, or all of them where the method does not go by steps."""
        there = len(data.train.indices)
        return min(int(self.batch_size), there) if optimizer.by_steps else there

    def chosen_optimizer(self, last: Optimizer | None) -> Optimizer:
        """The optimiser object, after the ``last`` one of the network.

        One that searches for its steps begins with a rate of its own, if none is given.
        """
        chosen = optimizers.get(self.optimizer, self.learning_rate)
        given = chosen.by_steps or self.learning_rate != DEFAULT_RATE
        return scaled(chosen if given else optimizers.get(self.optimizer), self.precision, last)
