"""Whether the rows of a training stay on the device or come and go, decided before anything is put there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from nnkit.backend import Backend, Inlet
from nnkit.errors import ArgumentError
from nnkit.measure.units import bytes_text
from nnkit.training.feeds import Feed, Resident
from nnkit.training.limit import IN_BATCHES
from nnkit.training.programs import Walk

Array = npt.NDArray[Any]

SHARE = 0.9
"""Of the memory that is free: for arrays there are odd ends, and others use the device too."""
CHUNK = 1 << 26
"""Bytes of a chunk of rows at most: enough for copies at full speed, and an epoch does not wait long for its first."""
ORDER = 8
"""Bytes of a row's place in the order of an epoch."""


BESIDE = 1 << 14
"""Bytes that a program holds beside its arena, at most."""


class Holding(NamedTuple):
    """One feed for each of the walks."""

    feeds: Sequence[Feed]

    def close(self) -> None:
        """There are no more steps."""
        for feed in self.feeds:
            feed.close()


def hold(backend: Backend, walks: Sequence[Walk], by_steps: bool = True) -> Holding:
    """All rows on the device if there is room for them beside what steps take; else all walks are streamed.

    Without ``by_steps``, the first walk takes all of its rows in one step and has to have them there.
    """
    inlet = backend.inlet()
    free = None if inlet is None else backend.free_bytes()
    if inlet is None or free is None:
        return Holding(_resident(backend, walks))
    room = int(SHARE * free) - sum(plan.arena_bytes + BESIDE for walk in walks for plan, _ in walk.plans())
    needed = _nbytes(walks)
    first = len(walks) if needed <= room else 0 if by_steps else 1
    kept, streamed = walks[:first], walks[first:]
    room_left = room - _nbytes(kept)
    if kept and room_left < 0:
        raise ArgumentError(
            f"the optimizer takes all rows in one step, and they do not fit on the device: the data need "
            f"{bytes_text(_nbytes(kept))}, and {bytes_text(max(room, 0))} of memory are free for them; use "
            f"{IN_BATCHES}, such as 'adam', for which data need not fit, or fewer rows"
        )
    why = f"the data need {bytes_text(needed)} and {bytes_text(max(room, 0))} were free for them"
    share = room_left // max(len(streamed), 1)
    return Holding([*_resident(backend, kept), *(_streamed(backend, inlet, walk, share, why) for walk in streamed)])


def _resident(backend: Backend, walks: Sequence[Walk]) -> list[Resident]:
    """With each array on the device once, whoever uses it."""
    there: dict[int, Any] = {}

    def upload(array: Array) -> Any:
        if id(array) not in there:
            there[id(array)] = backend.to_device(array)
        return there[id(array)]

    return [Resident(backend, walk.rows, upload) for walk in walks]


def _nbytes(walks: Sequence[Walk]) -> int:
    """What the rows of all these walks take on the device, if they stay there."""
    arrays = {id(array): array.nbytes for walk in walks for array in walk.rows.arrays.values()}
    return sum(arrays.values()) + sum(ORDER * len(walk.rows.indices) for walk in walks)


def _streamed(backend: Backend, inlet: Inlet, walk: Walk, room: int, why: str) -> Feed:
    from nnkit.training.streaming import Streamed  # threads take a while to import, and most data fit

    chunk = _chunk(walk, room - ORDER * len(walk.rows.indices))
    return Streamed(backend, inlet, walk.rows, chunk, f"streamed, {chunk:,} rows at a time: {why}")


def _chunk(walk: Walk, room: int) -> int:
    """Rows of a chunk, of which there are two: whole batches, at least one, and up to half of the room."""
    batches = min(CHUNK, room // 4) // (_row_bytes(walk) * walk.batch)
    return walk.batch * max(1, min(batches, -(-walk.steps // 2)))


def _row_bytes(walk: Walk) -> int:
    return sum(array.nbytes // len(array) for array in walk.rows.arrays.values())


def least_bytes(walk: Walk) -> int:
    """What there is of the rows of a walk on the device at least: two batches, and the order of all."""
    return 2 * walk.batch * _row_bytes(walk) + ORDER * len(walk.rows.indices)
