"""The product of two matrices, c = a·b: from tiles in registers, over pieces that stay in the caches.

After Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), and Van Zee and van de Geijn,
"BLIS" (2015), without their packing where operands are small: there it takes longer than it saves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from nnkit_numpy.native.passes import WAIT, Lines, indented
from nnkit_numpy.native.tiles import ITEMS, registers, tiles

if TYPE_CHECKING:
    from nnkit_numpy.jit.machine import Code

NEAR = 1 << 18
"""Bytes of the left operand that stay in a core's own cache while the columns of the right one pass by."""
SMALL = 1 << 22
"""Bytes of a right operand for which packing the left one takes longer than it saves."""
NEAREST = 1 << 15
"""Bytes of the right operand that stay in a core's first cache: these need not be packed."""
CROWDED = 1 << 20
"""A cache finds a line by the last bits of its address: of rows so far apart that they end in many zeros, only so many
bytes, counted with what lies between the places that are left, stay in a core's own cache."""
LONG = 1 << 24
"""Multiplications of a long product."""
FEW, SEVERAL = 4, 8
"""Tiles, one below the other, from which on it pays to pack crowded columns, and such as begin within a cache line."""
DEPTH = 1 << 12
"""Bytes along the sums, of a piece of a long product."""
TALL = 768
"""Rows of such a piece."""
HIGH, BROAD = 1024, 1024
"""Rows of such a piece that all threads work on together, and columns from which on they do: those are shared out."""
PARTIAL = 1 << 18
"""Bytes of a result of which each thread adds up a part of the sums."""
SCRATCH = TALL * DEPTH + (1 << 19) + PARTIAL
"""Bytes of memory that a thread needs for its pieces, and then for such a result."""
STATE = 1 << 16
"""Bytes for the state of that: what is taken, who is there, and how far each of at most a thousand threads is."""
SHARED = STATE + HIGH * DEPTH
"""Bytes of memory that they need for what they do together, behind that of each."""
_LOCK = Lock()


PRODUCTS = ("product", "together")
"""Functions that compiled code calls by their addresses."""


def is_taken(m: int, n: int, k: int) -> bool:
    """Whether ``together`` pays: where the product is long, threads become unequally fast; what they take is short."""
    return m * n * k >= LONG and m >= 64 and n >= 256


def addresses(dtype: str) -> list[int]:
    """Of ``PRODUCTS``, functions of int64.

    ``product(m, n, k, a, a_down, a_along, b, b_down, b_along, c, c_down, scratch)``.

    a is m×k, b k×n and c m×n; a, b, c and the scratch memory are addresses, and the others say how many elements on the
    next row (down) and the next column (along) are. The columns of c are neighbours.

    ``together(rank, threads, m, …, c_down, scratch, state)`` is the same by several threads, each of which calls it
    with its number. Each has rows of its own, and takes columns of tiles of them as it goes, and then of those of the
    others: one whose core is slowed down does less of the work. Of a large product all pack the left operand together
    and take columns of all rows. ``state`` says what is taken; it counts on from product to product, between which all
    threads meet.
    """
    with _LOCK:
        code = _code(dtype)
        return [code.address(name) for name in PRODUCTS]


@cache
def _code(dtype: str) -> Code:
    """The compiled functions, which are kept: their code goes with them."""
    from nnkit_numpy.jit.machine import compiled

    return compiled(_text(dtype), tiles(dtype))


def _text(dtype: str) -> str:
    rows, vectors = registers().tile
    lanes = registers().nbytes // ITEMS[dtype]
    numbers = {
        "SIZE": ITEMS[dtype],
        "LANES": lanes,
        "ROWS": rows,
        "WIDE": vectors * lanes,
        "HALF": 2 * lanes,
        "NEAR": NEAR,
        "SMALL": SMALL,
        "NEAREST": NEAREST,
        "CROWDED": CROWDED,
        "FEW": FEW,
        "SEVERAL": SEVERAL,
        "DEPTH": DEPTH // ITEMS[dtype],
        "TALL": TALL,
        "HIGH": HIGH,
        "BROAD": BROAD,
        "STATE": STATE,
    }
    text = "\n".join([WAIT, *_strips(rows, vectors), DRIVER]).replace("REAL", dtype)
    for name, number in numbers.items():
        text = re.sub(rf"\b{name}\b", str(number), text)
    return f"# {registers()}\n{text}"


def _strips(rows: int, vectors: int) -> Iterator[str]:
    """A strip is a tile wide and has all rows. There is one for wide tiles, for narrow ones, and for the edge."""
    for name, tile in (("wide", f"tile{{}}x{vectors}"), ("half", "tile{}x2"), ("edge", "edge{}")):
        tests: Lines = []
        for count in range(rows, 0, -1):
            call = f"{tile.format(count)}(columns, k, at, down, along, b, b_down, to, c_down, more)"
            tests += [f"{'if' if count == rows else 'elif'} rows == {count}:", f"    {call}"]
        yield STRIP.replace("NAME", name) + "\n".join(indented(indented(tests))) + "\n        row += rows\n"


