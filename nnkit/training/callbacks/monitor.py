"""A figure of the history that a callback watches, and the one place that knows which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnkit.errors import ArgumentError

if TYPE_CHECKING:
    from nnkit.training.callbacks.callback import Training

HIGHER = (
    "accuracy", "auc", "precision", "recall", "sensitivity", "specificity", "f1", "f1_score", "fbeta", "f_beta", "iou",
    "kappa", "matthews", "mcc", "r2", "r2_score", "explained_variance", "correlation", "pearson", "spearman",
    "similarity",
)  # fmt: skip
"""Endings of the names of figures of which more is better; of all others less is."""


@dataclass(frozen=True)
class Monitor:
    """The figure ``name`` for the callback ``owner``; ``mode`` is "min", "max", or "auto": by the name.

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
        """−1 where more is better, else 1."""
        return -1.0 if self.mode == "max" or (self.mode == "auto" and self.name.endswith(HIGHER)) else 1.0

    @property
    def worst(self) -> float:
        """What every value is better than."""
        return self.sign * math.inf

    def better(self, value: float, than: float, margin: float = 0.0) -> bool:
        """Whether a value is better by more than a margin; NaN never is."""
        return self.sign * value < self.sign * than - margin

    def require(self, training: Training) -> None:
        """Refuse a name that this training does not record."""
        if self.name not in training.history:
            raise ArgumentError(
                f"{self.owner} watches '{self.name}', but training records {', '.join(training.history)}"
                + ("; pass validation_split=0.1 or validation_data=" if self.name.startswith("val_") else "")
            )

    def value(self, training: Training) -> float:
        """The value of the epoch that has just ended."""
        return training.history[self.name][-1]
