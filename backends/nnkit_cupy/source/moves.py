"""Operations that move elements: gathering, scattering, copies, sorting; and running sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import prod

from nnkit.graph.dtypes import itemsize
from nnkit.graph.ir import Node
from nnkit.plan import Plan
from nnkit.plan.look import Look, cut, merged, offset, steps, viewed
from nnkit.plan.planner import part_offset
from nnkit_cupy.source.pieces import LONG, VECTORS, WIDTH, Lines, Piece, block, elements, indices, names
from nnkit_cupy.source.types import TYPES, cast, literal

SETS, MANY = 4, 1 << 22
"""How many vectors of a row a thread reads before it writes the first, where there are so many elements."""


def copy(source: Look, target: Look) -> Piece:
    """Element by element; the two have one shape."""
    shape, (source, target) = merged(target.shape, [source.spread(target.shape), target])
    index = names(len(shape))
    return elements(prod(shape), [*indices(shape), f"{target.at(index)} = {source.at(index)};"])


def filled(out: Look, dtype: str) -> Piece:
    """Zeros."""
    shape, (look,) = merged(out.shape, [out])
    return elements(prod(shape), [*indices(shape), f"{look.at(names(len(shape)))} = {literal(0, dtype)};"])


def moved(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> list[Piece]:
    """A shape operation that is no view: its operand moves into memory of its own."""
    source = operands[0]
    if node.operation == "reshape":  # of what cannot be looked at in another shape: the result can
        return [copy(source, Look(out.buffer, out.offset, source.shape, steps(source.shape)))]
    return [copy(viewed(node, source), out)]


def taken(node: Node, out: Look, x: Look, chosen: Callable[[str], str]) -> list[Piece]:
    """Rows by index, ``chosen`` at a place; those from −n count from the end."""
    made = _taken(node, x, chosen, out, node.dtype)
    return [replace(made, converting=partial(_taken, node, x, chosen))]


def _taken(node: Node, x: Look, chosen: Callable[[str], str], out: Look, dtype: str) -> Piece:
    """The same with the result in a data type."""
    axis, index = node.options["axis"], names(len(out.shape))
    row = prod(out.shape[1:])
    if axis == 0 and _in_fours(node, out, x, row):
        sets = SETS if prod(out.shape) >= MANY and row % (SETS * WIDTH) == 0 else 1
        fours, kind = row // WIDTH // sets, TYPES[dtype]
        apart = f"s * {fours * WIDTH}"
        source, target = (
            f"j * {row} + place + {apart} + {offset(x.offset)}",
            f"i / {fours} * {row} + place + {apart} + {offset(out.offset)}",
        )
        rounded = ", ".join(cast(f"w[s][{u}]", node.dtype, dtype) for u in range(WIDTH))
        body = [
            f"const int64 j = nn_row({chosen(f'(i / {fours})')}, {x.rows or x.shape[0]});",
            f"const int64 place = i % {fours} * {WIDTH};",
            f"{TYPES[node.dtype]} w[{sets}][{WIDTH}];",
            "#pragma unroll",
            f"for (int s = 0; s < {sets}; s++) nn_read<float4>(w[s], &{x.buffer}[{source}]);",
            "#pragma unroll",
            *block(
                f"for (int s = 0; s < {sets}; s++)",
                [
                    f"{kind} v[{WIDTH}] = {{{rounded}}};",
                    f"nn_write<{VECTORS[WIDTH * itemsize(dtype)]}>(&{out.buffer}[{target}], v);",
                ],
            ),
        ]
        return elements(prod(out.shape) // WIDTH // sets, body)
    body = [
        *indices(out.shape),
        f"const int64 j = nn_row({chosen(index[axis])}, {x.rows or x.shape[axis]});",
        f"{out.at(index)} = {cast(x.at([*index[:axis], 'j', *index[axis + 1 :]]), node.dtype, dtype)};",
    ]
    return elements(prod(out.shape), body)


def _in_fours(node: Node, out: Look, x: Look, row: int) -> bool:
    """Whether whole rows of a large result go from one place to another, and sixteen bytes may at a time."""
    whole = x.contiguous and out.contiguous and bool(x.rows) and itemsize(node.dtype) == WIDTH
    return whole and prod(out.shape) >= LONG and not (row % WIDTH or x.offset % WIDTH or out.offset % WIDTH)


def scattered(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> list[Piece]:
    """Sums of rows by index. Each thread goes through all indices for its own places: the order is theirs."""
    x, chosen = operands
    axis = node.options["axis"]
    others = [a for a in range(len(x.shape)) if a != axis]
    extents = [x.shape[a] for a in others]
    index = [f"i{others.index(a)}" if a != axis else "k" for a in range(len(x.shape))]
    to = out.at([i if a != axis else "j" for a, i in enumerate(index)])
    add = [
        f"int64 j = (int64){chosen.at(['k'])};",
        f"if (j < 0) j += {out.shape[axis]};",
        f"{to} = ({TYPES[node.dtype]})({to} + {x.at(index)});",
    ]
    loop = block(f"for (int64 k = 0; k < {x.shape[axis]}; k++)", add)
    return [filled(out, node.dtype), elements(prod(extents), [*indices(extents), *loop])]


def among_zeros(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> list[Piece]:
    """A value among zeros."""
    inner = cut(out, node.options["start"], node.options["step"], operands[0].shape)
    return [filled(out, node.dtype), copy(operands[0], inner)]


def joined(plan: Plan, i: int, looks: dict[int, Look]) -> list[Piece]:
    """Copies of the parts of a concatenation that were not computed in their place."""
    node, out = plan.graph.nodes[i], looks[i]
    axis, start, offset = node.options["axis"], 0, plan.slots[i].offset
    pieces = []
    for part in node.inputs:
        extent = looks[part].shape[axis]
        if axis or part_offset(plan.graph, part, plan.slots) != offset:
            at = out.offset + start * out.strides[axis]
            pieces.append(copy(looks[part], Look(out.buffer, at, looks[part].shape, out.strides)))
        start += extent
        offset += plan.graph.nodes[part].nbytes
    return [piece for piece in pieces if piece.work]


def running_sum(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> list[Piece]:
    """Along an axis, one thread for each line."""
    x, axis = operands[0], node.options["axis"]
    extents, index = _lines(x, axis)
    body = [
        *indices(extents),
        f"{TYPES[node.dtype]} s = 0;",
        *block(
            f"for (int64 k = 0; k < {x.shape[axis]}; k++)",
            [f"s = ({TYPES[node.dtype]})(s + {x.at(index)});", f"{out.at(index)} = s;"],
        ),
    ]
    return [elements(prod(extents), body)]


def sorted_places(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> list[Piece]:
    """Insertion into a sorted line, stable, one thread for each; NaN goes to the end."""
    x, axis = operands[0], node.options["axis"]
    extents, index = _lines(x, axis)

    def at(look: Look, position: str) -> str:
        return look.at([position if i == "k" else i for i in index])

    sign = "<" if node.options["descending"] else ">"
    left = at(x, at(out, "(j - 1)"))
    body = [
        *indices(extents),
        *block(
            f"for (int64 k = 0; k < {x.shape[axis]}; k++)",
            [
                f"const {TYPES[dtypes[0]]} x = {at(x, 'k')};",
                "int64 j = k;",
                *block(
                    f"while (j > 0 && ({left} {sign} x || (x == x && {left} != {left})))",
                    [f"{at(out, 'j')} = {at(out, '(j - 1)')};", "j--;"],
                ),
                f"{at(out, 'j')} = k;",
            ],
        ),
    ]
    return [elements(prod(extents), body)]


def _lines(x: Look, axis: int) -> tuple[list[int], Lines]:
    """Extents of the lines along an axis, and the index of element k of one of them."""
    others = [a for a in range(len(x.shape)) if a != axis]
    return [x.shape[a] for a in others], [f"i{others.index(a)}" if a != axis else "k" for a in range(len(x.shape))]
