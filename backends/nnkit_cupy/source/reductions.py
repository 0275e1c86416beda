"""Sums, extrema, truths and places of extrema over axes. The order of a sum depends on shapes alone, not on timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import prod

import numpy as np

from nnkit.graph.dtypes import itemsize, kind
from nnkit.graph.ir import Node
from nnkit.plan.look import Look
from nnkit.plan.rounding import UNIT
from nnkit_cupy.source.pieces import Lines, Piece, block, elements, indices, names, rows
from nnkit_cupy.source.types import HALVES, TYPES, cast, literal

FOLD = {"sum": "Sum", "prod": "Product", "max": "Max", "min": "Min", "all": "All", "any": "Any"}
LONG = 1 << 14
"""Elements from which on several blocks fold parts of a whole, which one block then folds."""
PARTS = 128
LANES = 32
ROWS = 256
"""Of how many rows of halves a block reads some at a time."""


def folded(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str], scratch: str) -> list[Piece]:
    """One of the reductions of ``FOLD``."""
    x, dtype = operands[0], node.dtype
    axes = [axis for axis in range(len(x.shape)) if axis in node.options["axis"]]
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    target = without(out, axes) if node.options["keepdims"] else out
    length, count = prod([x.shape[a] for a in axes]), prod([x.shape[a] for a in kept])
    fold = _Fold(FOLD[node.operation], dtype, dtypes[0], start(node.operation, dtype))
    if not kept and length > LONG:
        return _in_parts(fold, x, target, length, scratch)
    if axes and kept and axes == list(range(len(axes))) and count > 1 and x.strides[-1] == 1 and length > 1:
        down = partial(_down_in_vectors if _in_vectors(x, dtypes[0], dtype) else _down, fold, x, target, length, kept)
        if node.options["keepdims"]:
            return [down()]
        return [replace(down(), ending=down, index=tuple(names(len(kept))))]
    return [rows(count, length, _across(fold, x, target, axes, kept, length))]


class _Fold:
    """How two values become one: its name, data types of the result and of what is folded, and where it begins."""

    def __init__(self, name: str, dtype: str, source: str, start: str) -> None:
        self.name, self.dtype, self.source, self.start = name, dtype, source, start
        self.type = TYPES[dtype]

    def step(self, into: str, value: str) -> str:
        """The next value of what is folded."""
        return self.join(into, cast(value, self.source, self.dtype))

    def join(self, into: str, value: str) -> str:
        """What another thread found."""
        return f"{into} = {self.name}<{self.type}>::of({into}, {value});"

    def block(self, value: str) -> str:
        """That of all threads of a block."""
        return f"{value} = FOLD<{self.type}, {self.name}>({value});"


def start(operation: str, dtype: str) -> str:
    """What a fold begins with, in code."""
    if operation not in ("max", "min"):
        return literal({"sum": 0, "prod": 1, "all": True, "any": False}[operation], dtype)
    if dtype == "bool":
        return literal(operation == "min", dtype)
    if kind(dtype) == "float":
        return literal(float("-inf" if operation == "max" else "inf"), dtype)
    range_ = np.iinfo(dtype)
    return literal(int(range_.min if operation == "max" else range_.max), dtype)


def _across(fold: _Fold, x: Look, out: Look, axes: list[int], kept: list[int], length: int) -> Lines:
    """Row r of what is kept, by the threads of a block."""
    at = _index(axes, kept)
    return [
        *indices([x.shape[a] for a in kept], "r"),
        f"{fold.type} found = {fold.start};",
        *block(
            f"for (int64 k = LANE; k < {length}; k += WIDTH)",
            [*indices([x.shape[a] for a in axes], "k", len(kept)), fold.step("found", x.at(at))],
        ),
        fold.block("found"),
        f"if (LANE == 0) {out.at(names(len(kept)))} = found;",
    ]


def _index(axes: list[int], kept: list[int]) -> Lines:
    """Variables of the axes of an operand: those that are kept come first, then those that are folded."""
    place = {axis: number for number, axis in enumerate([*kept, *axes])}
    return [f"i{place[axis]}" for axis in range(len(place))]


def _down(fold: _Fold, x: Look, out: Look, length: int, kept: list[int], after: Lines | None = None) -> Piece:
    """Down the columns: neighbouring threads take neighbouring columns, and so many lanes every so many rows.

    ``after`` is done with each sum, which is ``found``, in place of storing it.
    """
    extents = [x.shape[a] for a in kept]
    count = prod(extents)
    folded_axes = list(range(len(x.shape) - len(kept)))
    at = _index(folded_axes, kept)
    lanes = min(LANES, max(1, 1 << max(0, (length // 4 - 1).bit_length())))
    body = [
        "const int64 c = first + TID % wide;",
        f"{fold.type} found = {fold.start};",
        *block(
            f"if (c < {count} && TID / wide < most)",
            [
                *indices(extents, "c"),
                *block(
                    f"for (int64 k = TID / wide; k < {length}; k += most)",
                    [*indices([x.shape[a] for a in folded_axes], "k", len(kept)), fold.step("found", x.at(at))],
                ),
            ],
        ),
        "if (TID / wide < most) lanes[TID / wide][TID % wide] = found;",
        "__syncthreads();",
        *block(
            f"if (TID < wide && c < {count})",
            [
                f"for (int lane = 1; lane < most; lane++) {fold.join('found', 'lanes[lane][TID]')}",
                *indices(extents, "c"),
                *(after or [f"{out.at(names(len(kept)))} = found;"]),
            ],
        ),
        "__syncthreads();",
    ]
    lines = [
        f"{fold.type} (*lanes)[32] = ({fold.type} (*)[32])shared;",
        f"const int wide = THREADS < 32 ? THREADS : 32, most = THREADS / wide < {lanes} ? THREADS / wide : {lanes};",
        *block(f"for (int64 first = (int64)BID * wide; first < {count}; first += (int64)BLOCKS * wide)", body),
    ]
    nbytes = 32 * lanes * itemsize(fold.dtype)
    return Piece(lines, -(-count // 32), 32 * lanes, count * length, shared=nbytes)


def _in_vectors(x: Look, dtype: str, sums: str) -> bool:
    """Whether it is a long matrix of halves of which eight of a row can be read at a time."""
    fits = len(x.shape) == 2 and x.buffer.startswith("a_") and x.shape[0] >= 4 * ROWS and x.shape[1] % UNIT == 0
    return fits and dtype in HALVES and itemsize(sums) <= 4 and x.strides[0] % UNIT == 0 == x.offset % UNIT


def _down_in_vectors(
    fold: _Fold, x: Look, out: Look, length: int, kept: list[int], after: Lines | None = None
) -> Piece:
    """The same where a thread takes eight columns of every so many rows, sixteen bytes at a time."""
    count, together = x.shape[1], LANES // UNIT
    read = x.at(["k", f"({UNIT} * c)"])
    each = fold.step("found[u]", "w[u]")
    body = [
        "const int64 c = first + TID % wide;",
        f"{fold.type} found[{UNIT}];",
        f"for (int u = 0; u < {UNIT}; u++) found[u] = {fold.start};",
        "#pragma unroll 4",
        *block(
            f"for (int64 k = c < {count // UNIT} ? TID / wide : {length}; k < {length}; k += most)",
            [
                f"{TYPES[fold.source]} w[{UNIT}]; nn_read<float4>(w, &{read});",
                "#pragma unroll",
                f"for (int u = 0; u < {UNIT}; u++) {each}",
            ],
        ),
        f"for (int u = 0; u < {UNIT}; u++) lanes[TID / wide][{UNIT} * (TID % wide) + u] = found[u];",
        "__syncthreads();",
        *block(
            "if (all)",  # warps add up some of the lanes each, and then one does the rest
            [
                f"{fold.type} part = lanes[TID / {LANES}][TID % {LANES}];",
                f"for (int lane = TID / {LANES} + {LANES}; lane < most; lane += {LANES}) "
                + fold.join("part", f"lanes[lane][TID % {LANES}]"),
                "__syncthreads();",
                f"lanes[TID / {LANES}][TID % {LANES}] = part;",
                "__syncthreads();",
            ],
        ),
        *block(
            f"for (int t = TID; t < {UNIT} * wide && {UNIT} * first + t < {count}; t += THREADS)",
            [
                f"const int64 i0 = {UNIT} * first + t;",
                f"{fold.type} found = lanes[0][t];",
                f"for (int lane = 1; lane < (all ? {LANES} : most); lane++) {fold.join('found', 'lanes[lane][t]')}",
                *(after or [f"{out.at(['i0'])} = found;"]),
            ],
        ),
        "__syncthreads();",
    ]
    lines = [
        f"{fold.type} (*lanes)[{LANES}] = ({fold.type} (*)[{LANES}])shared;",
        f"const int wide = THREADS < {together} ? 1 : {together}, most = THREADS / wide;",
        f"const bool all = THREADS == {ROWS * together};",
        *block(f"for (int64 first = (int64)BID * wide; first < {count // UNIT}; first += (int64)BLOCKS * wide)", body),
    ]
    nbytes = LANES * ROWS * itemsize(fold.dtype)
    return Piece(lines, -(-count // LANES), ROWS * together, count * length, shared=nbytes)


def _in_parts(fold: _Fold, x: Look, out: Look, length: int, scratch: str) -> list[Piece]:
    """Each of many blocks folds a part of a large array, and then one block folds what they found."""
    shape = list(range(len(x.shape)))
    part = f"(({fold.type}*){scratch})"
    each = -(-length // PARTS)
    first = [
        f"{fold.type} found = {fold.start};",
        *block(
            f"for (int64 k = r * {each} + LANE; k < {length} && k < (r + 1) * {each}; k += WIDTH)",
            [*indices(x.shape, "k"), fold.step("found", x.at(_index(shape, [])))],
        ),
        fold.block("found"),
        f"if (LANE == 0) {part}[r] = found;",
    ]
    then = [
        f"{fold.type} found = {fold.start};",
        f"for (int k = LANE; k < {PARTS}; k += WIDTH) {fold.join('found', f'{part}[k]')}",
        fold.block("found"),
        f"if (LANE == 0) {out.at([])} = found;",
    ]
    return [rows(PARTS, each, first), rows(1, PARTS, then)]


def without(out: Look, axes: list[int]) -> Look:
    """The result without the axes of size one that ``keepdims`` leaves."""
    kept = [axis for axis in range(len(out.shape)) if axis not in axes]
    return Look(out.buffer, out.offset, tuple(out.shape[a] for a in kept), tuple(out.strides[a] for a in kept))


def place_of_extreme(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> Piece:
    """The first of the extreme elements along an axis; NaN is one."""
    (x,), axis = operands, node.options["axis"]
    kept = [a for a in range(len(x.shape)) if a != axis]
    index = [f"i{kept.index(a)}" if a != axis else "k" for a in range(len(x.shape))]
    target = without(out, [axis]) if node.options["keepdims"] else out
    start = x.at([i if i != "k" else "0" for i in index])
    sign = ">" if node.operation == "argmax" else "<"
    value = TYPES[dtypes[0]]
    extents = [x.shape[a] for a in kept]
    better = f"if (x {sign} best || (x != x && best == best)) {{ best = x; place = k; }}"
    body = [
        *indices(extents, "i"),
        f"{value} best = {start};",
        "int64 place = 0;",
        *block(f"for (int64 k = 1; k < {x.shape[axis]}; k++)", [f"const {value} x = {x.at(index)};", better]),
        f"{target.at(names(len(kept)))} = ({TYPES[node.dtype]})place;",
    ]
    return elements(prod(extents), body)
