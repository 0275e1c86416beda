"""What a training takes of the memory of a device beside its lasting values: its programs, and its data at least.

Whoever refuses a training, foretells it, or decides where its data stay, reckons with these figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nnkit.plan import Plan
from nnkit.training.data import Rows
from nnkit.training.programs import Walk

SHARE = 0.9
"""Of the memory that is free: for arrays there are odd ends, and others use the device too."""
BESIDE = 1 << 14
"""Bytes that a program holds beside its arena and its constants, at most."""
ORDER = 8
"""Bytes of a row's place in the order of an epoch."""


def usable(free: int) -> int:
    """What is used of so many free bytes at most."""
    return int(SHARE * free)


def program_bytes(plan: Plan) -> int:
    """What a program of this plan holds."""
    constants = (node.nbytes for i, node in plan.graph if plan.slots[i].kind == "constant")
    return plan.arena_bytes + BESIDE + sum(constants)


def programs_bytes(walks: Iterable[Walk]) -> int:
    """What the programs of these walks hold."""
    return sum(program_bytes(plan) for walk in walks for plan, _ in walk.plans())


def resident_bytes(parts: Sequence[Rows]) -> int:
    """What these rows take where all of them stay: arrays that several of them share are there once."""
    arrays = {id(array): array.nbytes for rows in parts for array in rows.arrays.values()}
    return sum(arrays.values()) + sum(ORDER * len(rows.indices) for rows in parts)


def row_bytes(rows: Rows) -> int:
    """What one row takes."""
    return sum(array.nbytes // len(array) for array in rows.arrays.values())


def streamed_bytes(walk: Walk) -> int:
    """What there is of rows that are streamed, at least: two chunks of one batch, and the order of all."""
    return 2 * walk.batch * row_bytes(walk.rows) + ORDER * len(walk.rows.indices)


def least_bytes(walks: Sequence[Walk]) -> int:
    """What data take at least: all of them may be less than two batches of them."""
    stay, go = parted(walks)
    streamed = resident_bytes([walk.rows for walk in stay]) + sum(map(streamed_bytes, go))
    return min(resident_bytes([walk.rows for walk in walks]), streamed)


def parted(walks: Sequence[Walk]) -> tuple[Sequence[Walk], Sequence[Walk]]:
    """Walks whose steps read all rows, which have to be there, and those whose rows can be streamed."""
    return [walk for walk in walks if not walk.by_steps], [walk for walk in walks if walk.by_steps]
