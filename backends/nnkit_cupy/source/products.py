"""Matrix products: for the library where it can read the operands as they lie, else plain sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import prod

from nnkit.graph.ir import Node
from nnkit.graph.primitives.linalg import SUMS
from nnkit.plan.look import Look
from nnkit_cupy.source.moves import filled
from nnkit_cupy.source.pieces import Piece, Product, elements, indices, names
from nnkit_cupy.source.tiles import MOST, tiled
from nnkit_cupy.source.types import HALVES, TYPES, cast

LIBRARY = {"float32": ("float32",), "float64": ("float64",), **{half: (half, SUMS) for half in HALVES}}
"""Data types of operands, and of the results that the library makes of them."""
MOST_TF32 = 1 << 24
"""Multiplications from which on tensor cores, which only the library uses, are faster than kernels of our own."""


def product(
    node: Node, out: Look, operands: list[Look], dtypes: Sequence[str], aligned: Callable[[Look], bool]
) -> list[Piece | Product]:
    """a · b, for each matrix of a stack; flags say which operand is transposed."""
    stack = out.shape[:-2]
    a, b = (
        _transposed(look.spread((*stack, *look.shape[-2:])), bool(node.options.get(flag)))
        for look, flag in zip(operands, ("transpose_a", "transpose_b"), strict=True)
    )
    if 0 in (*a.shape, *b.shape):
        return [filled(out, node.dtype)] if prod(out.shape) else []
    extents = (*a.shape[-2:], b.shape[-1])
    if node.dtype == "float32" == dtypes[0] == dtypes[1] and not stack and not a.text and not b.text:
        m, k, n = extents
        if m * k * n <= (MOST_TF32 if node.options.get("tf32") else MOST):
            made = tiled(a, b, out, (m, n, k), aligned)
            again = partial(tiled, a, b, out, (m, n, k), aligned, None)
            return [replace(made, ending=again, index=("row", "column"))]
    sides = [_side(look) for look in (a, b)]
    even = all(_evenly(look, stack) for look in (a, b, out))
    if dtypes[0] != dtypes[1] or node.dtype not in LIBRARY.get(dtypes[0], ()) or None in sides or not even:
        return [_plain(node, a, b, out, dtypes)]
    (ta, la), (tb, lb) = sides  # type: ignore[misc]
    apart = tuple(look.strides[len(stack) - 1] if stack else 0 for look in (a, b, out))
    m, k, n = extents
    types, lengths = (_sums(node), dtypes[0], node.dtype), (la, lb, n)
    library = Product(a, b, out, *types, m, n, k, (ta, tb), lengths, prod(stack), apart)  # type: ignore[arg-type]
    return [replace(library, tf32=bool(node.options.get("tf32")))]


def _sums(node: Node) -> str:
    """The data type in which a product adds up."""
    return SUMS if node.dtype in HALVES else node.dtype


def _transposed(look: Look, flag: bool) -> Look:
    if not flag:
        return look
    shape, strides = ((*t[:-2], t[-1], t[-2]) for t in (look.shape, look.strides))
    return Look(look.buffer, look.offset, shape, strides, look.text)


def _side(look: Look) -> tuple[bool, int] | None:
    """Whether the matrix is stored by columns, and the distance of its rows or columns; None if it is neither."""
    if look.text:
        return None
    (rows, columns), (down, along) = look.shape[-2:], look.strides[-2:]
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return False, max(down, columns) if rows > 1 else columns
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return True, max(along, rows) if columns > 1 else rows
    return None


def _evenly(look: Look, stack: tuple[int, ...]) -> bool:
    """Whether the matrices of a stack follow each other at one distance."""
    strides = look.strides[: len(stack)]
    return all(
        strides[axis] == strides[axis + 1] * stack[axis + 1] or stack[axis] == 1 for axis in range(len(stack) - 1)
    )


def _plain(node: Node, a: Look, b: Look, out: Look, dtypes: Sequence[str]) -> Piece:
    """One element by one thread."""
    index = names(len(out.shape))
    *stack, row, column = index
    sums = _sums(node)
    first, second = (cast(look.at(place), dtype, sums) for look, place, dtype in (
        (a, [*stack, row, "k"], dtypes[0]), (b, [*stack, "k", column], dtypes[1])
    ))  # fmt: skip
    body = [
        *indices(out.shape),
        f"{TYPES[sums]} found = 0;",
        f"for (int64 k = 0; k < {a.shape[-1]}; k++) found = ({TYPES[sums]})(found + {first} * {second});",
        f"{out.at(index)} = {cast('found', sums, node.dtype)};",
    ]
    return elements(prod(out.shape), body)
