"""Matrix products by kernels of our own: small ones, at which the library is several times slower than the GPU.

A block computes a tile of the result. The lanes of a warp, and its warps, divide the tile and the sum among them: each
lane has a few elements and takes every so many fours of their terms, straight from the caches where an extent is small,
else by way of shared memory (``staged``). What the lanes and warps with the same elements found is then added up, in
their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from nnkit.plan.look import Look
from nnkit_cupy.source.pieces import Lines, Piece, block
from nnkit_cupy.source.staged import Staged, staged

FOUR = 4
"""Terms that are read together."""
BUSY = 96
"""Tiles that keep the GPU busy."""
MOST = 1 << 28
"""Multiplications up to which they are faster than the library."""
SHARED_BYTES = 32 << 10
"""Memory that the parts of the sums may take."""


class Form(NamedTuple):
    """How a product is divided: elements of a lane down and across, lanes of a warp down, across and along the sum."""

    down: int
    across: int
    lanes: tuple[int, int, int]
    warps: int

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        return self.down * self.lanes[0], self.across * self.lanes[1]

    @property
    def parts(self) -> int:
        """Into how many parts the sum is divided."""
        return self.warps * self.lanes[2]

    def fits(self) -> bool:
        """Whether there is memory for the parts."""
        return 4 * self.parts * self.tile[0] * self.tile[1] <= SHARED_BYTES


class _Side(NamedTuple):
    """An operand: its elements (i, k), i a row of the left one or a column of the right one."""

    look: Look
    rows: int
    apart: int
    along: int
    each: int
    """Rows of a lane, and rows of all lanes."""
    tile: int
    name: str
    aligned: bool
    """Whether the buffer begins where vectors may be read."""

    def at(self, i: str, k: str) -> str:
        """The place of an element."""
        pairs = ((i, self.apart), (k, self.along))
        terms = [f"({index}) * {step}" if step != 1 else f"({index})" for index, step in pairs]
        return f"{self.look.buffer}[{' + '.join(terms)} + OFFSET({self.look.offset})]"

    @property
    def whole(self) -> bool:
        """Whether a lane's rows never reach beyond the last one."""
        return self.rows % self.each == 0

    def vectors_along(self, inner: int) -> bool:
        """Whether four terms of a sum lie together, where a vector of four may be read."""
        return self.along == 1 and self._at_vectors(FOUR, self.apart) and inner % FOUR == 0

    def vectors_across(self) -> bool:
        """Whether the rows of a lane lie together, where vectors may be read."""
        wide = min(self.each, FOUR)
        return self.apart == 1 and self._at_vectors(wide, self.along) and self.whole and wide > 1

    def _at_vectors(self, wide: int, step: int) -> bool:
        return self.aligned and step % wide == 0 and self.look.offset % wide == 0


