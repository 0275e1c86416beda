"""The JSON text of a checkpoint: where the training stood, and with what it was started."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from nnkit.checkpoint.schema import (
    ANY_NUMBER,
    HASH,
    NOTHING,
    NUMBER,
    OBJECT,
    RATE,
    SWITCH,
    TEXT,
    count,
    either,
    entries,
    many,
    mapping,
)
from nnkit.checkpoint.text import written
from nnkit.measure.clock import PHASES
from nnkit.training.configuration import GIVEN, MACHINE, PLAIN, REAL, WHOLE
from nnkit.training.past import Past
from nnkit.training.standing import COUNTERS, EPOCHS, Standing

COUNTER = count(2**32 - 1)
PAIRS = 10_000
NUMBERS = many(ANY_NUMBER, 1_000_000)
POSITIVE = ("tile_bytes", "threads", "run_steps", "lanes", "call_s", "bytes_per_s", "cached_bytes_per_s", "flops_per_s")
_TARGET = entries(
    {"name": TEXT}
    | dict.fromkeys(WHOLE, count())
    | dict.fromkeys(REAL, RATE)
    | {"element_s": many(many(either(TEXT, RATE), 2), 1000), "profile": TEXT}
)
_CALLBACK = entries({"name": TEXT, "config": either(NOTHING, OBJECT), "state": OBJECT, "snapshots": many(TEXT, 100)})
_STANDING = entries(
    {
        "epoch": count(),
        "step": count(),
        "rows_done": count(),
        "values": mapping(ANY_NUMBER),
        "stopped": either(NOTHING, TEXT),
        "within": either(NOTHING, count()),
        "epoch_s": RATE,
        "clock": entries(dict.fromkeys(("elapsed", *PHASES), RATE)),
        "reasons": mapping(many(either(TEXT, count()), 2)),
        "changes": mapping(NUMBER),
        "model": entries(
            {"epochs_done": count(), "steps_done": COUNTER, "updates_before": COUNTER, "as_drawn": SWITCH}
        ),
        "counters": entries(dict.fromkeys(COUNTERS, count())),
        "sums": mapping(either(ANY_NUMBER, NUMBERS)),
        "value": either(NOTHING, NUMBER),
        "pairs": count(PAIRS),
        "trained": SWITCH,
        "moments": mapping(many(count(), 32)),
        "callbacks": many(_CALLBACK, 1000),
    }
)
_PLAIN = either(NOTHING, SWITCH, NUMBER, TEXT)
_CONFIGURATION = entries(
    {
        "options": entries(dict.fromkeys(PLAIN, _PLAIN)),
        "given": entries(dict.fromkeys(GIVEN, SWITCH)),
        "metrics": many(entries({"name": TEXT, "own": SWITCH}), 1000),
        "before": COUNTER,
        "fresh": SWITCH,
        "rows": many(count(), 2),
        "device": TEXT,
        "targets": many(either(NOTHING, _TARGET), 2),
        "programs": many(many(HASH, 2), 2),
        "machine": entries(dict.fromkeys(MACHINE, _PLAIN)),
    }
)
_TEXT = entries(
    {
        "standing": _STANDING,
        "configuration": _CONFIGURATION,
        "data": mapping(HASH),
        "every": TEXT,
        "finished": SWITCH,
        "belongs_to": HASH,
    }
)


class Progress(NamedTuple):
    """What goes into the text; arrays, and what there is of each epoch, stand elsewhere in the file."""

    facts: dict[str, Any]
    """Those of the standing, without what there is of each epoch."""
    configuration: dict[str, Any]
    hashes: dict[str, str]
    """Those of the data."""
    every: str
    finished: bool

    def to_dict(self, architecture: bytes, training: bytes) -> dict[str, Any]:
        """Plain data for JSON, with a hash of the texts that it belongs to."""
        facts = {name: value for name, value in self.facts.items() if name not in EPOCHS}
        return {
            "standing": _encoded(facts),
            "configuration": self.configuration,
            "data": self.hashes,
            "every": self.every,
            "finished": self.finished,
            "belongs_to": _hash(architecture, training, self.configuration),
        }

    @classmethod
    def from_dict(cls, found: Any, architecture: bytes, training: bytes, epochs: int) -> Progress:
        """What ``to_dict`` gave, after JSON, beside so many epochs; ValueError says what is wrong with it."""
        found = _decoded(found)
        _TEXT(found, "progress")
        facts, configuration = found["standing"], found["configuration"]
        if found["belongs_to"] != _hash(architecture, training, configuration):
            raise ValueError("belongs to another architecture or configuration than the file has")
        _check_together(facts, configuration, epochs)
        return cls(facts, configuration, found["data"], found["every"], found["finished"])

    def standing(self, past: Past, arrays: Mapping[str, dict[str, Any]]) -> Standing:
        """With what there is of each epoch, and arrays."""
        return Standing(self.facts | {name: getattr(past, name) for name in EPOCHS}, dict(arrays))


def _check_together(facts: Mapping[str, Any], configuration: Mapping[str, Any], there: int) -> None:
    """Refuse numbers that are not those of one training."""
    rows, epochs = configuration["rows"], configuration["options"]["epochs"]
    if len(rows) != 2 or len(configuration["targets"]) != 2 or len(configuration["programs"]) != 2:
        raise ValueError("has not two of progress.configuration.rows, targets and programs")
    for number, target in enumerate(configuration["targets"]):
        if target is not None and not all(target[name] > 0 for name in POSITIVE):
            raise ValueError(f"has a number that is 0 in progress.configuration.targets.{number}")
        if target is not None and target["near_bytes"] and not target["near_bytes_per_s"]:
            raise ValueError(f"has 0 at progress.configuration.targets.{number}.near_bytes_per_s")
    if facts["counters"]["cursor"] > rows[0]:
        raise ValueError(f"has the cursor at {facts['counters']['cursor']:,}, past the {rows[0]:,} rows of the data")
    if facts["within"] is not None and facts["within"] > rows[0]:
        raise ValueError(f"has {facts['within']:,} steps of an epoch over {rows[0]:,} rows")
    if type(epochs) is not int or not facts["epoch"] == there <= epochs:
        raise ValueError(f"is at epoch {facts['epoch']} of {epochs}, and the file has the figures of {there}")


def _hash(architecture: bytes, training: bytes, configuration: Mapping[str, Any]) -> str:
    return hashlib.sha256(b"\n".join((architecture, training, written(configuration)))).hexdigest()


def _encoded(value: Any) -> Any:
    """With numbers that are not finite, which JSON does not have, as ``{"number": "inf"}``."""
    if isinstance(value, Mapping):
        return {name: _encoded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(inner) for inner in value]
    return {"number": str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"number"} and value["number"] in ("inf", "-inf", "nan"):
            return float(value["number"])
        return {name: _decoded(inner) for name, inner in value.items()}
    return [_decoded(inner) for inner in value] if isinstance(value, list) else value
