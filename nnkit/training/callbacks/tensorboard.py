"""Figures of every epoch for TensorBoard."""

from __future__ import annotations

import os

from nnkit.errors import FileError
from nnkit.training.callbacks.callback import Callback, Training
from nnkit.training.callbacks.event_file import EventFile
from nnkit.training.callbacks.places import as_file

VALIDATION = "val_"


class TensorBoardLog(Callback):
    """Scalars of every epoch in event files: ``tensorboard --logdir FOLDER`` draws them while training goes on.

    The values of the training stand in ``FOLDER/train``, with the learning rate, and those of the validation under the
    same names in ``FOLDER/validation``, so that TensorBoard draws both in one chart. A folder for each training keeps
    them apart. TensorBoard itself is not needed to write them.

    >>> import nnkit, tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=3, validation_data=([[0.5]], [0.5]), progress=False,
    ...               callbacks=TensorBoardLog(folder))
    >>> sorted(path.name for path in folder.iterdir())
    ['train', 'validation']
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = as_file("TensorBoardLog", folder)
        self._files: dict[str, EventFile] = {}

    def begin(self, training: Training) -> None:
        """Make the folder, or refuse a place where that cannot be done."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"TensorBoardLog: the folder {self.folder} cannot be made: {error.strerror}; choose another place"
            ) from error

    def epoch(self, training: Training) -> None:
        """Write the values of the epoch."""
        validation = {name: value for name, value in training.values.items() if name.startswith(VALIDATION)}
        own = {name: value for name, value in training.values.items() if name not in validation}
        if training.learning_rate is not None:
            own["learning_rate"] = training.learning_rate
        self._write("train", training.epoch, own)
        if validation:
            self._write(
                "validation",
                training.epoch,
                {name.removeprefix(VALIDATION): value for name, value in validation.items()},
            )

    def end(self, training: Training) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _write(self, part: str, epoch: int, values: dict[str, float]) -> None:
        if part not in self._files:
            self._files[part] = EventFile(self.folder / part)
        self._files[part].write(epoch, values)
