"""Matrix products by kernels of our own: small ones, at which the library is several times slower than the GPU.

A block computes a tile of the result. Its warps take every so many fours of the sum, each lane a few elements of the
tile, straight from the caches; then what the warps found is added up, in the order of the warps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from nnkit.plan.look import Look
from nnkit_cupy.source.pieces import Lines, Piece, block

WARPS = (4, 8, 16)
"""How many warps may share a tile: more of them where sums are long."""
TERMS = 24
"""Terms of a sum for each of them, about."""
SHARED_BYTES = 32 << 10
"""Memory that what the warps found may take."""
SHAPES = ((8, 4), (4, 4), (4, 2), (2, 2), (2, 1))
"""Rows and columns of a lane, of which a warp has four by eight: the largest that keeps the GPU busy is taken."""
BUSY = 96
"""Tiles that keep it busy."""
FOUR = 4
MOST = 1 << 27
"""Multiplications from which on the library is as fast."""


class _Side(NamedTuple):
    """An operand: its elements (i, k), i a row of the left one or a column of the right one."""

    look: Look
    rows: int
    apart: int
    along: int
    each: int
    """Rows of a lane, and how many lanes a warp has for others."""
    lanes: int
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


def tiled(a: Look, b: Look, out: Look, extents: tuple[int, int, int], aligned: Callable[[Look], bool]) -> Piece:
    """out (m, n) = a (m, k) · b (k, n), of so many rows, columns and terms."""
    m, n, k = extents
    down, across = _shape(m, n)
    left = _Side(a, m, a.strides[0], a.strides[1], down, 4, "x", aligned(a))
    right = _Side(b, n, b.strides[1], b.strides[0], across, 8, "y", aligned(b))
    tall, wide = 4 * down, 8 * across
    tiles_wide = -(-n // wide)
    tiles = -(-m // tall) * tiles_wide
    unit = FOUR if k % FOUR == 0 else 1
    warps = _warps(k, tall * wide)
    multiply = [
        f"found[{i}][{j}] += {left.name}[{i}][u] * {right.name}[{j}][u];" for i in range(down) for j in range(across)
    ]
    body = [
        "const int lane = item % 32, warp = item / 32;",
        f"const int row = top + lane / 8 * {down}, column = start + lane % 8 * {across};",
        f"float found[{down}][{across}] = {{}};",
        *(
            f"float {name}[{each}][{unit}];"
            for name, each in (("x", down), ("y", across), ("nx", down), ("ny", across))
        ),
        f"int k = warp * {unit};",
        *block(f"if (k < {k})", [*_loads(left, "row", k, unit), *_loads(right, "column", k, unit)]),
        *block(
            f"for (; k < {k}; k += {warps * unit})",
            [
                # The next terms are on their way while these are multiplied.
                *block(f"if (k + {warps * unit} < {k})", _ahead(left, right, k, unit, warps)),
                "#pragma unroll",
                *block(f"for (int u = 0; u < {unit}; u++)", multiply),
                *(f"memcpy({name}, n{name}, sizeof({name}));" for name in "xy"),
            ],
        ),
        "#pragma unroll",
        *block(
            f"for (int i = 0; i < {down}; i++)",
            [
                "#pragma unroll",
                f"for (int j = 0; j < {across}; j++) "
                f"parts[warp][(lane / 8 * {down} + i) * {wide} + lane % 8 * {across} + j] = found[i][j];",
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
                f"for (int warp = 1; warp < {warps}; warp++) found += parts[warp][e];",
                f"{out.at(['row', 'column'])} = found;",
            ],
        ),
    ]
    lines = [
        f"__shared__ float parts[{warps}][{tall * wide}];",
        *block(
            f"for (int tile = BID; tile < {tiles}; tile += BLOCKS)",
            [
                f"const int top = tile / {tiles_wide} * {tall}, start = tile % {tiles_wide} * {wide};",
                *block(f"for (int item = TID; item < {32 * warps}; item += THREADS)", body),
                "__syncthreads();",
                *block(f"for (int e = TID; e < {tall * wide}; e += THREADS)", ending),
                "__syncthreads();",
            ],
        ),
    ]
    return Piece(lines, tiles, 32 * warps, m * n * max(k, 1))


def _ahead(left: _Side, right: _Side, inner: int, unit: int, warps: int) -> Lines:
    """The loads of the next turn."""
    loads = [
        *_loads(left._replace(name="nx"), "row", inner, unit),
        *_loads(right._replace(name="ny"), "column", inner, unit),
    ]
    return [f"const int next = k + {warps * unit};", *(re.sub(r"\bk\b", "next", line) for line in loads)]


def _shape(m: int, n: int) -> tuple[int, int]:
    """Rows and columns of a lane."""
    for down, across in SHAPES:
        if -(-m // (4 * down)) * -(-n // (8 * across)) >= BUSY:
            return down, across
    return SHAPES[-1]


def _warps(terms: int, tile: int) -> int:
    """As many as find enough to do, and room."""
    return next((w for w in reversed(WARPS) if w * TERMS <= terms and 4 * w * tile <= SHARED_BYTES), WARPS[0])


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
    return f"{first} + {i}" if side.rows % (side.lanes * side.each) == 0 else f"min({first} + {i}, {side.rows - 1})"


def _along(side: _Side, row: str, i: int) -> Lines:
    """Four terms of one row."""
    parts = "".join(f" {side.name}[{i}][{u}] = v.{part};" for u, part in enumerate("xyzw"))
    return [f"{{ const float4 v = *(const float4*)&{side.at(row, 'k')};{parts} }}"]


def _across(side: _Side, first: str, i: int, u: int, wide: int) -> Lines:
    """One term of neighbouring rows."""
    parts = "".join(f" {side.name}[{i + part}][{u}] = v.{axis};" for part, axis in enumerate("xyzw"[:wide]))
    row = f"min({first} + {i}, {side.rows - wide})"
    return [f"{{ const float{wide} v = *(const float{wide}*)&{side.at(row, f'k + {u}')};{parts} }}"]
