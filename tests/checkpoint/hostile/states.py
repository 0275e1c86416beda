"""Checkpoints of a training whose state cannot be."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.checkpoint.files import ROWS, described, edited, replace, small
from tests.checkpoint.hostile.case import ANY, Case, Edit


@cache
def checkpoint() -> bytes:
    """A training of the small network that stopped in the middle of an epoch."""

    def fail(training: Any) -> None:
        raise KeyError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        try:
            small().fit(ROWS, ROWS[:, :2], epochs=3, checkpoint=path, callbacks=fail, progress=False)
        except KeyError:
            return path.read_bytes()
    raise AssertionError("it was not stopped")


def state(number: int, title: str, change: Callable[[dict[str, Any]], object], reason: str) -> Iterator[Case]:
    """The text of the state changed, with the checksums as they were and as an attacker makes them."""

    def plainly(path: Path) -> None:
        path.write_bytes(checkpoint())
        with h5py.File(path, "r+") as file:
            found = json.loads(file["progress"][()])
            change(found)
            replace(file, "progress", json.dumps(found).encode())

    def rightly(path: Path) -> None:
        path.write_bytes(checkpoint())
        described(path, change, "progress")

    yield Case(number, title, plainly, ANY)
    yield Case(number, f"{title}, sums made right", rightly, reason)


def array(number: int, title: str, edit: Edit, reason: str) -> Case:
    """An array changed."""

    def make(path: Path) -> None:
        path.write_bytes(checkpoint())
        edited(path, edit)

    return Case(number, title, make, reason)


def _standing(found: dict[str, Any], **values: Any) -> None:
    found["standing"].update(values)


def _cursor(found: dict[str, Any], value: int) -> None:
    found["standing"]["counters"]["cursor"] = value


FIRST = "moments/first/layers/0/weight"
CASES: list[Case] = [
    *state(
        52,
        "moments of another shape",
        lambda f: f["standing"]["moments"].update({"moment.first": [10**15]}),
        r"/progress has 'moment.first' of shape \[1000000000000000\], and the optimizer has \[38\]",
    ),
    *state(52, "no moments", lambda f: f["standing"].update(moments={}), "/progress has 'moment.first' of shape None"),
    array(52, "a moment that is short", lambda f: replace(f, FIRST, np.ones((3, 3), "<f4")), f"/{FIRST} has shape"),
    array(52, "a moment in double", lambda f: replace(f, FIRST, np.ones((3, 4))), f"/{FIRST} has type float64, and"),
    array(52, "a moment that is missing", lambda f: f.pop(FIRST), f"the file lacks /{FIRST}"),
    *state(53, "a negative step", lambda f: _standing(f, step=-1), "/progress has -1 at progress.standing.step; it is"),
    *state(53, "a step that is text", lambda f: _standing(f, step="1"), "/progress has '1' at progress.standing.step"),
    *state(53, "counters as a list", lambda f: _standing(f, counters=[1, 2, 3]), r"at progress.standing.counters; it"),
    *state(53, "a counter too few", lambda f: f["standing"]["counters"].pop("step"), "lacks progress.standing.counter"),
    *state(53, "a counter too long", lambda f: _standing(f, step=2**64), "at progress.standing.step; it is a whole"),
    *state(54, "a cursor past the data", lambda f: _cursor(f, 6), "has the cursor at 6, past the 5 rows of the data"),
    *state(54, "a negative cursor", lambda f: _cursor(f, -1), "has -1 at progress.standing.counters.cursor"),
    *state(54, "an epoch past the last", lambda f: _standing(f, epoch=4), "is at epoch 4 of 3, and the file has"),
    *state(
        55,
        "another configuration",
        lambda f: f["configuration"]["options"].update(epochs=9),
        "/progress belongs to another architecture or configuration than the file has",
    ),
    array(
        55,
        "another optimizer",
        lambda f: replace(f, "training", b'{"loss":null,"optimizer":null}'),
        "/progress belongs to another architecture or configuration than the file has",
    ),
    array(
        56,
        "a sample that is not reproduced",
        lambda f: replace(f, "sample/outputs", f["sample/outputs"][()] + np.float32(1)),
        "/sample is not what the network predicts here: the largest difference is",
    ),
    array(
        56,
        "other weights",
        lambda f: replace(f, "parameters/layers/0/weight", np.ones((3, 4), "<f4")),
        "/sample is not what the network predicts here: the largest difference is",
    ),
]
