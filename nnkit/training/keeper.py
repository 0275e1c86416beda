"""Checkpoints while a network trains: taken between two steps, written beside them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnkit.errors import NnkitError, NnkitWarning
from nnkit.measure import RunRecord
from nnkit.training.callbacks import Callback, Training

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nnkit.training.loop import Loop


class Keeper(Callback):
    """Takes a training as often as ``every`` says, and keeps no step waiting for the disk.

    A thread writes; training waits for the copy of its values alone. If the one before is still being written, it
    waits for that: two copies at most are in memory. A file that could not be written is told of in a warning, and
    training goes on.

    Args:
        every: as in :class:`nnkit.callbacks.Every`.
        require: refuses a target that cannot be written to.
        take: copies what is to be written of a training, with its record once it has ended; gives a function that
            writes it, whole or not at all.
    """

    def __init__(
        self,
        every: str,
        require: Callable[[], None],
        take: Callable[[Loop, RunRecord | None], Callable[[], None]],
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor  # takes a while to import, and most trainings need none

        self.every = every
        self._require, self._take = require, take
        self._thread = ThreadPoolExecutor(1, "nnkit-checkpoint")
        self._writing: Future[None] | None = None
        self._said: set[str] = set()

    def begin(self, training: Training) -> None:
        """Refuse what could not be written."""
        self._require()

    def due(self, training: Training) -> None:
        """Begin to write another one."""
        self._settle()
        self._writing = self._thread.submit(self._take(_whole(training), None))

    def finish(self, loop: Loop, record: RunRecord) -> None:
        """Write the last one."""
        self._take(loop, record)()

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._settle()

    def _settle(self) -> None:
        """Wait for the one before; what went wrong is said once."""
        writing, self._writing = self._writing, None
        try:
            if writing is not None:
                writing.result()
        except NnkitError as error:
            if str(error) not in self._said:
                self._said.add(str(error))
                warnings.warn(f"no checkpoint was written, and training goes on: {error}", NnkitWarning, stacklevel=2)


def _whole(training: Any) -> Loop:
    """All of a training, of which other callbacks see a part."""
    loop: Loop = training
    return loop
