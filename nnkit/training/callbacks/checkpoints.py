"""Writing the network to files while it trains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nnkit.training.callbacks.callback import Callback, Training
from nnkit.training.callbacks.monitor import Monitor
from nnkit.training.callbacks.period import Period
from nnkit.training.callbacks.places import FileName
from nnkit.training.callbacks.state import COUNT, FIGURE, checked


class BestCheckpoint(Callback):
    """Writes the network to an HDF5 file whenever ``monitor`` is better than in every epoch before.

    The file is that of ``net.save``: ``nnkit.load`` reads it, and it is written in one step, so that a crash leaves the
    one before. Its name may hold ``{epoch}``, ``{step}`` and names of the history, as in
    ``"best-{epoch:03d}-{val_loss:.3f}.h5"``; then every file stays. ``mode`` is that of :class:`EarlyStopping`.
    ``best``, ``best_epoch`` and ``saved``, the last file, can be read afterwards.

    >>> import nnkit, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "best.h5"
    >>> data = nnkit.data.load("xor", seed=0)
    >>> net = nnkit.FeedForward(inputs=2, hidden=[8], outputs=2, output_activation="softmax", seed=0)
    >>> run = net.fit(data.x_train, data.y_train, epochs=3, validation_split=0.2, progress=False,
    ...               callbacks=BestCheckpoint(path))
    >>> nnkit.load(path).input_shape
    (2,)
    """

    def __init__(self, path: str | os.PathLike[str], monitor: str = "val_loss", mode: str = "auto") -> None:
        self._name = FileName("BestCheckpoint", path)
        self._watched = self._given = Monitor("BestCheckpoint", monitor, mode)
        self.monitor = monitor
        self.best, self.best_epoch = self._watched.worst, 0
        self.saved: Path | None = None

    def begin(self, training: Training) -> None:
        """Forget an earlier training, and refuse what could not be written."""
        self._watched = self._given.settled(training)
        self.best, self.best_epoch, self.saved = self._watched.worst, 0, None
        self._name.require(training)

    def state(self) -> dict[str, Any]:
        """The best figure so far."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Write only what is better than that."""
        self.begin(training)
        found = checked("BestCheckpoint", state, best=FIGURE, best_epoch=COUNT)
        self.best, self.best_epoch = found["best"], found["best_epoch"]

    def epoch(self, training: Training) -> None:
        """Write, if it is the best so far."""
        value = self._watched.value(training)
        if self._watched.better(value, self.best):
            path = self._name.at(training)
            training.save(path)
            self.best, self.best_epoch, self.saved = value, training.epoch, path


class PeriodicCheckpoint(Callback):
    """Writes the network to an HDF5 file ``every`` so often: ``"1 epoch"``, ``"500 steps"`` or ``"10 min"``.

    File and name as in :class:`BestCheckpoint`; without a name that changes, one file is replaced. What is written in
    the middle of an epoch is the network after that step. ``saved`` is the last file.

    >>> import nnkit, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], epochs=2, batch_size=1, progress=False,
    ...               callbacks=PeriodicCheckpoint(folder / "net-{step}.h5", every="2 steps"))
    >>> sorted(path.name for path in folder.iterdir())
    ['net-2.h5', 'net-4.h5', 'net-6.h5']
    """

    def __init__(self, path: str | os.PathLike[str], every: str = "1 epoch") -> None:
        Period.of("PeriodicCheckpoint", every)
        self._name = FileName("PeriodicCheckpoint", path)
        self.every = every
        self.saved: Path | None = None

    def begin(self, training: Training) -> None:
        """Refuse what could not be written."""
        self.saved = None
        self._name.require(training)

    def due(self, training: Training) -> None:
        """Write."""
        path = self._name.at(training)
        training.save(path)
        self.saved = path
