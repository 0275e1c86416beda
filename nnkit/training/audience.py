"""Everybody who follows a training: the one way on which its events reach the display, the logs and the callbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from nnkit.errors import NnkitError
from nnkit.training.callbacks import Callback, Training, name_of
from nnkit.training.progress import Progress

Moment = Literal["begin", "due", "epoch", "end"]
NOTES = {
    "begin": " before the first step; nothing was trained",
    "end": " at the end of training; the network is trained, and error.run is the run",
}
STOPPED = ", which ended training; the network keeps its last step, and error.run is the run so far"


class Audience:
    """Tells all of a moment, in order; at the end in the opposite order.

    An error keeps nobody else from being told, but for ``begin``, where nothing has happened yet, and for what ends a
    program. The first one is kept as ``failure``, with a note that says where it came from; later ones are noted there.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks
        self.failure: BaseException | None = None
        self.reason = ""

    def tell(self, moment: Moment, training: Training, whom: Sequence[Callback] | None = None) -> bool:
        """Call this method of all, or of some; False if an error has come from anywhere so far."""
        told = self._callbacks if whom is None else whom
        for callback in reversed(told) if moment == "end" else told:
            try:
                getattr(callback, moment)(training)
            except BaseException as error:
                self._keep(error, f"{name_of(callback)}.{moment}")
                if moment == "begin" or not (moment == "end" or isinstance(error, Exception)):
                    break
        return self.failure is None

    def resume(self, training: Training, states: Mapping[int, dict[str, Any]]) -> None:
        """In place of ``begin``: each goes on from its state, by ``id``; those without one begin."""
        for callback in self._callbacks:
            try:
                if id(callback) in states:
                    callback.resume(training, states[id(callback)])
                else:
                    callback.begin(training)
            except BaseException as error:
                self._keep(error, f"{name_of(callback)}.begin")
                break

    def raise_failure(self) -> None:
        """Raise what was kept."""
        if self.failure is not None:
            raise self.failure

    def _keep(self, error: BaseException, where: str) -> None:
        if self.failure is None:
            self.failure = error
            self.reason = f"{where} raised {type(error).__name__}: {error}"
            if where.endswith("begin") and isinstance(error, NnkitError):
                return  # a refusal, which names its callback itself
            _note(error, f"raised by {where}{NOTES.get(where.rpartition('.')[2], STOPPED)}")
        else:
            _note(self.failure, f"then {where} raised {type(error).__name__}: {error}")


def _note(error: BaseException, text: str) -> None:
    with suppress(AttributeError):  # an error that takes no attributes
        error.add_note(text)


class Display(Callback):
    """The progress display as one of the audience; it is not told more often than an eye can follow."""

    every = "0.1 s"

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def begin(self, training: Training) -> None:
        """Show the first picture."""
        self._progress.begin(training.epochs, training.steps)

    def due(self, training: Training) -> None:
        """Show how far the epoch is."""
        self._progress.update(training.epoch + 1, training.step - training.epoch * training.steps, training.values)

    def epoch(self, training: Training) -> None:
        """Show the values of the epoch."""
        self._progress.epoch_end(training.epoch, training.values)

    def end(self, training: Training) -> None:
        """Show the last picture and why training ended; ``fit`` itself warns of divergence."""
        said = "" if training.diverged else training.stopped
        self._progress.end(said or ("interrupted" if training.interrupted else ""))
