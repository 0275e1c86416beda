"""What can look on while a network trains, and stop it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from nnkit import metrics
from nnkit.errors import ArgumentError


class Training(Protocol):
    """What a callback sees: data, not the engine's insides."""

    epoch: int
    epochs: int
    history: dict[str, list[float]]  # every name from the beginning, with one value for each epoch so far
    more_is_better: dict[str, bool]  # by name; those of which it is not known are left out

    def stop(self, reason: str = "") -> None:
        """End training after this epoch; the reason stands in the record."""

    def snapshot(self) -> dict[str, Any]:
        """Host copies of all parameters and states."""

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Put a snapshot back."""


class Callback:
    """Base of callbacks; each method is called at its moment and may be left out.

    A plain function works as well: it is called with the training after every epoch.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=1, hidden=[4], outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0]], [[0.0], [1.0]], epochs=2, progress=False,
    ...               callbacks=[lambda training: print("epoch", training.epoch)])
    epoch 1
    epoch 2
    """

    def begin(self, training: Training) -> None:
        """Before the first epoch."""

    def epoch(self, training: Training) -> None:
        """After every epoch; ``training.history`` holds its values."""

    def end(self, training: Training) -> None:
        """After the last epoch, however training ended."""


class EarlyStopping(Callback):
    """Stops when ``monitor`` has not improved by more than ``min_delta`` for ``patience`` epochs.

    The weights of the best epoch always come back, whichever way training ends. ``mode`` is "min", "max", or "auto",
    which knows the losses and the metrics of the library; for a metric of your own say which. Prechelt, "Early stopping
    — but when?", 1998.

    >>> EarlyStopping(patience=3).monitor
    'val_loss'
    """

    def __init__(
        self, monitor: str = "val_loss", patience: int = 5, min_delta: float = 0.0, mode: str = "auto"
    ) -> None:
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ArgumentError(f"EarlyStopping: patience must be a whole number of epochs from 1, got {patience!r}")
        if not isinstance(min_delta, (int, float)) or not min_delta >= 0:
            raise ArgumentError(f"EarlyStopping: min_delta must be a number that is not negative, got {min_delta!r}")
        if not isinstance(monitor, str):
            raise ArgumentError(f"EarlyStopping: monitor must be a name such as 'val_loss', got {monitor!r}")
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f"EarlyStopping: mode must be 'auto', 'min' or 'max', got {mode!r}")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = float(min_delta)
        self.mode = mode
        self._sign = 1.0
        self.best_epoch = 0
        self.best = math.inf
        self._weights: dict[str, Any] | None = None

    def begin(self, training: Training) -> None:
        """Forget an earlier training, and refuse a name that this one does not record."""
        self.best_epoch, self._weights = 0, None
        if self.monitor not in training.history:
            raise ArgumentError(
                f"EarlyStopping watches '{self.monitor}', but training records {', '.join(training.history)}"
                + _remedy(self.monitor, training.history)
            )
        if self.mode == "auto" and self.monitor not in training.more_is_better:
            raise ArgumentError(
                f"EarlyStopping: mode 'auto' does not know whether more of '{self.monitor}' is better; "
                "write mode='max' or mode='min'"
            )
        upwards = training.more_is_better[self.monitor] if self.mode == "auto" else self.mode == "max"
        self._sign = -1.0 if upwards else 1.0
        self.best = self._sign * math.inf

    def epoch(self, training: Training) -> None:
        """Compare, keep the weights of the best epoch, and stop when patience is at its end."""
        value = training.history[self.monitor][-1]
        if self._sign * value < self._sign * self.best - self.min_delta:  # never so for NaN
            self.best, self.best_epoch, self._weights = value, training.epoch, training.snapshot()
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop(
                f"early stopping: {self.monitor} has not improved for {self.patience} epochs; "
                + (f"the weights of epoch {self.best_epoch} are back" if self.best_epoch else "it never was finite")
            )

    def end(self, training: Training) -> None:
        """Bring the best weights back, of the last epoch too: one that was not completed may have moved them."""
        if self._weights is not None:
            training.restore(self._weights)
        self._weights = None


def _remedy(monitor: str, history: Iterable[str]) -> str:
    """What makes a training record a name that it does not."""
    name = monitor.removeprefix("val_")
    if name != monitor and not any(known.startswith("val_") for known in history):
        return "; pass validation_split=0.1 or validation_data="
    try:
        return f"; pass metrics=['{metrics.get(name).name}']"
    except ArgumentError:
        return ""


class _Function(Callback):
    def __init__(self, function: Callable[[Training], object]) -> None:
        self._function = function

    def epoch(self, training: Training) -> None:
        self._function(training)


def as_callbacks(callbacks: Iterable[Any]) -> list[Callback]:
    """Callbacks as objects; functions are wrapped."""
    if not callable(callbacks) and not isinstance(callbacks, (Iterable, Callback)):
        raise ArgumentError(f"callbacks is {callbacks!r}; expected a list of nnkit.Callback objects or functions")
    made: list[Callback] = []
    for number, given in enumerate(
        [callbacks] if callable(callbacks) or isinstance(callbacks, Callback) else callbacks
    ):
        if isinstance(given, Callback):
            made.append(given)
        elif callable(given) and not isinstance(given, type):
            made.append(_Function(given))
        else:
            raise ArgumentError(
                f"callbacks[{number}] is {given!r}; expected a nnkit.Callback object or a function of one argument"
            )
    return made
