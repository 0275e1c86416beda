"""What a learning-rate schedule is, and the linear warm-up that every one of them can have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from nnkit.arguments import KnownArguments
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number, config_of
from nnkit.ops import namespace

Array = Any


class Schedule(KnownArguments, ABC):
    """The learning rate as a function of the number of the update, t = 1, 2, …

    A subclass gives the rate after n = t − 1 − ``warmup`` finished updates. In the first ``warmup`` updates the rate of
    n = 0 is multiplied by t / (warmup + 1): it rises linearly, is never 0, and is whole at n = 0.

    The numbers a schedule uses come to it as ``settings``, 0-d arrays that the host computed in double and may change
    between steps; the formula itself is part of the step's graph.
    """

    name: ClassVar[str]
    learning_rate: float
    warmup: int

    @abstractmethod
    def own_settings(self) -> dict[str, float]:
        """The settings beyond ``learning_rate`` and ``warmup``."""

    @abstractmethod
    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate after n ``finished`` updates since the warm-up: a 0-d array, like ``finished``."""

    def resolved(self, total_steps: int) -> Schedule:
        """The schedule for a training of ``total_steps`` updates."""
        return self

    def settings(self) -> dict[str, float]:
        """Name and value of every number that the formula reads."""
        warmup = {"warmup": float(self.warmup)} if self.warmup else {}
        return {"learning_rate": float(self.learning_rate)} | warmup | self.own_settings()

    def __call__(self, step: Array, settings: Mapping[str, Array]) -> Array:
        """The rate of update ``step`` (0-d, floating-point, from 1), as a 0-d array of its dtype."""
        finished = step - 1.0
        if not self.warmup:
            return self.rate(finished, settings)
        xp = namespace(step)
        start = settings["warmup"]
        rise = xp.minimum(step / (start + 1.0), 1.0)
        return self.rate(xp.maximum(finished - start, 0.0), settings) * rise

    def at(self, step: int) -> float:
        """The rate of update ``step`` as a number, computed on the host in double."""
        settings = {name: np.asarray(value) for name, value in self.settings().items()}
        return float(self(np.asarray(float(step)), settings))

    def config(self) -> dict[str, Any]:
        """The schedule as plain data for JSON; ``schedules.from_config`` reads it back."""
        return config_of(self)

    def check_rate(self) -> None:
        """Refuse a learning rate or a warm-up that cannot be one; for the end of a subclass's construction."""
        check_number(type(self).__name__, "learning_rate", self.learning_rate, "[0, inf)")
        check_count(type(self).__name__, "warmup", self.warmup, at_least=0)

    def check_minimum(self, minimum: float) -> None:
        """Refuse a least rate that is none, or that is above the learning rate."""
        owner = type(self).__name__
        check_number(owner, "minimum", minimum, "[0, inf)")
        if minimum > self.learning_rate:
            raise ArgumentError(
                f"{owner}: minimum is {minimum!r}, above the learning rate it falls from, {self.learning_rate!r}"
            )
