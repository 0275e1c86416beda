"""Files that callbacks write: looked at before training, named after its figures."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnkit.errors import ArgumentError, FileError

if TYPE_CHECKING:
    from nnkit.training.callbacks.callback import Training


def as_file(owner: str, path: object) -> Path:
    """The path of a file as the user means it; ``~`` is the home folder."""
    if not isinstance(path, (str, os.PathLike)) or not str(path) or "\0" in str(path):
        raise ArgumentError(f"{owner}: path must be the name of a file, got {path!r}")
    return Path(os.path.expanduser(path))


def require_place(owner: str, path: Path) -> None:
    """Refuse a place that no file can be written to, so that training does not end for that."""
    if path.is_dir():
        raise FileError(f"{owner}: {path} is a folder; add the name of a file")
    if not path.parent.is_dir():
        raise FileError(f"{owner}: there is no folder {path.parent} to write {path.name} to; create it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise FileError(f"{owner}: {path} cannot be written to; allow it, or choose another place")


def length(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def cut(owner: str, path: Path, length: int) -> None:
    """Take away what was written to a file after it had so many bytes."""
    if not path.exists():
        return
    if path.stat().st_size < length:
        raise FileError(
            f"{owner}: {path} has {path.stat().st_size:,} bytes, and {length:,} when the checkpoint was made; "
            "put the file of that training back, or log to another one"
        )
    os.truncate(path, length)


def figures(training: Training) -> dict[str, Any]:
    """What a log notes of this moment: where training is, and its latest values by name."""
    where = {"epoch": training.epoch, "step": training.step, "elapsed_s": training.elapsed_s}
    return where | {"learning_rate": training.learning_rate} | training.values


class FileName:
    """A path in which ``{epoch}``, ``{step}`` and names of the history stand for their values at that moment.

    Formats are Python's: ``net-{epoch:03d}-{val_loss:.3f}.h5``.
    """

    def __init__(self, owner: str, path: object) -> None:
        self._owner, self._path = owner, as_file(owner, path)

    def require(self, training: Training) -> None:
        """Refuse names that this training does not record, formats that do not fit, and folders that are not there."""
        known = ["epoch", "step", *training.history]
        try:
            names = [name for _, name, _, _ in string.Formatter().parse(str(self._path)) if name is not None]
            unknown = [name for name in names if name not in known]
            if unknown:
                raise ArgumentError(
                    f"{self._owner}: the file name has {{{unknown[0]}}}, but there are {', '.join(known)}"
                )
            path = self._filled(training)
        except ArgumentError:
            raise
        except ValueError as error:
            raise ArgumentError(
                f"{self._owner}: the file name {str(self._path)!r} cannot be filled in: {error}; "
                "write it as in 'net-{epoch:03d}-{loss:.3f}.h5'"
            ) from error
        require_place(self._owner, path)

    def at(self, training: Training) -> Path:
        """The path at this moment."""
        return self._filled(training)

    def _filled(self, training: Training) -> Path:
        latest = {name: values[-1] if values else float("nan") for name, values in training.history.items()}
        where = {"epoch": training.epoch, "step": training.step}
        return Path(str(self._path).format_map(latest | training.values | where))
