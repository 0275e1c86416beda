"""Figures of every epoch as text: a table for spreadsheets, and a line of JSON for every event."""

from __future__ import annotations

import csv
import json
import math
import os
from typing import Any, TextIO

from nnkit.errors import FileError
from nnkit.training.callbacks.callback import Callback, Training
from nnkit.training.callbacks.period import Period
from nnkit.training.callbacks.places import as_file, cut, figures, length, require_place
from nnkit.training.callbacks.state import COUNT, checked


class CSVLog(Callback):
    """A row of comma-separated values for every epoch, on the disk at once.

    Columns: ``epoch``, ``step``, ``elapsed_s`` (since ``fit`` began), ``learning_rate``, and the names of the history.
    Numbers are written with all their digits. With ``append=True`` an earlier file with the same columns goes on.

    >>> import nnkit, tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "log.csv"
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=3, progress=False, callbacks=CSVLog(path))
    >>> path.read_text().splitlines()[0], len(path.read_text().splitlines())
    ('epoch,step,elapsed_s,learning_rate,loss', 4)
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        self.path = as_file("CSVLog", path)
        self.append = append
        self._continues = append
        self._columns: list[str] = []
        self._file: TextIO | None = None

    def begin(self, training: Training) -> None:
        """Refuse what could not be written; the file itself is opened with the first row."""
        self._continues = self.append
        self._look(training)

    def state(self) -> dict[str, Any]:
        """How long the file is."""
        return {"length": length(self.path)}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Go on with the file as it was at the checkpoint: what was written after it is written again."""
        self._continues = True
        self._look(training)
        cut("CSVLog", self.path, **checked("CSVLog", state, length=COUNT))

    def _look(self, training: Training) -> None:
        require_place("CSVLog", self.path)
        self._columns = ["epoch", "step", "elapsed_s", "learning_rate", *training.history]
        if self._goes_on():
            with self.path.open(newline="", encoding="utf-8") as earlier:
                there = next(csv.reader(earlier))
            if there != self._columns:
                raise FileError(
                    f"CSVLog: {self.path} has the columns {', '.join(there)}, and this training writes "
                    f"{', '.join(self._columns)}; log to another file, or without append=True"
                )

    def epoch(self, training: Training) -> None:
        """Write a row."""
        if self._file is None:
            header = not self._goes_on()
            self._file = self.path.open("w" if header else "a", newline="", encoding="utf-8")
            if header:
                csv.writer(self._file).writerow(self._columns)
        row = figures(training)
        csv.writer(self._file).writerow(["" if row[name] is None else repr(row[name]) for name in self._columns])
        self._file.flush()

    def end(self, training: Training) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _goes_on(self) -> bool:
        return self._continues and self.path.exists() and self.path.stat().st_size > 0


class JSONLog(Callback):
    """A line of JSON for every event of training: ``begin``, ``epoch``, ``end``, and ``step`` if ``every`` is given.

    For programs that look on: each line is on the disk at once, and NaN and infinity are null.

    >>> import nnkit, tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "log.jsonl"
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=1, progress=False, callbacks=JSONLog(path))
    >>> [json.loads(line)["event"] for line in path.read_text().splitlines()]
    ['begin', 'epoch', 'end']
    """

    def __init__(self, path: str | os.PathLike[str], every: str | None = None) -> None:
        if every is not None:
            Period.of("JSONLog", every)
        self.path = as_file("JSONLog", path)
        self.every = every
        self._file: TextIO | None = None

    def begin(self, training: Training) -> None:
        """Refuse what could not be written, then open the file."""
        require_place("JSONLog", self.path)
        self._file = self.path.open("w", encoding="utf-8")
        self._say_begin(training)

    def state(self) -> dict[str, Any]:
        """How long the file is."""
        return {"length": length(self.path)}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Go on with the file as it was at the checkpoint, with another ``begin``."""
        require_place("JSONLog", self.path)
        cut("JSONLog", self.path, **checked("JSONLog", state, length=COUNT))
        self._file = self.path.open("a", encoding="utf-8")
        self._say_begin(training)

    def _say_begin(self, training: Training) -> None:
        self._write("begin", {"epochs": training.epochs, "steps": training.steps, "records": list(training.history)})

    def due(self, training: Training) -> None:
        """Write a line in the middle of an epoch."""
        self._write("step", figures(training))

    def epoch(self, training: Training) -> None:
        """Write a line."""
        self._write("epoch", figures(training))

    def end(self, training: Training) -> None:
        """Write the last line, and close the file."""
        if self._file is None:
            return
        how = {"stopped": training.stopped, "interrupted": training.interrupted, "diverged": training.diverged}
        self._write("end", {"epoch": training.epoch, "step": training.step, "elapsed_s": training.elapsed_s, **how})
        self._file.close()
        self._file = None

    def _write(self, event: str, what: dict[str, Any]) -> None:
        assert self._file is not None
        line = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in what.items()}
        self._file.write(json.dumps({"event": event, **line}) + "\n")
        self._file.flush()
