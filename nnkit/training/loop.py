"""The loop over epochs: the only place that decides when steps run, when one looks, and when it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from nnkit.data.splits import epoch_order
from nnkit.diagnosis import Failure
from nnkit.errors import ArgumentError
from nnkit.measure import Clock, StepTimer
from nnkit.optimizers import Optimizer
from nnkit.training.agenda import Agenda
from nnkit.training.audience import Audience, Display, Moment
from nnkit.training.callbacks import Callback
from nnkit.training.data import TrainingData
from nnkit.training.examination import step_on
from nnkit.training.full_batch import FullBatch
from nnkit.training.interrupt import Interruption
from nnkit.training.keeper import Keeper
from nnkit.training.measured import Exact, Reason
from nnkit.training.model import Model
from nnkit.training.point import Point
from nnkit.training.programs import Epoch
from nnkit.training.progress import Progress
from nnkit.training.settings import base_learning_rate, changed, check_settings, learning_rate, named
from nnkit.training.standing import Standing

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
    resolved: Optimizer
    """As it was when training began."""
    callbacks: Sequence[Callback]
    progress: Progress | None
    clock: Clock
    no_way_back: Callable[[], None]
    save: Callable[[str | os.PathLike[str]], None]
    """Writes the network to a file."""
    boundary: Callable[[], None]
    """Is told when the first epoch begins, and when each has ended."""
    exact: Exact | None = None
    keeper: Keeper | None = None
    standing: Standing | None = None
    """Where to go on from."""
    more_is_better: dict[str, bool] = field(default_factory=dict)
    epoch: int = 0
    step: int = 0
    rows_done: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    validated: dict[str, float] | None = None
    epochs_s: list[float] = field(default_factory=list)
    epochs_end_s: list[float] = field(default_factory=list)
    stopped: str | None = None
    refused: Failure | None = None
    interrupted: bool = False
    timer: StepTimer = field(default_factory=StepTimer)
    changes: dict[str, float] = field(default_factory=dict)
    """Hyper-parameters that were set on the way."""
    begun: tuple[int, Mapping[str, Any]] = (0, MappingProxyType({}))
    """Steps of the first epoch that are done already, and what they added up."""
    before_s: float = 0.0
    """Seconds that they took."""
    _block: int = 1

    def __post_init__(self) -> None:
        display = [] if self.progress is None else [Display(self.progress)]
        keeper = [] if self.keeper is None else [self.keeper]
        self._listeners: list[Callback] = [*display, *self.callbacks, *keeper]
        self.lasting = [callback for callback in self.callbacks if callback.lasting]
        self._audience = Audience(self._listeners)
        self.optimizer = self.resolved
        self.search = None if self.optimizer.by_steps else FullBatch(self.model, self.train)
        self._within, self._began = False, 0.0

    def run(self) -> None:
        """Train until the last epoch, a callback's wish or error, Ctrl-C, or a step that the guard refused."""
        self.history = {name: [] for name in self._names()}
        with Interruption() as interruption:
            try:
                goes_on = self.standing is not None
                self._begin(interruption)
                self._audience.raise_failure()
                self.no_way_back()
                if self.keeper is not None and not goes_on:  # else the file is there, and says more than is known here
                    self.keeper.due(self)
                self._agenda = Agenda(self._listeners, time.perf_counter())
                self.boundary()
                while self.epoch < self.epochs and not (self.stopped or self.interrupted):
                    self._one_epoch(interruption)
                self.interrupted = interruption.wanted
                if self.keeper is not None and self.interrupted:
                    self.keeper.due(self)
            finally:
                self._end()
                if self.search is not None:
                    self.search.forget()
            self.validated = self._final_validation()

    def _refuse_flag(self, wanted: object) -> None:
        raise ArgumentError(
            f"training.stop_training = {wanted!r} is how Keras ends a training; here it is training.stop('the reason')"
        )

    stop_training = property(fset=_refuse_flag, doc="Keras's way to stop, which is refused: nothing looks at it.")

    @property
    def diverged(self) -> bool:
        """Whether the guard refused a step."""
        return self.refused is not None

    @property
    def completed(self) -> bool:
        """Whether it came to its end: the last epoch, or one at which a callback ended it."""
        at_end = self.epoch == self.epochs or (self.stopped is not None and not self.interrupted)
        return at_end and not self.diverged and self.failure is None

    @property
    def failure(self) -> BaseException | None:
        """What a callback raised."""
        return self._audience.failure

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return self.train.steps

    @property
    def elapsed_s(self) -> float:
        """Seconds since ``fit`` was called."""
        return self.clock.elapsed_s

    @property
    def learning_rate(self) -> float | None:
        """The rate of the latest update, its schedule counted in; None if the optimiser has none."""
        return learning_rate(self.optimizer, self.model.steps_done - self.model.updates_before)

    @property
    def base_learning_rate(self) -> float | None:
        """The rate that a change of ``learning_rate`` replaces."""
        return base_learning_rate(self.optimizer)

    def set(self, **settings: float) -> None:
        """Change hyper-parameters of the optimiser from the next step on."""
        made = changed(self.optimizer, settings)
        check_settings(made, self.model.layout.dtype)
        self.model.store.write(named(made))
        self.optimizer = made
        self.changes |= settings

    @property
    def done_within(self) -> int | None:
        """Steps of the epoch under way; None between two epochs."""
        return self.train.done if self._within else None

    @property
    def epoch_s(self) -> float:
        """Seconds that the epoch under way has taken so far."""
        return time.perf_counter() - self._began if self._within else 0.0

    def stop(self, reason: str = "") -> None:
        """End training here, after the step or the epoch that has just ended."""
        self.stopped = reason or "a callback stopped it"

    def snapshot(self) -> dict[str, Any]:
        """Host copies of all parameters and states."""
        return self.model.values()

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Put a snapshot back."""
        self.model.store.write(snapshot)

    @property
    def reasons(self) -> dict[str, Reason]:
        """Why metrics of the validation data had no value, or what there is to say of them."""
        return {} if self.exact is None else self.exact.reasons

    def _names(self) -> list[str]:
        """What every epoch records."""
        names = ["loss"] if self.answers is None else ["loss", "accuracy"]
        exact = [] if self.exact is None else self.exact.asked.names
        validated = [] if self.validate is None else [f"val_{name}" for name in [*names, *exact]]
        return [*names, *self.train.means.names, *validated]

    def _begin(self, interruption: Interruption) -> None:
        """Tell everybody that training begins, or goes on."""
        if self.standing is None:
            self._tell("begin", interruption)
            return
        self.standing.bring(self)
        with interruption.outside():
            self._audience.resume(self, {id(one): self.standing.state_of(n) for n, one in enumerate(self.lasting)})
        self.standing.bring_settings(self)
        self.standing = None

    def _tell(self, moment: Moment, interruption: Interruption, whom: Sequence[Callback] | None = None) -> None:
        """Tell the audience; an error there ends training here."""
        if self.failure is not None or (whom is not None and not whom):
            return
        with interruption.outside():
            fine = self._audience.tell(moment, self, whom)
        if not fine:
            self.stopped = self._audience.reason

    def _end(self) -> None:
        """The end of every callback, and then of the display, whichever of them raises."""
        if self.epoch == self.epochs:
            self.stopped = None  # there was nothing left to stop
        self._audience.tell("end", self)

    def _one_epoch(self, interruption: Interruption) -> None:
        self._began, self.before_s = time.perf_counter() - self.before_s, 0.0
        with self.clock.phase("train"):
            order = self.data.train.indices
            (done, sums), self.begun = self.begun, (0, {})
            shuffled = epoch_order(order, self.model.seed, self.model.epochs_done) if self.shuffle else None
            self.train.start(shuffled, done, sums)
            self.point.enter()
        self._within = True
        try:
            finished = self._steps(interruption)
        finally:
            self.point.leave()
        if not finished:
            return
        self.model.epochs_done += 1
        self.epoch += 1
        if self.validate is not None:
            with self.clock.phase("validate"):
                self.values |= {f"val_{name}": value for name, value in self._validation().items()}
        for name, value in self.values.items():
            self.history[name].append(value)
        self.epochs_s.append(self.epoch_s)
        self._within = False
        self.epochs_end_s.append(self.elapsed_s)
        self.boundary()
        self._tell("epoch", interruption)
        self._tell("due", interruption, self._agenda.after_epochs(self.epoch))
        self.interrupted = interruption.wanted

    def _steps(self, interruption: Interruption) -> bool:
        """All steps of an epoch, in blocks of about 30 ms; False if it did not get to the end."""
        while not self.train.finished:
            wanted = self.train.ahead(min(self._block, self._agenda.steps_left(self.step)))
            if not self._run_block(wanted):
                self._diverge()
                return False
            self._tell_between(self._agenda.after_steps(self.step, time.perf_counter()), interruption)
            if interruption.wanted:
                self.interrupted = True
            if self.interrupted or self.stopped:
                break
        return self.train.finished

    def _tell_between(self, due: Sequence[Callback], interruption: Interruption) -> None:
        """Tell those whose moment falls between two steps, who see the network as it would be now."""
        if due:
            self.point.leave()
            self._tell("due", interruption, due)
            self.point.enter()

    def _run_block(self, wanted: int) -> bool:
        """So many steps at once; False if the guard refused one of them."""
        rows = self.train.rows_done
        with self.clock.phase("train"):
            began = time.perf_counter()
            committed = self.search.update(self.optimizer) if self.search else self.train.run(wanted)
            self.values = self.train.metrics(self.answers)  # waits for the device
            elapsed = time.perf_counter() - began
        self.step += committed
        self.model.steps_done += committed
        self.rows_done += self.train.rows_done - rows
        self.timer.add(committed, elapsed)
        self._block = max(1, int(BLOCK_S * committed / max(elapsed, 1e-9)))
        return committed == wanted

    def _diverge(self) -> None:
        epoch, number = self.epoch + 1, self.train.done + 1
        graph, rows = self.train.following()
        self.refused = Failure.kept(step_on(self.model, graph, self.data.train, rows, epoch, number))
        again = "" if self.refused.path is None else f". To see that step again: nnkit replay {self.refused.path}"
        self.stopped = (
            f"the loss or a gradient became NaN or infinite in epoch {epoch}, step {number}; the network keeps its "
            f"last good step. {self.refused}{again}"
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
        return self.validate.metrics(self.answers) | ({} if self.exact is None else self.exact(self.epoch))