STRIP = """
@apart
def NAME(columns, m, k, a, a_down, a_along, packed: bool, b, b_down, c, c_down, more):
    count = (m + ROWS - 1) // ROWS
    row = 0
    for number in range(count):
        rows = m // count + int64(number < m % count)
        at, down, along = a + row * a_down * SIZE, a_down, a_along
        if packed:
            at, down, along = a + row * k * SIZE, 1, rows
        to = c + row * c_down * SIZE
"""
DRIVER = """
@apart
def pack_left(first, last, m, k, a, a_down, a_along, to):
    source, target = array(a, REAL), array(to, REAL)
    count = (m + ROWS - 1) // ROWS
    for number in range(first, last):
        row = number * (m // count) + min(number, m % count)
        rows = m // count + int64(number < m % count)
        if a_down == 1:
            for p in range(k):
                for i in range(rows):
                    target[row * k + p * rows + i] = source[row + i + p * a_along]
        else:
            for i in range(rows):
                for p in range(k):
                    target[row * k + p * rows + i] = source[(row + i) * a_down + p * a_along]


@apart
def pack_right(k, columns, b, b_down, b_along, to):
    source, target = array(b, REAL), array(to, REAL)
    if b_along == 1:
        for p in range(k):
            for j in range(columns):
                target[p * columns + j] = source[p * b_down + j]
        return
    deep = k // LANES * LANES if b_down == 1 else 0
    across = columns // LANES * LANES
    for j in range(0, across, LANES):
        for p in range(0, deep, LANES):
            turn(b + (j * b_along + p) * SIZE, b_along, to + (p * columns + j) * SIZE, columns)
    for j in range(columns):
        for p in range(deep if j < across else 0, k):
            target[p * columns + j] = source[p * b_down + j * b_along]


@apart
def strips(j, end, m, k, a, a_down, a_along, left: bool, b, b_down, b_along, packed: bool, c, c_down, more, panel):
    while j < end:
        columns = WIDE if end - j >= WIDE else HALF if end - j >= HALF else min(LANES, end - j)
        right, right_down = b + j * b_along * SIZE, b_down
        if packed:
            pack_right(k, columns, right, b_down, b_along, panel)
            right, right_down = panel, columns
        to = c + j * SIZE
        if columns == WIDE:
            wide(columns, m, k, a, a_down, a_along, left, right, right_down, to, c_down, more)
        elif columns == HALF:
            half(columns, m, k, a, a_down, a_along, left, right, right_down, to, c_down, more)
        else:
            edge(columns, m, k, a, a_down, a_along, left, right, right_down, to, c_down, more)
        j += columns


@inline
def is_large(m, n, k) -> bool:
    return m * k * SIZE > NEAR and k * n * SIZE > SMALL


@inline
def repays(m, k, b, apart) -> bool:
    crowded = k * (apart & -apart) > CROWDED and m >= FEW * ROWS
    crooked = (b | apart) % 64 != 0 and m >= SEVERAL * ROWS
    return k * WIDE * SIZE > NEAREST and (crowded or crooked)


@export
def product(m, n, k, a, a_down, a_along, b, b_down, b_along, c, c_down, scratch):
    large = is_large(m, n, k)
    packed = large or b_along != 1 or repays(m, k, b, b_down * SIZE)
    depth, tall = (DEPTH if packed else k), (TALL if large else m)
    panel = scratch + TALL * DEPTH * SIZE
    for p in range(0, k, depth):
        deep = min(depth, k - p)
        right = b + p * b_down * SIZE
        for i in range(0, m, tall):
            high = min(tall, m - i)
            left, to = a + (i * a_down + p * a_along) * SIZE, c + i * c_down * SIZE
            if large:
                pack_left(0, (high + ROWS - 1) // ROWS, high, deep, left, a_down, a_along, scratch)
                left = scratch
            strips(0, n, high, deep, left, a_down, a_along, large, right, b_down, b_along, packed, to, c_down, p, panel)


def all_here(rank, threads, state):
    passed, gate = array(state + (2 + rank) * 64, int64), state + 64
    passed[0] += threads
    arrive(gate)
    wait(gate, passed[0])


@apart
def by_rows(rank, threads, m, n, k, a, a_down, a_along, b, b_down, b_along, c, c_down, scratch, state):
    own = array(state + (2 + rank) * 64, int64)
    count = (n + WIDE - 1) // WIDE
    for turn in range(threads):
        whose = (rank + turn) % threads
        i = m * whose // threads
        high = m * (whose + 1) // threads - i
        taken = state + (2 + whose) * 64 + 24
        number = arrive(taken) - own[2]
        while number < count:
            j = number * WIDE
            left, right, to = a + i * a_down * SIZE, b + j * b_along * SIZE, c + (i * c_down + j) * SIZE
            product(high, min(WIDE, n - j), k, left, a_down, a_along, right, b_down, b_along, to, c_down, scratch)
            number = arrive(taken) - own[2]
    own[2] += count + threads


@export
def together(rank, threads, m, n, k, a, a_down, a_along, b, b_down, b_along, c, c_down, scratch, state):
    if not is_large(m, n, k) or n < BROAD:
        by_rows(rank, threads, m, n, k, a, a_down, a_along, b, b_down, b_along, c, c_down, scratch, state)
        return
    shared = state + STATE
    taken = array(state + (2 + rank) * 64, int64)
    panels = (n + WIDE - 1) // WIDE
    for i in range(0, m, HIGH):
        high = min(HIGH, m - i)
        tiles = (high + ROWS - 1) // ROWS
        for p in range(0, k, DEPTH):
            deep = min(DEPTH, k - p)
            left = a + (i * a_down + p * a_along) * SIZE
            pack_left(tiles * rank // threads, tiles * (rank + 1) // threads, high, deep, left, a_down, a_along, shared)
            all_here(rank, threads, state)
            right, to = b + p * b_down * SIZE, c + i * c_down * SIZE
            number = arrive(state) - taken[1]
            while number < panels:
                j = number * WIDE
                end = min(j + WIDE, n)
                strips(j, end, high, deep, shared, 1, 1, True, right, b_down, b_along, True, to, c_down, p, scratch)
                number = arrive(state) - taken[1]
            taken[1] += panels + threads
            all_here(rank, threads, state)
"""
