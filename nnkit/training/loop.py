"""The loop over epochs: the only place that decides when steps run, when one looks, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from nnkit.data.splits import epoch_order
from nnkit.measure import Clock, StepTimer
from nnkit.training.callbacks import Callback
from nnkit.training.data import TrainingData
from nnkit.training.interrupt import Interruption
from nnkit.training.model import Model
from nnkit.training.point import Point
from nnkit.training.programs import Epoch
from nnkit.training.progress import Progress

BLOCK_S = 0.03  # between two looks at the clock, the display and Ctrl-C


@dataclass
class Loop:
    """One training. What callbacks see of it is described by ``callbacks.Training``."""

    model: Model
    data: TrainingData
    train: Epoch
    point: Point
    validate: Epoch | None
    epochs: int
    shuffle: bool
    answers: int | None
    callbacks: Sequence[Callback]
    progress: Progress
    clock: Clock
    no_way_back: Callable[[], None]
    epoch: int = 0
    rows_done: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    validated: dict[str, float] | None = None
    epochs_s: list[float] = field(default_factory=list)
    stopped: str | None = None
    diverged: bool = False
    interrupted: bool = False
    timer: StepTimer = field(default_factory=StepTimer)
    _block: int = 1

    def run(self) -> None:
        """Train until the last epoch, a callback's wish, Ctrl-C, or a step that the guard refused."""
        self.history = {name: [] for name in self._names()}
        self.progress.begin(self.epochs, self.train.steps)
        with Interruption() as interruption:
            try:
                self._tell(lambda callback: callback.begin(self), interruption)
                self.no_way_back()
                while self.epoch < self.epochs and not (self.stopped or self.interrupted):
                    self._one_epoch(interruption)
                self.interrupted = interruption.wanted
            finally:
                self._end()
            self.validated = self._final_validation()

    def stop(self, reason: str = "") -> None:
        """End training after this epoch."""
        self.stopped = reason or "a callback stopped it"

    def snapshot(self) -> dict[str, Any]:
        """Host copies of all parameters and states."""
        return self.model.values()

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Put a snapshot back."""
        self.model.store.write(snapshot)

    def _names(self) -> list[str]:
        """What every epoch records."""
        names = ["loss"] if self.answers is None else ["loss", "accuracy"]
        return names + [f"val_{name}" for name in names if self.validate is not None]

    def _tell(self, event: Callable[[Callback], None], interruption: Interruption) -> None:
        with interruption.outside():
            for callback in self.callbacks:
                event(callback)

    def _end(self) -> None:
        """The end of every callback, and then of the display, whichever of them raises."""
        if self.epoch == self.epochs:
            self.stopped = None  # there was nothing left to stop
        with ExitStack() as stack:
            said = "" if self.diverged else self.stopped  # fit warns of divergence
            stack.callback(self.progress.end, said or ("interrupted" if self.interrupted else ""))
            for callback in reversed(self.callbacks):
                stack.callback(callback.end, self)

    def _one_epoch(self, interruption: Interruption) -> None:
        began = time.perf_counter()
        with self.clock.phase("train"):
            order = self.data.train.indices
            self.train.start(epoch_order(order, self.model.seed, self.model.epochs_done) if self.shuffle else None)
            self.point.enter()
            try:
                finished = self._steps(interruption)
            finally:
                self.point.leave()
        if not finished:
            return
        self.model.epochs_done += 1
        self.epoch += 1
        values = self.train.metrics(self.answers)
        if self.validate is not None:
            with self.clock.phase("validate"):
                values |= {f"val_{name}": value for name, value in self._validation().items()}
        for name, value in values.items():
            self.history[name].append(value)
        self.epochs_s.append(time.perf_counter() - began)
        self.progress.epoch_end(self.epoch, values)
        self._tell(lambda callback: callback.epoch(self), interruption)
        self.interrupted = interruption.wanted

    def _steps(self, interruption: Interruption) -> bool:
        """All steps of an epoch, in blocks of about 30 ms; False if it did not get to the end."""
        while not self.train.finished:
            wanted, rows = self.train.ahead(self._block), self.train.rows_done
            began = time.perf_counter()
            committed = self.train.run(wanted)
            values = self.train.metrics(self.answers)  # waits for the device
            elapsed = time.perf_counter() - began
            self.model.steps_done += committed
            self.rows_done += self.train.rows_done - rows
            self.timer.add(committed, elapsed)
            if committed < wanted:
                self._diverge()
                return False
            self._block = max(1, int(BLOCK_S * committed / max(elapsed, 1e-9)))
            self.progress.update(self.epoch + 1, self.train.done, values)
            if interruption.wanted:
                self.interrupted = True
                break
        return self.train.finished

    def _diverge(self) -> None:
        self.diverged = True
        self.stopped = (
            f"the loss or a gradient became NaN or infinite in epoch {self.epoch + 1}, step {self.train.done + 1}; "
            "the network keeps its last good step. Try a smaller learning rate, scaled inputs, or ClipByGlobalNorm"
        )

    def _final_validation(self) -> dict[str, float] | None:
        """Validation scores of the weights as they are now: callbacks may have changed them after the last epoch."""
        if self.validate is None or not self.epoch:
            return None
        if not (self.callbacks or self.interrupted or self.diverged):
            return {name[4:]: values[-1] for name, values in self.history.items() if name.startswith("val_")}
        with self.clock.phase("validate"):
            return self._validation()

    def _validation(self) -> dict[str, float]:
        assert self.validate is not None
        self.validate.start()
        while not self.validate.finished:
            self.validate.run(self.validate.steps)
        return self.validate.metrics(self.answers)
