"""Whether the rows of a training stay on the device or come and go, decided before anything is put there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from nnkit.backend import Backend, Inlet
from nnkit.measure.units import bytes_text
from nnkit.training.feeds import Feed, Resident
from nnkit.training.programs import Walk
from nnkit.training.space import (
    ORDER,
    least_bytes,
    parted,
    programs_bytes,
    resident_bytes,
    row_bytes,
    streamed_bytes,
    usable,
)

Array = npt.NDArray[Any]

CHUNK = 1 << 26
"""Bytes of a chunk of rows at most: enough for copies at full speed, and an epoch does not wait long for its first."""


class Way(NamedTuple):
    """How the rows of a walk are held: all of them on the device, or so many in a chunk."""

    chunk: int | None
    said: str


RESIDENT = Way(None, Resident.said)


class Holding(NamedTuple):
    """One feed for each of the walks."""

    feeds: Sequence[Feed]

    def close(self) -> None:
        """There are no more steps."""
        for feed in self.feeds:
            feed.close()


def hold(backend: Backend, walks: Sequence[Walk]) -> Holding:
    """The rows of all walks, as ``ways`` says."""
    inlet = backend.inlet()
    found = ways(None if inlet is None else backend.free_bytes(), walks)
    there: dict[int, Any] = {}

    def upload(array: Array) -> Any:  # once, whoever uses it
        if id(array) not in there:
            there[id(array)] = backend.to_device(array)
        return there[id(array)]

    def feed(walk: Walk, way: Way) -> Feed:
        if inlet is None or way.chunk is None:
            return Resident(backend, walk.rows, upload)
        return _streamed(backend, inlet, walk, way.chunk, way.said)

    return Holding([feed(walk, way) for walk, way in zip(walks, found, strict=True)])


def ways(free: int | None, walks: Sequence[Walk]) -> list[Way]:
    """All rows stay if there is room for them beside what steps take; else all are streamed that can be.

    ``free`` are the bytes beside what lasts; None: nothing is known of them, or nothing is gained.
    """
    if free is None:
        return [RESIDENT] * len(walks)
    room, least = usable(free) - programs_bytes(walks), least_bytes(walks)
    needed = resident_bytes([walk.rows for walk in walks])
    if needed <= max(room, least):
        return [RESIDENT] * len(walks)
    why = f"the data need {bytes_text(needed)} and {bytes_text(max(room, 0))} were free for them"
    _, go = parted(walks)
    spare = max(room - least, 0) // len(go)  # each has what it needs, and its part of the rest
    return [_in_chunks(walk, spare, why) if walk.by_steps else RESIDENT for walk in walks]


def _in_chunks(walk: Walk, spare: int, why: str) -> Way:
    chunk = _chunk(walk, streamed_bytes(walk) + spare - ORDER * len(walk.rows.indices))
    return Way(chunk, f"streamed, {chunk:,} rows at a time: {why}")


def _chunk(walk: Walk, room: int) -> int:
    """Rows of a chunk, of which there are two: whole batches, at least one, and up to half of the room."""
    batches = min(CHUNK, room // 4) // (row_bytes(walk.rows) * walk.batch)
    return walk.batch * max(1, min(batches, -(-walk.steps // 2)))


def _streamed(backend: Backend, inlet: Inlet, walk: Walk, chunk: int, said: str) -> Feed:
    from nnkit.training.streaming import Streamed  # threads take a while to import, and most data fit

    return Streamed(backend, inlet, walk.rows, chunk, said)
