"""The end of a training that no longer gets anywhere."""

from __future__ import annotations

import math

from nnkit.training.callbacks import Callback, Training


class Plateau(Callback):
    """Stops when the training loss has not fallen by more than ``tol`` for ``patience`` epochs; the weights stay.

    >>> Plateau(patience=10, tol=1e-4).best
    inf
    """

    def __init__(self, patience: int, tol: float) -> None:
        self.patience = patience
        self.tol = tol
        self.best = math.inf
        self.best_epoch = 0

    def epoch(self, training: Training) -> None:
        """Compare with the best epoch so far."""
        loss = training.history["loss"][-1]
        if loss < self.best - self.tol:
            self.best, self.best_epoch = loss, training.epoch
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop(f"the training loss has not fallen by more than {self.tol:g} for {self.patience} epochs")