def tiled(
    a: Look,
    b: Look,
    out: Look,
    extents: tuple[int, int, int],
    aligned: Callable[[Look], bool],
    form: Form | Staged | None = None,
    after: Lines | None = None,
) -> Piece:
    """out (m, n) = a (m, k) · b (k, n), of so many rows, columns and terms.

    ``after`` is done with each element, which is ``found`` at ``row`` and ``column``, in place of storing it.
    """
    m, n, k = extents
    form = form or chosen(extents, (a.strides[1] == 1, b.strides[0] == 1))
    if isinstance(form, Staged):
        return staged(a, b, out, extents, aligned, form, after)
    (tall, wide), (_, lanes_across, lanes_along) = form.tile, form.lanes
    left = _Side(a, m, a.strides[0], a.strides[1], form.down, tall, "x", aligned(a))
    right = _Side(b, n, b.strides[1], b.strides[0], form.across, wide, "y", aligned(b))
    across = -(-n // wide)
    tiles = -(-m // tall) * across
    body = [
        "const int lane = item % 32;",
        f"const int part = item / 32 * {lanes_along} + lane % {lanes_along};",
        f"const int down = lane / {lanes_along * lanes_across} * {form.down};",
        f"const int over = lane / {lanes_along} % {lanes_across} * {form.across};",
        "const int row = top + down, column = start + over;",
        *_summed(left, right, form, k),
        "#pragma unroll",
        *block(
            f"for (int i = 0; i < {form.down}; i++)",
            [
                "#pragma unroll",
                f"for (int j = 0; j < {form.across}; j++) parts[part][(down + i) * {wide} + over + j] = found[i][j];",
            ],
        ),
    ]
    ending = [
        f"const int row = top + e / {wide}, column = start + e % {wide};",
        *block(
            f"if (row < {m} && column < {n})",
            [
                "float found = parts[0][e];",
                "#pragma unroll",
                f"for (int part = 1; part < {form.parts}; part++) found += parts[part][e];",
                *(after or [f"{out.at(['row', 'column'])} = found;"]),
            ],
        ),
    ]
    lines = [
        f"float (*parts)[{tall * wide}] = (float (*)[{tall * wide}])shared;",
        *block(
            f"for (int tile = BID; tile < {tiles}; tile += BLOCKS)",
            [
                f"const int top = tile / {across} * {tall}, start = tile % {across} * {wide};",
                *block(f"for (int item = TID; item < {32 * form.warps}; item += THREADS)", body),
                "__syncthreads();",
                *block(f"for (int e = TID; e < {tall * wide}; e += THREADS)", ending),
                "__syncthreads();",
            ],
        ),
    ]
    return Piece(lines, tiles, 32 * form.warps, m * n * max(k, 1), shared=4 * form.parts * tall * wide)


# The fastest of about a hundred forms for products of networks, measured on an H200 (benchmarks/gpu_products.py).
LARGE, LARGE_ALONG, TALL = Form(4, 4, (4, 8, 1), 4), Form(8, 4, (2, 4, 4), 4), Form(4, 4, (2, 4, 4), 16)
SMALL, NARROW, SHORT = Form(4, 2, (2, 4, 4), 4), Form(2, 1, (4, 4, 2), 4), Form(2, 1, (4, 8, 1), 4)
FEW, MANY = Staged(4, 4, (2, 4, 4), 8, 16, 2), Staged(8, 4, (4, 8, 1), 4, 16, 2)
SOME, SOME_ALONG, TALL_ACROSS = (
    Staged(4, 4, (4, 8, 1), 8, 8, 3),
    Staged(4, 4, (8, 4, 8), 1, 64, 3),
    Staged(4, 4, (8, 4, 1), 8, 8, 3),
)


def chosen(extents: tuple[int, int, int], along: tuple[bool, bool]) -> Form | Staged:
    """The form for a product; ``along`` says of which operands the terms of a sum lie together."""
    m, n, k = extents
    if min(m, n, k) >= 32:
        some = SOME_ALONG if all(along) else SOME
        return FEW if m * n <= 1 << 15 else some if m * n <= 1 << 17 else MANY
    if n < 32 and m >= 8 * BUSY and k >= 256:
        return TALL if along[0] else TALL_ACROSS
    return _direct(extents, along)


def _direct(extents: tuple[int, int, int], along: tuple[bool, bool]) -> Form:
    """The form where an extent is small, and operands are read straight from the caches."""
    m, n, k = extents
    form, terms = (LARGE_ALONG, 32) if all(along) and k >= 128 else (LARGE, 24)
    if -(-m // form.tile[0]) * -(-n // form.tile[1]) < BUSY:
        form, terms = SHORT if k < 64 else NARROW if n < 32 else SMALL, FOUR
    for warps in (16, 8):
        wider = form._replace(warps=warps)
        if wider.fits() and wider.parts * terms <= k:
            return wider
    return form


def _summed(left: _Side, right: _Side, form: Form, k: int) -> Lines:
    """The part of the sums that a lane finds. The next terms are on their way while these are multiplied."""
    unit = FOUR if k % FOUR == 0 else 1
    step = form.parts * unit
    down, across = form.down, form.across
    multiply = [f"found[{i}][{j}] += x[{i}][u] * y[{j}][u];" for i in range(down) for j in range(across)]
    loads = _loads(left, "row", k, unit) + _loads(right, "column", k, unit)
    sums = ["#pragma unroll", *block(f"for (int u = 0; u < {unit}; u++)", multiply)]
    first = [
        f"float found[{down}][{across}] = {{}};",
        f"float x[{down}][{unit}], y[{across}][{unit}];",
        f"int k = part * {unit};",
    ]
    if k <= 2 * step:
        return [*first, "#pragma unroll 2", *block(f"for (; k < {k}; k += {step})", [*loads, *sums])]
    ahead = _loads(left._replace(name="nx"), "row", k, unit) + _loads(right._replace(name="ny"), "column", k, unit)
    ahead = [f"const int next = k + {step};", *(re.sub(r"\bk\b", "next", line) for line in ahead)]
    turn = [*block(f"if (k + {step} < {k})", ahead), *sums, *(f"memcpy({n}, n{n}, sizeof({n}));" for n in "xy")]
    return [
        *first,
        f"float nx[{down}][{unit}], ny[{across}][{unit}];",
        *block(f"if (k < {k})", loads),
        *block(f"for (; k < {k}; k += {step})", turn),
    ]


def _loads(side: _Side, first: str, inner: int, unit: int) -> Lines:
    """The elements of a lane for so many terms of the sum; rows beyond the last one are read as that."""
    if unit == FOUR and side.vectors_along(inner):
        return [line for i in range(side.each) for line in _along(side, _row(side, first, i), i)]
    if side.vectors_across():
        wide = min(side.each, FOUR)
        places = [(i, u) for u in range(unit) for i in range(0, side.each, wide)]
        return [line for i, u in places for line in _across(side, first, i, u, wide)]
    places = [(i, u) for i in range(side.each) for u in range(unit)]
    return [f"{side.name}[{i}][{u}] = {side.at(_row(side, first, i), f'k + {u}')};" for i, u in places]


def _row(side: _Side, first: str, i: int) -> str:
    return f"{first} + {i}" if side.rows % side.tile == 0 else f"min({first} + {i}, {side.rows - 1})"


def _along(side: _Side, row: str, i: int) -> Lines:
    """Four terms of one row."""
    parts = "".join(f" {side.name}[{i}][{u}] = v.{part};" for u, part in enumerate("xyzw"))
    return [f"{{ const float4 v = *(const float4*)&{side.at(row, 'k')};{parts} }}"]


def _across(side: _Side, first: str, i: int, u: int, wide: int) -> Lines:
    """One term of neighbouring rows."""
    parts = "".join(f" {side.name}[{i + part}][{u}] = v.{axis};" for part, axis in enumerate("xyzw"[:wide]))
    row = f"{first} + {i}" if side.rows % side.tile == 0 else f"min({first} + {i}, {side.rows - wide})"
    return [f"{{ const float{wide} v = *(const float{wide}*)&{side.at(row, f'k + {u}')};{parts} }}"]
