"""Changing the learning rate while training goes on: when a figure stays where it is, and by a function of yours."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from nnkit.arguments import require_takes
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.names import lookup
from nnkit.training.callbacks.callback import Callback, Training
from nnkit.training.callbacks.monitor import Monitor
from nnkit.training.callbacks.state import COUNT, FIGURE, checked

SMALLEST_CHANGE = 1e-8


class ReduceOnPlateau(Callback):
    """Multiplies the learning rate by ``factor`` when ``monitor`` has not improved for more than ``patience`` epochs.

    Decisions and defaults are those of PyTorch's ReduceLROnPlateau. With a schedule, it is the rate it starts from.

    Args:
        monitor: a name of the history.
        factor: what the rate is multiplied by, in (0, 1).
        patience: epochs without an improvement that are let pass; the next one reduces.
        min_learning_rate: the rate is never made smaller than this.
        cooldown: epochs after a reduction that do not count.
        threshold: what an improvement must be more than: a share of the best value so far, or itself a difference.
        threshold_mode: ``"relative"`` or ``"absolute"``.
        mode: as in :class:`EarlyStopping`.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> plateau = ReduceOnPlateau("loss", factor=0.5, patience=2, threshold=10.0, threshold_mode="absolute")
    >>> rates = []
    >>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=8, learning_rate=0.1, progress=False,
    ...               callbacks=[plateau, lambda training: rates.append(training.learning_rate)])
    >>> rates
    [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_learning_rate: float = 0.0,
        cooldown: int = 0,
        threshold: float = 1e-4,
        threshold_mode: str = "relative",
        mode: str = "auto",
    ) -> None:
        check_number("ReduceOnPlateau", "factor", factor, "(0, 1)")
        check_count("ReduceOnPlateau", "patience", patience, at_least=0)
        check_number("ReduceOnPlateau", "min_learning_rate", min_learning_rate, "[0, inf)")
        check_count("ReduceOnPlateau", "cooldown", cooldown, at_least=0)
        check_number("ReduceOnPlateau", "threshold", threshold, "[0, inf)")
        modes = {"relative": True, "absolute": False}
        self._relative = lookup("threshold_mode", threshold_mode, modes, {"rel": "relative", "abs": "absolute"})
        self._watched = self._given = Monitor("ReduceOnPlateau", monitor, mode)
        self.monitor = monitor
        self.factor, self.patience = float(factor), patience
        self.min_learning_rate, self.cooldown = float(min_learning_rate), cooldown
        self.threshold = float(threshold)
        self.best = self._watched.worst
        self._bad = self._cooling = 0

    def begin(self, training: Training) -> None:
        """Forget an earlier training, and refuse one that has no such figure or no learning rate."""
        self._watched = self._given.settled(training)
        self.best = self._watched.worst
        self._bad = self._cooling = 0
        require_rate("ReduceOnPlateau", training)

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        names = ("monitor", "factor", "patience", "min_learning_rate", "cooldown", "threshold")
        how = {"threshold_mode": "relative" if self._relative else "absolute", "mode": self._given.mode}
        return {name: getattr(self, name) for name in names} | how

    def state(self) -> dict[str, Any]:
        """The best figure so far, and the epochs that were counted."""
        return {"best": self.best, "bad": self._bad, "cooling": self._cooling}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Go on counting."""
        self.begin(training)
        found = checked("ReduceOnPlateau", state, best=FIGURE, bad=COUNT, cooling=COUNT)
        self.best, self._bad, self._cooling = found["best"], found["bad"], found["cooling"]

    def epoch(self, training: Training) -> None:
        """Count, and reduce when it is time."""
        value = self._watched.value(training)
        if self._improved(value):
            self.best, self._bad = value, 0
        else:
            self._bad += 1
        if self._cooling > 0:
            self._cooling, self._bad = self._cooling - 1, 0
        if self._bad > self.patience:
            self._cooling, self._bad = self.cooldown, 0
            self._reduce(training)

    def _improved(self, value: float) -> bool:
        if not self._relative:
            return self._watched.better(value, self.best, self.threshold)
        return self._watched.better(value, self.best * (1.0 - self._watched.sign * self.threshold))

    def _reduce(self, training: Training) -> None:
        before = require_rate("ReduceOnPlateau", training)
        after = max(before * self.factor, self.min_learning_rate)
        if before - after > SMALLEST_CHANGE:
            training.set(learning_rate=after)


class LearningRateSchedule(Callback):
    """The learning rate of each epoch as a function of its number, which counts from 1.

    A formula that follows every step, and costs nothing, is a schedule of the optimiser:
    ``nnkit.optimizers.schedules.Cosine`` and its like. This is for what only Python can say.

    >>> import nnkit
    >>> net, rates = nnkit.FeedForward(inputs=1, outputs=1, seed=0), []
    >>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=3, progress=False, optimizer="sgd",
    ...               callbacks=[lambda training: rates.append(training.learning_rate),
    ...                          LearningRateSchedule(lambda epoch: 0.1 / epoch)])
    >>> [round(rate, 6) for rate in rates]
    [0.1, 0.05, 0.033333]
    """

    def __init__(self, function: Callable[[int], float]) -> None:
        if not callable(function) or isinstance(function, type):
            raise ArgumentError(f"LearningRateSchedule: expected a function of the epoch, got {function!r}")
        require_takes("LearningRateSchedule: function", function, "epoch")
        self.function = function

    def begin(self, training: Training) -> None:
        """Set the rate of the first epoch."""
        require_rate("LearningRateSchedule", training)
        self._set(training, 1)

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Leave the rate that it had set."""
        require_rate("LearningRateSchedule", training)

    def epoch(self, training: Training) -> None:
        """Set the rate of the next epoch, if there is one."""
        if training.epoch < training.epochs:
            self._set(training, training.epoch + 1)

    def _set(self, training: Training, epoch: int) -> None:
        rate: object = self.function(epoch)
        if isinstance(rate, bool) or not isinstance(rate, (float, Real)):
            raise ArgumentError(f"LearningRateSchedule: the function gave {rate!r} for epoch {epoch}, not a number")
        training.set(learning_rate=float(rate))


def require_rate(owner: str, training: Training) -> float:
    """The rate that can be changed; an optimiser without one is refused."""
    rate = training.base_learning_rate
    if rate is None:
        raise ArgumentError(f"{owner} changes the learning rate, and the optimizer of this training has none")
    return rate
