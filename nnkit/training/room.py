"""Whether a training fits the memory of a GPU, before anything is allocated there; and what would fit.

Memory of the host only gives a warning (``limit.shortage``): a system can make room, and what is free is a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nnkit.errors import ArgumentError
from nnkit.measure.units import bytes_text
from nnkit.plan.limit import MemoryLimitError
from nnkit.training.batch_finder import largest_batch
from nnkit.training.data import TrainingData
from nnkit.training.limit import IN_BATCHES
from nnkit.training.model import Model
from nnkit.training.programs import Walk
from nnkit.training.space import BESIDE, least_bytes, program_bytes, programs_bytes, resident_bytes, usable

PROGRAMS = 4
"""Of the training and of its validation, each with one for the last, smaller batch."""
Walks = Callable[[int | None], tuple[Walk, Walk | None]]
"""The walks of an epoch, where an arena may take so many bytes."""


def free_for(model: Model) -> int | None:
    """What is free on a GPU for all of a training; None for a device without memory of its own.

    What the network has there makes room for what it will have.
    """
    free = model.backend.free_bytes()
    own = model.backend.hardware().memory_bytes is not None
    return free + model.store.nbytes() if own and free is not None else None


def refusal(model: Model, lasting: int, limit: int | None, data: TrainingData, walks: Walks) -> str | None:
    """What there is to say of a training that does not fit a GPU, with what would; None if it fits.

    Lasting values, programs and the data that have to be there at once must fit what is used of the free memory, which
    is what decides where the data stay: a training that is let through is not stopped for lack of memory afterwards.
    """
    there = free_for(model)
    if there is None or (limit is not None and _is_large(usable(there - lasting), limit - lasting, data)):
        return None
    try:
        room = Room(usable(there - lasting), *walks(None if limit is None else limit - lasting))
        if room.needed <= room.there:
            return None
    except MemoryLimitError:
        return None  # which is refused with what it takes
    return (
        f"the training needs {bytes_text(lasting + room.needed)} of device '{model.backend.name}' "
        f"({bytes_text(lasting)} for parameters, moments and the like, {bytes_text(room.data)} for {room.what_data}, "
        f"{bytes_text(room.needed - room.data)} for the arrays of its steps), and of {bytes_text(there)} that are free "
        f"for it {bytes_text(max(lasting + room.there, 0))} can be used; use {_advice(room, lasting, walks)}"
    )


def _is_large(room: int, arena: int, data: TrainingData) -> bool:
    """Whether there is room for any programs with such arenas and for all data, so that no plan has to be made."""
    parts = [data.train, *([data.validation] if data.validation else [])]
    return PROGRAMS * (max(arena, 0) + BESIDE) + resident_bytes(parts) <= room


@dataclass(frozen=True)
class Room:
    """So many bytes ``there`` for the programs and the data of a training."""

    there: int
    train: Walk
    validate: Walk | None

    @property
    def needed(self) -> int:
        """Bytes of all programs, and of the data that have to be there."""
        return self.taken(self.train)

    @property
    def data(self) -> int:
        """Bytes of the data that have to be there."""
        return least_bytes(self._walks(self.train))

    @property
    def what_data(self) -> str:
        """Which data these are."""
        every = resident_bytes([walk.rows for walk in self._walks(self.train)])
        return "two batches of data" if self.train.by_steps and self.data < every else "the data"

    def taken(self, train: Walk) -> int:
        """What is needed with this walk over the training rows."""
        walks = self._walks(train)
        return programs_bytes(walks) + least_bytes(walks)

    @property
    def batch(self) -> int | None:
        """Rows of a large batch that fits, together with the last, smaller one if there is one; None: there is none."""
        if self.train.batch == 1:
            return None
        count = len(self.train.rows.indices)
        most = self._largest(1)
        even = next((rows for rows in range(most, 0, -1) if count % rows == 0), 0)
        tried = {most, even, self._largest(2)}
        fitting = (rows for rows in tried if rows and self.taken(self._by(rows)) <= self.there)
        return max(fitting, default=None)

    def limit(self, walks: Walks) -> int | None:
        """Bytes to which each program can be limited so that all fit; None: they cannot be."""
        plans = [plan for walk in self._walks(self.train) for plan, _ in walk.plans()]
        beside = self.needed - sum(plan.arena_bytes for plan in plans)
        each = (self.there - beside) // len(plans)
        try:  # and where it is a little less, for the store aligns what it holds
            fits = all(Room(self.there, *walks(arena)).needed <= self.there for arena in (each, each - BESIDE))
        except MemoryLimitError:
            return None
        return each if fits else None

    def _walks(self, train: Walk) -> list[Walk]:
        return [train, *([self.validate] if self.validate else [])]

    def _by(self, rows: int) -> Walk:
        return replace(self.train, most=rows)

    def _largest(self, programs: int) -> int:
        """Rows of the largest batch that fits, where each step of the training has so many programs like its own."""
        count = len(self.train.rows.indices)
        beside = programs_bytes(self._walks(self.train)[1:])

        def nbytes(rows: int) -> int:
            own = program_bytes(self.train.chosen(rows, max(count // rows, 1))[0])
            return programs * own + beside + least_bytes(self._walks(self._by(rows)))

        try:
            return largest_batch(nbytes, self.there, self.train.batch - 1).batch_size
        except ArgumentError:  # not even one row
            return 0


def _advice(room: Room, lasting: int, walks: Walks) -> str:
    """What would fit."""
    batch = room.batch if room.train.by_steps else None
    limit = room.limit(walks)
    found = [] if batch is None else [f"batch_size={batch}"]
    found += [] if room.train.by_steps else [f"{IN_BATCHES}, such as 'adam', for which data need not fit", "fewer rows"]
    if limit is not None:
        found.append(f"memory_limit={lasting + limit}, which computes values again instead of keeping them")
    return ", or ".join(found) or "fewer neurons, an optimizer with fewer moments such as 'sgd', or device='cpu'"
