"""Matrix products by kernels of our own whose operands go through shared memory.

A block computes a tile of the result. Of both operands it brings some terms after the other to shared memory, by reads
that lie together, while it multiplies those that are there. The terms are divided among groups of threads, and among
the parts of a group; what the parts found is then added up, in their order. A group is the block, or a warp, which then
waits for nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nnkit.plan.look import Look
from nnkit_cupy.source.pieces import Lines, Piece, block

FOUR = 4
"""Terms that are read together from shared memory."""
SHARED_BYTES = 48 << 10
APART = 8
"""Floats between the sums of one element and the next, so that a warp finds them in different banks."""


class Staged(NamedTuple):
    """How a product is divided: elements of a thread down and across, threads of a group down, across and along the
    sum, groups of a block, terms that a group has in a stage, and stages."""

    down: int
    across: int
    threads: tuple[int, int, int]
    groups: int
    depth: int
    stages: int

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        return self.down * self.threads[0], self.across * self.threads[1]

    @property
    def plane(self) -> int:
        """Threads that have different elements."""
        return self.threads[0] * self.threads[1]

    @property
    def group(self) -> int:
        """Threads of a group."""
        return self.plane * self.threads[2]

    @property
    def block(self) -> int:
        """Threads of a block."""
        return self.group * self.groups

    @property
    def between(self) -> int:
        """Floats from the sums of one of a thread's elements to those of the next."""
        return self.block + APART

    def fits(self, along: tuple[bool, bool] = (True, True)) -> bool:
        """Whether it can be; ``along`` says of which operands the terms of a sum lie together."""
        whole = self.depth % (FOUR * self.threads[2]) == 0 and not any(count % 2 for count in self.threads[:2])
        waits = self.groups == 1 or self.group == 32
        sides = zip(self.tile, along, strict=True)
        most = _bytes(self, sum(rows * (_length(self.depth) if flag else self.depth) for rows, flag in sides))
        powers = all(count in (1, 2, 4, 8) for count in self[:2])
        return powers and whole and waits and self.block % 32 == 0 and self.block <= 1024 and most <= SHARED_BYTES


class _Side(NamedTuple):
    """An operand: its elements (i, k), i a row of the left one or a column of the right one."""

    name: str
    look: Look
    apart: int
    along: int
    rows: int
    """All of them, and terms of a sum."""
    terms: int
    each: int
    """Rows of a thread, and the threads that have different ones."""
    threads: int
    form: Staged
    aligned: bool
    """Whether the buffer begins where vectors may be read."""

    @property
    def tile(self) -> int:
        """Rows of a tile."""
        return self.each * self.threads

    @property
    def rowwise(self) -> bool:
        """Whether a row's terms lie together, else the rows of a term."""
        return self.along == 1

    @property
    def length(self) -> int:
        """Floats from one row to the next in shared memory, or from one term to the next."""
        return _length(self.form.depth) if self.rowwise else self.tile

    @property
    def floats(self) -> int:
        """Floats of a stage."""
        return (self.tile if self.rowwise else self.form.depth) * self.length

    @property
    def wide(self) -> int:
        """Elements that a copy takes."""
        extent, step = (self.terms, self.apart) if self.rowwise else (self.rows, self.along)
        together = self.along == 1 or self.apart == 1
        whole = all(number % FOUR == 0 for number in (extent, step, self.tile, self.look.offset))
        return FOUR if self.aligned and together and whole else 1

    @property
    def vector(self) -> int:
        """Neighbouring rows of a thread: the n-th few of one thread are behind the n-th of another."""
        return 1 if self.rowwise else min(self.each, FOUR)

    def owner(self, row: str) -> tuple[str, str]:
        """Which thread has a row, and as which of its own."""
        vector, all_ = self.vector, self.vector * self.threads
        return f"{row} / {vector} % {self.threads}", f"({row} / {all_} * {vector} + {row} % {vector})"


