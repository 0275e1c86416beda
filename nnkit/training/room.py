"""Whether a training fits the memory of a GPU, before anything is allocated there; and what would fit.

Memory of the host only gives a warning (``limit.shortage``): a system can make room, and what is free is a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nnkit.errors import ArgumentError, DeviceError
from nnkit.measure.units import bytes_text
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.batch_finder import largest_batch
from nnkit.training.data import Rows
from nnkit.training.holding import BESIDE, least_bytes
from nnkit.training.limit import IN_BATCHES
from nnkit.training.model import Model
from nnkit.training.programs import Walk

PROGRAMS = 4
"""Of the training and of its validation, each with one for the last, smaller batch."""
Walks = Callable[[int | None], tuple[Walk, Walk | None]]
"""The walks of an epoch, where an arena may take so many bytes."""


def require_room(model: Model, lasting: int, limit: int | None, walks: Walks) -> None:
    """Refuse a training whose lasting values and arenas do not fit, with a batch or a limit that would.

    The data count only where each step reads all of them. Devices without memory of their own are left alone.
    """
    free = model.backend.free_bytes()
    if model.backend.hardware().memory_bytes is None or free is None:
        return
    there = free + model.store.nbytes()  # what the network has makes room for what it will have
    if limit is not None and lasting + PROGRAMS * (max(limit - lasting, 0) + BESIDE) <= there:
        return
    try:
        train, validate = walks(None if limit is None else limit - lasting)
        by_steps = train.times == 1
        resident = 0 if by_steps else _nbytes(train.rows)
        room = Room(there - lasting - resident, train, validate)
        if room.needed <= room.there:
            return
    except MemoryLimitError:
        return  # which is refused with what it takes
    data = f", {bytes_text(resident)} for the data" if resident else ""
    raise DeviceError(
        f"the training needs {bytes_text(lasting + resident + room.needed)} of device '{model.backend.name}' "
        f"({bytes_text(lasting)} for parameters, moments and the like{data}, {bytes_text(room.needed)} for the arrays "
        f"of its steps), and {bytes_text(there)} are free for it; use {_advice(room, lasting, walks, by_steps)}"
    )


@dataclass(frozen=True)
class Room:
    """So many bytes ``there`` for the programs of a training."""

    there: int
    train: Walk
    validate: Walk | None

    @property
    def needed(self) -> int:
        """Bytes of all programs."""
        return self.taken(self.train)

    def taken(self, train: Walk) -> int:
        """Bytes of the programs, those of the training by this walk, and of what there is of their rows at least."""
        walks = [train, *([self.validate] if self.validate else [])]
        there = sum(plan.arena_bytes + BESIDE for walk in walks for plan, _ in walk.plans())
        return there + sum(least_bytes(walk) for walk in walks)

    @property
    def batch(self) -> int | None:
        """Rows of a large batch that fits, together with the last, smaller one if there is one; None: there is none."""
        if self.train.batch == 1:
            return None
        count = len(self.train.rows.indices)
        beside = self.taken(self.train) - sum(plan.arena_bytes for plan, _ in self.train.plans())

        def whole(rows: int) -> int:
            return self.train.chosen(rows, max(count // rows, 1))[0].arena_bytes + beside

        most = self._largest(whole)
        even = next((rows for rows in range(most, 0, -1) if count % rows == 0), 0)
        tried = {most, even, self._largest(lambda rows: 2 * whole(rows) - beside)}
        fitting = (rows for rows in tried if rows and self.taken(replace(self.train, most=rows)) <= self.there)
        return max(fitting, default=None)

    def _largest(self, nbytes: Callable[[int], int]) -> int:
        try:
            return largest_batch(nbytes, self.there, self.train.batch - 1).batch_size
        except ArgumentError:  # not even one row
            return 0

    def limit(self, walks: Walks) -> int | None:
        """Bytes to which each program can be limited so that all fit; None: they cannot be."""
        count = len(self.train.plans()) + (len(self.validate.plans()) if self.validate else 0)
        each = self.there // count - BESIDE
        try:  # a little less, for the store aligns what it holds
            train, validate = walks(each - BESIDE)
            fits = Room(self.there, train, validate).needed <= self.there
        except MemoryLimitError:
            return None
        return each if fits else None


def _advice(room: Room, lasting: int, walks: Walks, by_steps: bool) -> str:
    """What would fit."""
    batch = room.batch if by_steps else None
    limit = room.limit(walks)
    found = [] if batch is None else [f"batch_size={batch}"]
    found += [] if by_steps else [IN_BATCHES]
    if limit is not None:
        found.append(f"memory_limit={lasting + limit}, which computes values again instead of keeping them")
    return ", or ".join(found) or "fewer neurons, an optimizer with fewer moments such as 'sgd', or device='cpu'"


def _nbytes(rows: Rows) -> int:
    arrays = (rows.x, rows.y, rows.indices) if rows.weight is None else (rows.x, rows.y, rows.indices, rows.weight)
    return sum(int(array.nbytes) for array in arrays)
