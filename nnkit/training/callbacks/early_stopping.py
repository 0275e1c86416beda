"""Stopping when a figure is not getting better any more."""

from __future__ import annotations

from typing import Any

from nnkit.data.checks.common import count
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.training.callbacks.callback import Callback, Training
from nnkit.training.callbacks.monitor import Monitor
from nnkit.training.callbacks.state import COUNT, FIGURE, SNAPSHOT, checked


class EarlyStopping(Callback):
    """Stops when ``monitor`` has not improved by more than ``min_delta`` for ``patience`` epochs.

    The weights of the best epoch always come back, whichever way training ends. Prechelt, "Early stopping — but when?",
    1998.

    Args:
        monitor: a name of the history: ``"val_loss"``, ``"val_accuracy"``, ``"loss"``.
        patience: epochs without an improvement.
        min_delta: what an improvement must be more than.
        mode: ``"min"``, ``"max"``, or ``"auto"``: more is better for accuracy and the like, else less.
        baseline: while no epoch is better than this number by more than ``min_delta``, improvements do not set back
            what counts against patience: unless one gets past it within ``patience`` epochs, the first epoch after
            them without an improvement is the last, as in Keras.
        start_from_epoch: so many epochs at the beginning do not count at all.

    >>> EarlyStopping(patience=3).monitor
    'val_loss'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "auto",
        baseline: float | None = None,
        start_from_epoch: int = 0,
    ) -> None:
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ArgumentError(f"EarlyStopping: patience must be a whole number of epochs from 1, got {patience!r}")
        if not isinstance(min_delta, (int, float)) or not min_delta >= 0:
            raise ArgumentError(f"EarlyStopping: min_delta must be a number that is not negative, got {min_delta!r}")
        if baseline is not None:
            check_number("EarlyStopping", "baseline", baseline, "(-inf, inf)")
        check_count("EarlyStopping", "start_from_epoch", start_from_epoch, at_least=0)
        self._watched = self._given = Monitor("EarlyStopping", monitor, mode)
        self.monitor = monitor
        self.patience = patience
        self.min_delta = float(min_delta)
        self.baseline = baseline
        self.start_from_epoch = start_from_epoch
        self.best_epoch = 0
        self.best = self._watched.worst
        self._since = 0  # the epoch from which patience counts
        self._weights: dict[str, Any] | None = None

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        names = ("monitor", "patience", "min_delta", "baseline", "start_from_epoch")
        return {name: getattr(self, name) for name in names} | {"mode": self._given.mode}

    def state(self) -> dict[str, Any]:
        """The best epoch with its weights, and from where patience counts."""
        return {"best": self.best, "best_epoch": self.best_epoch, "since": self._since, "weights": self._weights}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.begin(training)
        found = checked("EarlyStopping", state, best=FIGURE, best_epoch=COUNT, since=COUNT, weights=SNAPSHOT)
        self.best, self.best_epoch = found["best"], found["best_epoch"]
        self._since, self._weights = found["since"], found["weights"]

    def begin(self, training: Training) -> None:
        """Forget an earlier training, and refuse a name that this one does not record."""
        self._watched = self._given.settled(training)
        self.best_epoch, self.best, self._weights = 0, self._watched.worst, None
        self._since = self.start_from_epoch

    def epoch(self, training: Training) -> None:
        """Compare, keep the weights of the best epoch, and stop when patience is at its end."""
        if training.epoch <= self.start_from_epoch:
            return
        value = self._watched.value(training)
        if self._watched.better(value, self.best, self.min_delta):
            self.best, self.best_epoch, self._weights = value, training.epoch, training.snapshot()
            if self.baseline is None or self._watched.better(value, self.baseline, self.min_delta):
                self._since = training.epoch
        elif training.epoch - self._since >= self.patience:
            training.stop(self._reason())

    def end(self, training: Training) -> None:
        """Bring the best weights back, of the last epoch too: one that was not completed may have moved them."""
        if self._weights is not None:
            training.restore(self._weights)
        self._weights = None

    def _reason(self) -> str:
        past = "" if self.baseline is None else f" past the baseline {self.baseline:g}"
        best = f"the weights of epoch {self.best_epoch} are back" if self.best_epoch else "it never was finite"
        return f"early stopping: {self.monitor} has not improved{past} for {count(self.patience, 'epoch')}; {best}"
