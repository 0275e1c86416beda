"""Which pieces share a kernel: small ones join the first kernel of small ones that comes after what they wait for.

There they are done side by side by the warps of its block, which meet only where a piece waits for another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nnkit_cupy.source.order import NOTHING, Touched
from nnkit_cupy.source.pieces import ALLOWED, Lines, Piece, Product, block

TOGETHER = 16
"""Pieces of a kernel at most: so layers of one kind share kernels, and none takes long to compile."""
SMALL = 4096
"""Elements that one block does at least as soon as another kernel would have started."""


@dataclass
class _Kernel:
    """Pieces of one kernel, or a product of the library."""

    items: list[Piece | Product] = field(default_factory=list)
    touched: Touched = NOTHING
    small: bool = False

    def add(self, item: Piece | Product) -> None:
        """One more, after the others."""
        self.items.append(item)
        self.touched = self.touched.joined(item.touched)

    @property
    def has_room(self) -> bool:
        """Whether there is room for another small piece."""
        return self.small and len(self.items) < TOGETHER


def together(items: Sequence[Piece | Product]) -> list[list[Piece | Product]]:
    """All items, kernel by kernel, in an order in which each comes after what it waits for.

    What does not wait for the gradients, such as the learning rate of the step, is computed before them.
    """
    kernels: list[_Kernel] = []
    for item in items:
        small = isinstance(item, Piece) and item.work <= SMALL
        first = len(kernels)
        while first and not kernels[first - 1].touched.before(item.touched):
            first -= 1
        start = max(first - 1, 0)  # what it waits for itself, if that is a kernel of small ones
        found = next((kernel for kernel in kernels[start:] if small and kernel.has_room), None)
        if found is None:
            found = _Kernel(small=small)
            kernels.append(found)
        found.add(item)
    return [kernel.items for kernel in kernels]


def side_by_side(pieces: Sequence[Piece], guard: str) -> Lines:
    """The code of a kernel's pieces, each behind the guard if it commits.

    Those that do not wait for each other begin at different warps, so that one reads while another computes.
    """
    lines: Lines = []
    warps = max(piece.threads for piece in pieces) // 32
    begun: list[tuple[Piece, int]] = []  # since all threads have met: with the warp at which each began
    for piece in pieces:
        before = [(other, warp) for other, warp in begun if _meets(other, piece)]
        warp = sum(_warps(other) for other, _ in begun) % warps
        if before and _by_one_thread(piece, before):
            warp = before[0][1]
        elif before:
            lines.append("__syncthreads();")
            begun, warp = [], 0
        begun.append((piece, warp))
        lines += block(f"if ({guard})" if piece.commits and not piece.late else "", _from(warp, _stores(piece, guard)))
    return lines


def _meets(one: Piece, later: Piece) -> bool:
    """Whether a piece waits for another, or has its shared memory."""
    return one.touched.before(later.touched) or bool(one.shared and later.shared)


def _by_one_thread(piece: Piece, before: Sequence[tuple[Piece, int]]) -> bool:
    """Whether the thread that did all that a piece waits for does the piece as well."""
    return piece.single and all(other.single for other, _ in before) and len({warp for _, warp in before}) == 1


def _warps(piece: Piece) -> int:
    """How many warps have something to do."""
    return 1 if piece.single else -(-min(piece.work, piece.threads) // 32)


def _from(warp: int, lines: Lines) -> Lines:
    """Code whose first threads are those of a warp; after the last one comes the first."""
    if not warp:
        return lines
    return [re.sub(r"\bTID\b", f"FROM({32 * warp})", line) for line in lines]


def _stores(piece: Piece, guard: str) -> Lines:
    """The lines of a piece, whose stores are behind the guard if nothing else is."""
    late = piece.commits and piece.late
    first = [f"const bool allowed = {guard};"] if late else []
    return [*first, *(line.replace(ALLOWED, "if (allowed) " if late else "") for line in piece.lines)]
