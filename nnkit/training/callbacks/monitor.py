"""A figure of the history that a callback watches, and the one place that knows which way is better."""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnkit import metrics
from nnkit.errors import ArgumentError
from nnkit.metrics.table import ALIASES

if TYPE_CHECKING:
    from nnkit.training.callbacks.callback import Training


@dataclass(frozen=True)
class Monitor:
    """The figure ``name`` for the callback ``owner``; ``mode`` is "min", "max", or "auto": as the training knows.

    >>> [Monitor("EarlyStopping", name).better(0.9, than=0.8) for name in ("val_accuracy", "loss")]
    [True, False]
    """

    owner: str
    name: str
    mode: str = "auto"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ArgumentError(f"{self.owner}: monitor must be a name such as 'val_loss', got {self.name!r}")
        if self.mode not in ("auto", "min", "max"):
            raise ArgumentError(f"{self.owner}: mode must be 'auto', 'min' or 'max', got {self.mode!r}")

    @property
    def sign(self) -> float:
        """−1 where more is better, else 1; by the name as long as no training has said which."""
        return -1.0 if self.mode == "max" or (self.mode == "auto" and _known_to_rise(self.name)) else 1.0

    @property
    def worst(self) -> float:
        """What every value is better than."""
        return self.sign * math.inf

    def better(self, value: float, than: float, margin: float = 0.0) -> bool:
        """Whether a value is better by more than a margin; NaN never is."""
        return self.sign * value < self.sign * than - margin

    def settled(self, training: Training) -> Monitor:
        """With the direction of this training's figure; a name that it does not record is refused."""
        if self.name not in training.history:
            raise ArgumentError(
                f"{self.owner} watches '{self.name}', but training records {', '.join(training.history)}"
                + _remedy(self.name, training.history)
            )
        if self.mode != "auto":
            return self
        if self.name not in training.more_is_better:
            raise ArgumentError(
                f"{self.owner}: mode 'auto' does not know whether more of '{self.name}' is better; "
                "write mode='max' or mode='min'"
            )
        return replace(self, mode="max" if training.more_is_better[self.name] else "min")

    def value(self, training: Training) -> float:
        """The value of the epoch that has just ended."""
        return training.history[self.name][-1]


def _known_to_rise(name: str) -> bool:
    """Whether it is a metric of the library of which more is better."""
    with suppress(ArgumentError):
        return bool(metrics.get(name.removeprefix("val_")).more_is_better)
    return False


def _remedy(monitor: str, history: Collection[str]) -> str:
    """What makes a training record a name that it does not."""
    name = monitor.removeprefix("val_")
    meant = monitor.removesuffix(name) + ALIASES.get(name, "")
    if meant in history:
        return f"; did you mean '{meant}'?"
    if name != monitor and not any(known.startswith("val_") for known in history):
        return "; pass validation_split=0.1 or validation_data="
    with suppress(ArgumentError):
        return f"; pass metrics=['{metrics.get(name).name}']"
    return ""
