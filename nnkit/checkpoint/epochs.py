"""What a network knows of its last training, as data sets: the record as JSON, and an array for what epochs have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from nnkit.checkpoint import places
from nnkit.checkpoint.blocks import Shape
from nnkit.checkpoint.schema import NOTHING, OBJECT, TEXT, count, either, entries, many
from nnkit.checkpoint.sources import Held, Source
from nnkit.checkpoint.text import written
from nnkit.data.arrays import Array
from nnkit.training.past import Past

TIMES = ("epochs_s", "epochs_end_s")
_EPOCHS = entries({"count": count(), "history": many(TEXT, 10_000)})
_RECORD = either(NOTHING, OBJECT)


class Epochs(NamedTuple):
    """The names in the history, and how many epochs there are."""

    names: tuple[str, ...]
    total: int

    @classmethod
    def of(cls, past: Past) -> Epochs:
        """Those of a training."""
        return cls(tuple(past.history), len(past.epochs_s))

    @classmethod
    def from_dict(cls, found: Any) -> Epochs:
        """What ``to_dict`` gave, after JSON; ValueError says what is wrong with it."""
        _EPOCHS(found, "epochs")
        names = tuple(found["history"])
        if len(set(map(_place, names))) < len(names):
            raise ValueError("names a figure of the history twice")
        return cls(names, found["count"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"count": self.total, "history": list(self.names)}

    def shapes(self) -> dict[str, Shape]:
        """The arrays by their places."""
        return dict.fromkeys([*map(_place, self.names), *(f"{places.TIMES}/{name}" for name in TIMES)], (self.total,))

    def past(self, record: dict[str, Any] | None, read: Callable[[str], Array]) -> Past:
        """All of it, from a function that gives the values at a place."""
        history = {name: read(_place(name)).tolist() for name in self.names}
        return Past(record, history, *(read(f"{places.TIMES}/{name}").tolist() for name in TIMES))


def sources(past: Past) -> dict[str, Source]:
    """The data sets by their places."""
    series = {_place(name): values for name, values in past.history.items()}
    series |= {f"{places.TIMES}/{name}": getattr(past, name) for name in TIMES}
    texts: dict[str, Source] = {
        places.RECORD: Held(written(_bare(past.record))),
        places.EPOCHS: Held(written(Epochs.of(past).to_dict())),
    }
    return texts | {place: Held(np.asarray(values, np.float64)) for place, values in series.items()}


def record_of(found: Any) -> dict[str, Any] | None:
    """The record, after JSON; ValueError says what is wrong with it."""
    _RECORD(found, "record")
    record: dict[str, Any] | None = found
    return record


def _bare(record: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The record without its long lists, which stand beside it."""
    if record is None:
        return None
    time = {**record["time"], "epochs_s": [], "epochs_end_s": []}
    return {**record, "history": {}, "time": time, "data": {**record["data"], "validation_indices": []}}


def _place(name: str) -> str:
    """A name of the history as one of HDF5's: a slash separates groups, and a dot alone is the group itself."""
    return f"{places.HISTORY}/{quote(name, safe=' ()[]<>=,+*@').replace('.', '%2E') or '%'}"
