"""The code of matrix products: calls of ``product``, divided among the threads, and plain loops for the smallest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnkit.graph.ir import Node
from nnkit.plan.look import Look
from nnkit_numpy.native.kernels import ADDRESSES
from nnkit_numpy.native.look import literal
from nnkit_numpy.native.passes import MANY_ROWS, MEET, TOGETHER, Lines, indented, names, nest, share, share_rows
from nnkit_numpy.native.product import PARTIAL, PRODUCTS, SCRATCH, is_taken
from nnkit_numpy.native.tiles import ITEMS

SMALL = 512
"""Multiplications below which plain loops beat a call."""
LONG = 4
"""A sum is divided where it is so many times as long as there are rows, and its right operand has such a size: larger
ones do not stay in the caches of the cores, and smaller ones move between them in no time."""
KEPT_BYTES = range(1 << 17, 1 << 20)


def matmul(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    """Tiles in registers where that pays, for each matrix of a stack."""
    stack = out.shape[:-2]
    index = names(len(stack))
    sides = []
    for look, flag in zip(operands, ("transpose_a", "transpose_b"), strict=True):
        spread = look.spread((*stack, *look.shape[-2:]))
        sides.append(_transposed(spread) if node.options.get(flag) else spread)
    a, b = sides
    if 0 in (*a.shape, *b.shape):
        zero = [f"{out.at(names(len(out.shape)))} = 0"]
        return nest(out.shape, zero)
    work = a.shape[-2] * a.shape[-1] * b.shape[-1]
    if work <= SMALL or a.text or b.text or dtype not in ITEMS:
        return nest(stack, _product(a, b, out, index, dtype))
    return _tiled_product(a, b, out, dtype)


def _transposed(look: Look) -> Look:
    shape, strides = ((*t[:-2], t[-1], t[-2]) for t in (look.shape, look.strides))
    return Look(look.buffer, look.offset, shape, strides, look.text)


def _tiled_product(a: Look, b: Look, out: Look, dtype: str) -> Lines:
    """Rows of the result may be divided, or columns where rows are few; of a stack, its matrices."""
    stack = out.shape[:-2]
    index = names(len(stack))
    (rows, columns), inner = out.shape[-2:], a.shape[-1]
    if stack:
        return nest(stack, [_call(dtype, (rows, columns, inner), a, b, out, index)])
    size = ITEMS[dtype]
    if is_taken(rows, columns, inner):
        return _taken_product(a, b, out, dtype)
    near = inner * columns * size in KEPT_BYTES and rows * columns * size <= PARTIAL
    if near and inner >= LONG * rows and b.strides[-1] == 1:
        return _divided_sum(a, b, out, dtype)
    if rows >= MANY_ROWS or rows >= columns:
        bounds, call = share_rows(rows), _call(dtype, ("hi - lo", columns, inner), a, b, out, [], row="lo")
    else:
        bounds, call = share(columns), _call(dtype, (rows, "hi - lo", inner), a, b, out, [], column="lo")
    return [f"lo, hi = {bounds}", "if hi > lo:", f"    {call}"]


def _taken_product(a: Look, b: Look, out: Look, dtype: str) -> Lines:
    """Threads take columns of tiles, so that none of them waits long for one whose core is slow."""
    (rows, columns), inner = out.shape, a.shape[-1]
    extents = (rows, columns, inner)
    return [
        TOGETHER,
        "if PARTS > 1 and last == first + 1:",
        f"    {_call(dtype, extents, a, b, out, [], together=True)}",
        "elif rank == 0:",
        f"    {_call(dtype, extents, a, b, out, [])}",
    ]


def _divided_sum(a: Look, b: Look, out: Look, dtype: str) -> Lines:
    """Each thread goes through rows of the right operand that it keeps to, and what they found is added up.

    Those are a layer's parameters, which the thread that has them in its cache also updates: a core that writes what
    another has read waits for it.
    """
    (rows, columns), inner = out.shape, a.shape[-1]
    scratch, apart = f"addresses[{ADDRESSES.index('scratch')}]", SCRATCH // ITEMS[dtype]
    partial = f"{scratch} + {SCRATCH - PARTIAL}"
    to = f"{partial} + rank * {SCRATCH}, {columns}"
    call = _call(dtype, (rows, columns, "hi - lo"), a, b, out, [], along="lo", to=to)
    element = out.at([f"i0 // {columns}", f"i0 % {columns}"]) if not out.contiguous else ""
    place = element or f"{out.buffer}[{out.position(['0', '0'])} + i0]"
    return [
        f"lo, hi = {share_rows(inner)}",
        call,
        MEET,
        f"found = array({partial}, {dtype})",
        f"for i0 in range({share_rows(rows, columns)}):",
        "    s = found[i0]",
        "    for r in range(1, PARTS):",
        f"        s += found[r * {apart} + i0]",
        f"    {place} = s",
    ]


def _call(
    dtype: str, extents: Sequence[int | str], a: Look, b: Look, out: Look, index: Lines,
    row: str = "0", column: str = "0", along: str = "0", to: str = "", together: bool = False,
) -> str:  # fmt: skip
    """A call of a function for products from a row and a column of the result on, and from a place along the sum."""
    sides = [
        f"{_address(look, [*index, *place], dtype)}, {look.strides[-2]}, {look.strides[-1]}"
        for look, place in ((a, (row, along)), (b, (along, column)))
    ]
    to = to or f"{_address(out, [*index, row, column], dtype)}, {out.strides[-2]}"
    name = f"{PRODUCTS[together]}_{dtype}"
    function, scratch = (f"addresses[{ADDRESSES.index(at)}]" for at in (name, "scratch"))
    given = [*map(str, extents), *sides, to, f"{scratch} + rank * {SCRATCH}"]
    if together:
        given = ["rank", "PARTS", *given, f"{scratch} + PARTS * {SCRATCH}"]
    return f"call({', '.join([function, *given])})"


def _address(look: Look, index: Lines, dtype: str) -> str:
    return f"p_{look.buffer} + {np.dtype(dtype).itemsize} * ({look.position(index)})"


def _product(a: Look, b: Look, out: Look, index: Lines, dtype: str) -> Lines:
    """The product as loops, the last of them over neighbouring elements where there are such."""
    (rows, inner), columns = a.shape[-2:], b.shape[-1]
    each = str(rows) if index else share(rows)
    if b.strides[-1] != 1 and a.strides[-1] == 1:
        total = f"s += {a.at([*index, 'r', 'k'])} * {b.at([*index, 'k', 'c'])}"
        body = [f"s = {literal(0, dtype)}", f"for k in range({inner}):", f"    {total}"]
        body += [f"{out.at([*index, 'r', 'c'])} = s"]
        return [f"for r in range({each}):", *indented([f"for c in range({columns}):", *indented(body)])]
    to = out.at([*index, "r", "c"])
    body = [
        f"for c in range({columns}):",
        f"    {to} = 0",
        f"for k in range({inner}):",
        f"    x = {a.at([*index, 'r', 'k'])}",
        f"    for c in range({columns}):",
        f"        {to} += x * {b.at([*index, 'k', 'c'])}",
    ]
    return [f"for r in range({each}):", *indented(body)]
