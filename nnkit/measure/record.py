"""The run record: what ran, how long, how fast, what it used, how well it learned; in memory and as a JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from nnkit.errors import ArgumentError, FileError
from nnkit.measure.checks import check_layout, unexplained
from nnkit.measure.environment import environment as describe_machine
from nnkit.measure.files import replacing
from nnkit.measure.layout import FORMAT, NOT_RECORDED, RECORD, Table, reason_key
from nnkit.measure.plain import plain

T = TypeVar("T")


class NotComputedError(Exception):
    """A late value was not asked for so far."""


class Late(Generic[T]):
    """A value that may be given as a function, called when the value is first needed and then let go."""

    def __init__(self, source: T | Callable[[], T]) -> None:
        self._source: Callable[[], T] | None = source if callable(source) else None
        self._value: T | None = None if callable(source) else source

    def get(self) -> T | None:
        """Return the value; what the function raises passes through, and the next call tries again."""
        if self._source is not None:
            self._value, self._source = self._source(), None
        return self._value

    def known(self) -> T | None:
        """Return the value if it is there already."""
        if self._source is not None:
            raise NotComputedError
        return self._value


@dataclass
class RunRecord:
    """Everything known of one training run; `to_dict` gives it in the layout of the JSON file.

    Each part is a mapping with the keys of that layout (`nnkit.measure.layout.RECORD`), in any order. A missing
    figure becomes None; put its reason into ``resources["reasons"]`` (the reasons of the probes and of the step timer
    fit as they are), otherwise the reason is "it was not recorded".

    Two values may be functions without arguments, called when first read or saved: ``data["sha256"]`` and
    ``result["train"]``. Read them with `data_sha256` and `train_result`.

    `stopped` says why training ended before its last epoch ("early stopping: …"); None if it did not. `failure` is the
    step that could not be done, if that is why; `examine` gives what the doctor
    finds in the network. Neither enters the file.

    >>> record = RunRecord(data={"name": "digits", "train": 1437}, history={"loss": [0.7, 0.2]},
    ...                    result={"train": lambda: {"loss": 0.19, "accuracy": 0.96}})
    >>> record.train_result
    {'loss': 0.19, 'accuracy': 0.96}
    >>> record.to_dict()["resources"]["reasons"]["time.elapsed_s"]
    'it was not recorded'
    """

    architecture: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    time: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, list[float]] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    interrupted: bool = False
    stopped: str | None = None
    failure: Any = None
    examine: Any = None
    environment: Mapping[str, Any] = field(default_factory=describe_machine)

    def __post_init__(self) -> None:
        self._sha256: Late[str | None] = Late(self.data.get("sha256"))
        self._train: Late[Mapping[str, Any] | None] = Late(self.result.get("train"))

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> RunRecord:
        """The record that ``to_dict`` or ``known`` gave.

        Raises:
            ArgumentError: it is not in the layout of a record.
        """
        if problems := check_layout(found):
            raise ArgumentError(problems[0])
        return cls(**{field.name: found[field.name] for field in fields(cls) if field.name in found})

    @property
    def data_sha256(self) -> str | None:
        """SHA-256 of the training data, computed when first read; None where it cannot be had."""
        return self._sha256.get()

    @property
    def train_result(self) -> Mapping[str, Any] | None:
        """Loss and metrics on the training data after training, computed when first read."""
        return self._train.get()

    def to_dict(self) -> dict[str, Any]:
        """Return the record in the types of JSON, every key of the layout in its order.

        NaN and infinity become None, with the reason under ``resources.reasons``; so does a late value whose function
        raises, because a finished run is worth more than its last figure.

        Raises:
            ArgumentError: a key that the layout does not have, or a value that JSON cannot hold.
        """
        return self._arranged(Late.get)

    def known(self) -> dict[str, Any]:
        """What ``to_dict`` gives, but late values that were not computed so far are None, with that reason."""
        return self._arranged(Late.known)

    def _arranged(self, read: Callable[[Late[Any]], Any]) -> dict[str, Any]:
        notes: dict[str, str] = {}
        parts = {name: plain(part, name, notes) for name, part in self._parts(read, notes).items()}
        record: dict[str, Any] = _arrange(parts, RECORD, "")
        reasons = record["resources"]["reasons"]
        for path, note in notes.items():
            known = reasons.get(reason_key(path))
            reasons[reason_key(path)] = f"{note}; {known}" if known else note
        reasons.update({reason_key(path): NOT_RECORDED for path in unexplained(record)})
        return record

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the record as JSON to `path`, in one step: readers find the old file or the whole new one.

        ``~`` is the home folder.

        Raises:
            FileError: the file cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with replacing(os.path.expanduser(path)) as new:
                new.write_text(text, encoding="utf-8", errors="backslashreplace")  # names of files that are not UTF-8
        except OSError as error:
            reason = error.strerror or error
            raise FileError(f"cannot write the record to '{path}': {reason}; does the folder exist?") from error

    def _parts(self, read: Callable[[Late[Any]], Any], notes: dict[str, str]) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "architecture": self.architecture,
            "training": self.training,
            "data": {**self.data, "sha256": _attempt(read, self._sha256, "data.sha256", notes)},
            "time": {"epochs_s": [], "epochs_end_s": [], **self.time},
            "resources": {"reasons": {}, **self.resources},
            "history": self.history,
            "result": {**self.result, "train": _attempt(read, self._train, "result.train", notes)},
            "interrupted": self.interrupted,
            "stopped": self.stopped,
            "environment": self.environment,
        }


def load_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a record that `RunRecord.save` wrote, as the dictionary that `RunRecord.to_dict` gave.

    Raises:
        FileError: no such file, not JSON, not a run record, or one of a newer format.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"cannot read the record '{path}': {error.strerror or error}") from error
    except ValueError as error:  # JSON and UTF-8 errors
        raise FileError(f"'{path}' is not a run record: it is not JSON ({error})") from error
    if not isinstance(record, dict) or "format" not in record:
        raise FileError(f"'{path}' is not a run record: expected a JSON object with a 'format'")
    if record["format"] != FORMAT:
        raise FileError(f"'{path}' has the record format {record['format']!r}, this nnkit reads {FORMAT}; update nnkit")
    missing = [name for name in RECORD.keys if name not in record and name != "stopped"]
    if missing:
        raise FileError(f"'{path}' is not a whole run record: it lacks {', '.join(missing)}")
    return record


def _attempt(read: Callable[[Late[Any]], Any], late: Late[Any], path: str, notes: dict[str, str]) -> Any:
    try:
        return read(late)
    except NotComputedError:
        notes[path] = "it was not computed"
        return None
    except Exception as error:  # the rest of the record must be saved all the same
        notes[path] = f"{type(error).__name__}: {error}"
        return None


def _arrange(part: Any, table: Table, path: str) -> Any:
    """Return `part` with the keys of `table` first and in its order, absent ones as None, at every level."""
    if part is None:
        return None
    unknown = [name for name in part if name not in table.keys]
    if unknown and table.others is None:
        where = path or "the record"
        raise ArgumentError(f"{where} has no '{unknown[0]}' in a run record; known: {', '.join(table.keys)}")
    arranged = {}
    for name in [*table.keys, *unknown]:
        inner, entry = part.get(name), table.keys.get(name)
        arranged[name] = _arrange(inner, entry, f"{path}.{name}".lstrip(".")) if isinstance(entry, Table) else inner
    return arranged
