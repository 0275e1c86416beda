"""Pieces of code and how they are launched.

A piece is the body of a kernel that does the work of a step, or a part of it, with any number of blocks. Small pieces
that follow each other become one kernel of one block, whose threads wait for each other in between: starting a kernel
takes longer than they do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nnkit.plan.look import Look
from nnkit_cupy.source.order import NOTHING, Touched

Lines = list[str]
WIDTH, LONG = 4, 1 << 15
"""Elements that are read together where so many are to be done."""
VECTORS = {16: "float4", 8: "float2"}
"""What holds so many elements, by the bytes of them."""
WIDE = 256
"""Threads of a block that goes over elements."""
MOST_BLOCKS = 1 << 16
"""Of a kernel; where there is more to do, a block does it in turns."""
SHORT = 256
"""Elements of a row up to which a warp does it, of which a block then has so many."""
TOGETHER = 8
IN_WARPS = {"LANE": "(TID % 32)", "WIDTH": "WARP", "MEET": "__syncwarp()", "FOLD": "nn_fold_warp"}
ALLOWED = "IF_ALLOWED "
"""Before a store that the guard may refuse."""
ROW = 256
"""Elements that a short row counts for: its phases follow each other, and other blocks had better do other rows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Code that ``blocks`` of so many ``threads`` do together, each its part; ``work`` is how many elements it has."""

    lines: Lines
    blocks: int
    threads: int
    work: int
    step: int = 0
    commits: bool = False
    """Whether it writes states, which only a step does that the guard allows."""
    late: bool = False
    """Whether that is asked before the stores alone, so that what they need is read meanwhile."""
    touched: Touched = NOTHING
    ending: Callable[[Lines], Piece] | None = None
    """Of a product, and of a sum over columns: the piece that does this with each ``found`` instead of storing it."""
    index: tuple[str, ...] = ()
    """The index of the element that is found, in such code."""
    converting: Callable[[Look, str], Piece] | None = None
    """Of a gather: the piece that stores the elements in another data type."""
    single: bool = False
    """Whether the first thread does all of it."""
    roomy: bool = False
    """Whether a block has a multiprocessor to itself, and so all its registers."""
    shared: int = 0
    """Bytes that the threads of a block share in it, from ``shared`` on: pieces of one kernel use them in turn."""


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix product for the library: out (m, n) = a (m, k) · b (k, n), for each of ``count`` in a stack.

    Each operand is (look at the first matrix, whether it is stored transposed, row length, distance in the stack).
    ``dtype`` is that of the sums, ``read`` that of the operands, which may be narrower, and ``written`` that of the
    result; ``tf32`` allows the library to round the operands to that. With a ``bias``, a row in the type of the result,
    the library adds it, and what is below zero becomes zero.
    """

    a: Look
    b: Look
    out: Look
    dtype: str
    read: str
    written: str
    m: int
    n: int
    k: int
    transposed: tuple[bool, bool]
    lengths: tuple[int, int, int]
    count: int = 1
    apart: tuple[int, int, int] = (0, 0, 0)
    tf32: bool = False
    bias: Look | None = None
    step: int = 0
    commits: bool = False
    touched: Touched = NOTHING


def indented(lines: Iterable[str]) -> Lines:
    """One level deeper."""
    return [f"    {line}" for line in lines]


def block(head: str, body: Iterable[str]) -> Lines:
    """``head { body }``."""
    return [f"{head} {{", *indented(body), "}"]


def elements(count: int, body: Lines) -> Piece:
    """``body`` for each i below ``count``, divided among all threads."""
    loop = block(f"for (int64 i = (int64)BID * THREADS + TID; i < {count}; i += (int64)BLOCKS * THREADS)", body)
    return Piece(loop, max(1, min(-(-count // WIDE), MOST_BLOCKS)), WIDE, count, single=count == 1)


def rows(count: int, length: int, body: Lines) -> Piece:
    """``body`` for each row r below ``count``, by a team: one warp where rows are short, else a block.

    In it ``LANE`` is the number of a thread in its team, which has ``WIDTH`` of them; ``MEET`` is where they wait for
    each other, and ``FOLD`` makes one value of those that they have.
    """
    if length > SHORT:
        names = {"LANE": "TID", "WIDTH": "THREADS", "MEET": "__syncthreads()", "FOLD": "nn_fold"}
        head, blocks, threads = f"for (int64 r = BID; r < {count}; r += BLOCKS)", count, 128 if length <= 1024 else 512
    else:
        names = IN_WARPS
        head = f"for (int64 r = (int64)BID * TEAMS + TID / 32; r < {count}; r += (int64)BLOCKS * TEAMS)"
        blocks, threads = -(-count // TOGETHER), 32 * min(TOGETHER, count)
    loop = block(head, _of_team(body, names))
    return Piece(loop, max(1, min(blocks, MOST_BLOCKS)), max(threads, 32), count * max(length, ROW))


def in_warps(body: Lines) -> Lines:
    """The code of a row's team where that is a warp."""
    return _of_team(body, IN_WARPS)


def _of_team(body: Lines, names: Mapping[str, str]) -> Lines:
    words = re.compile(r"\b(" + "|".join(names) + r")\b")
    return [words.sub(lambda found: names[found[1]], line) for line in body]


def indices(shape: Sequence[int], of: str = "i", first: int = 0) -> Lines:
    """The index of each axis, from the number of an element: i0, i1, …"""
    lines, rest = [], of
    for axis in reversed(range(len(shape))):
        name = f"i{axis + first}"
        if axis == 0:
            lines.append(f"const int64 {name} = {rest};")
        else:
            lines.append(f"const int64 {name} = {rest} % {shape[axis]};")
            rest = f"({rest} / {shape[axis]})"
    return lines


def names(count: int, first: int = 0) -> Lines:
    """The variables of ``indices``."""
    return [f"i{axis}" for axis in range(first, first + count)]