def staged(
    a: Look,
    b: Look,
    out: Look,
    extents: tuple[int, int, int],
    aligned: Callable[[Look], bool],
    form: Staged,
    after: Lines | None = None,
) -> Piece:
    """The same as ``tiled`` in another way."""
    m, n, k = extents
    (tall, wide), (down, across, _) = form.tile, form.threads
    left = _Side("x", a, a.strides[0], a.strides[1], m, k, form.down, down, form, aligned(a))
    right = _Side("y", b, b.strides[1], b.strides[0], n, k, form.across, across, form, aligned(b))
    over = -(-n // wide)
    tiles = -(-m // tall) * over
    stage = left.floats + right.floats
    lines = [
        "float* const memory = (float*)shared;",
        *block(
            f"for (int tile = BID; tile < {tiles}; tile += BLOCKS)",
            [
                f"const int top = tile / {over} * {tall}, start = tile % {over} * {wide};",
                f"float found[HELD({form.block})][{form.down}][{form.across}] = {{}};",
                *_turns(left, right, form, k, stage),
                "__syncthreads();",
                *_items(form, _kept(form)),
                "__syncthreads();",
                *block(f"for (int e = TID; e < {tall * wide}; e += THREADS)", _ended(left, right, form, out, after)),
                "__syncthreads();",
            ],
        ),
    ]
    return Piece(lines, tiles, form.block, m * n * max(k, 1), shared=_bytes(form, stage))


def _length(depth: int) -> int:
    """Floats of a row in shared memory: an odd number of fours, so that eight rows of it lie in different banks."""
    return depth + FOUR * (depth // FOUR % 2 == 0)


def _bytes(form: Staged, stage: int) -> int:
    """Shared memory: of the stages, and then of the sums."""
    return 4 * max(form.stages * form.groups * stage, form.down * form.across * form.between)


def _items(form: Staged, body: Lines) -> Lines:
    """What each thread does: ``h`` counts those that a thread stands for where a block has fewer."""
    count = form.block
    head = f"for (int h = 0, item = TID; h < HELD({count}) && item < {count}; h++, item += {count} / HELD({count}))"
    return ["#pragma unroll", *block(head, body)]


def _turns(left: _Side, right: _Side, form: Staged, k: int, stage: int) -> Lines:
    """The sums of the parts. ``ahead`` turns of terms are on their way while those of one are multiplied.

    Places are a thread's first one and a number of steps from there: the compiler keeps the first over all turns.
    """
    each, ahead = form.groups * form.depth, form.stages - 1
    turns = -(-k // each)
    meet = "__syncthreads();" if form.groups == 1 else "__syncwarp();"
    ragged = k % each != 0
    group = f"const int group = {f'item / {form.group}' if form.groups > 1 else 0};"

    def copy(turn: str) -> Lines:
        head = [group, f"const int lane = {f'item % {form.group}' if form.groups > 1 else 'item'}, turns = {turn};"]
        here = [f"const int offset = turns % {form.stages} * {form.groups * stage};"]
        sides = _copies(left, "top", 0, stage, ragged) + _copies(right, "start", left.floats, stage, ragged)
        return _items(form, [*head, *here, *sides])

    multiply = _multiplied(left, right, form, stage)
    if ragged:  # groups that have no terms in the last turn leave the GPU to the others
        multiply = block(f"if (turn * {each} + group * {form.depth} < {k})", multiply)
    first = [line for turn in range(ahead) for line in [*(copy(str(turn)) if turn < turns else []), "nn_commit();"]]
    more = block(f"if (turn + {ahead} < {turns})", copy(f"turn + {ahead}")) if turns > ahead else []
    turn = [f"nn_wait<{ahead - 1}>();", meet, *more, "nn_commit();", *_items(form, [group, *multiply])]
    return [*first, "#pragma unroll 1", *block(f"for (int turn = 0; turn < {turns}; turn++)", turn)]


def _copies(side: _Side, first: str, begin: int, stage: int, ragged: bool) -> Lines:
    """Brings a group's terms of one operand to shared memory; there are zeros beyond the last term."""
    form, wide = side.form, side.wide
    across = (form.depth if side.rowwise else side.tile) // wide
    total = side.tile * form.depth // wide
    major, minor = f"e / {across}", f"e % {across} * {wide}"
    row, term = (major, minor) if side.rowwise else (minor, major)
    row = f"{first} + {row}"
    if side.rows % side.tile:  # rows beyond the last one are read as that, and go nowhere
        row = f"min({row}, {side.rows - (1 if side.rowwise else wide)})"
    each = form.groups * form.depth
    loop = f"for (int n = 0; n < {-(-total // form.group)}; n++)"
    body = [
        f"const int e = lane + n * {form.group}, term = group * {form.depth} + {term};",
        f"float* const to = memory + (group * {stage} + {begin} + {major} * {side.length} + {minor});",
        f"const float* const from = {side.look.buffer} + (({row}) * {side.apart} + term * {side.along}"
        f" + OFFSET({side.look.offset}));",
        f"const bool wanted = {f'turns * {each} < {side.terms} - term' if ragged else 'true'};",
        f"{f'if (e < {total}) ' if total % form.group else ''}"
        f"nn_copy<{wide}>(to + offset, from + turns * {each * side.along}, wanted);",
    ]
    return ["#pragma unroll", *block(loop, body)]


def _position(form: Staged) -> Lines:
    """A thread's place in the tile: such that neighbours in pairs read the same rows, and others the same columns."""
    down, across, parts = form.threads
    return [
        f"const int over = item % 2 + item / 4 % {across // 2} * 2;",
        f"const int down = item / 2 % 2 + item / {2 * across} % {down // 2} * 2;",
        f"const int part = item / {form.plane} % {parts};",
    ]


def _multiplied(left: _Side, right: _Side, form: Staged, stage: int) -> Lines:
    """Adds the terms of a part that are in a stage."""
    fours = form.depth // FOUR // form.threads[2]
    sums = [f"found[h][{i}][{j}] += x[{i}][u] * y[{j}][u];" for i in range(form.down) for j in range(form.across)]
    return [
        *_position(form),
        f"const int offset = turn % {form.stages} * {form.groups * stage};",
        f"#pragma unroll {min(fours, 2)}",
        *block(
            f"for (int four = 0; four < {fours}; four++)",
            [
                f"float x[{form.down}][{FOUR}], y[{form.across}][{FOUR}];",
                *_reads(left, "down", f"group * {stage}"),
                *_reads(right, "over", f"group * {stage} + {left.floats}"),
                "#pragma unroll",
                *block(f"for (int u = 0; u < {FOUR}; u++)", sums),
            ],
        ),
    ]


def _reads(side: _Side, thread: str, begin: str) -> Lines:
    """A thread's rows of four terms, from shared memory."""
    row, term = (side.length, 1) if side.rowwise else (1, side.length)
    vector, name = side.vector, side.name
    heads = [i // vector * vector * side.threads * row for i in range(side.each)]
    if side.rowwise:
        places = [(heads[i], [(i, u) for u in range(FOUR)]) for i in range(side.each)]
    else:
        firsts = [(u, i) for u in range(FOUR) for i in range(0, side.each, vector)]
        places = [(heads[i] + u * term, [(i + v, u) for v in range(vector)]) for u, i in firsts]
    here = f"{begin} + {thread} * {vector * row} + part * {FOUR * term}"
    return [
        f"const float* const {name}s = memory + ({here}) + offset + four * {FOUR * term * side.form.threads[2]};",
        *(line for place, parts in places for line in _vector(name, f"{name}s + {place}", parts)),
    ]


def _vector(name: str, place: str, parts: list[tuple[int, int]]) -> Lines:
    if len(parts) == 1:
        return [f"{name}[{i}][{u}] = *({place});" for i, u in parts]
    spread = "".join(f" {name}[{i}][{u}] = v.{axis};" for (i, u), axis in zip(parts, "xyzw", strict=False))
    kind = f"float{len(parts)}"
    return [f"{{ const {kind} v = *(const {kind}*)({place});{spread} }}"]


def _kept(form: Staged) -> Lines:
    """Puts the sums of each thread side by side, where the stages were."""
    places = [(i, j) for i in range(form.down) for j in range(form.across)]
    return [f"memory[{(i * form.across + j) * form.between} + item] = found[h][{i}][{j}];" for i, j in places]


def _ended(left: _Side, right: _Side, form: Staged, out: Look, after: Lines | None) -> Lines:
    """Adds up the parts of an element, and does what is to be done with it."""
    wide, across = form.tile[1], form.threads[1]
    (down, i), (over, j) = left.owner("high"), right.owner("low")
    return [
        f"const int high = e / {wide}, low = e % {wide}, row = top + high, column = start + low;",
        *block(
            f"if (row < {left.rows} && column < {right.rows})",
            [
                f"const int down = {down}, over = {over};",
                f"const int lane = over % 2 + down % 2 * 2 + over / 2 * 4 + down / 2 * {2 * across};",
                f"const float* const sums = memory + ({i} * {form.across} + {j}) * {form.between} + lane;",
                "float found = sums[0];",
                "#pragma unroll",
                *block(
                    f"for (int part = 1; part < {form.block // form.plane}; part++)",
                    [f"found += sums[part * {form.plane}];"],
                ),
                *(after or [f"{out.at(['row', 'column'])} = found;"]),
            ],
        ),
    ]
