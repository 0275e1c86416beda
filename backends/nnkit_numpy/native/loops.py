"""The loops of the operations that are not elementwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from nnkit.backend import NoNativeFormError
from nnkit.graph.ir import Graph, Node
from nnkit.graph.primitives.random import PARITY, ROTATIONS, ROUNDS
from nnkit.plan.look import Look, cut, merged, offset, steps, viewed
from nnkit.plan.schedule import VIEWS
from nnkit_numpy.native.look import literal
from nnkit_numpy.native.matmul import matmul
from nnkit_numpy.native.passes import (
    FOLDS,
    MEET,
    Lines,
    combined,
    copy,
    indented,
    names,
    nest,
    share,
    share_rows,
)
from nnkit_numpy.native.scalars import typed
from nnkit_numpy.native.tiles import ITEMS

LONG_ROW = 16
"""Numbers in a row from which on its sum is one of vectors."""
Emit = Callable[[Node, Look, list[Look], str], Lines]
"""(node, where the result goes, where the operands are, data type of the first) → lines."""


def _sum(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    x = operands[0]
    axes = node.options["axis"]
    if x.contiguous and len(axes) == len(x.shape) and dtype in ITEMS:
        part = f"total_{dtype}({x.buffer}, {offset(x.offset)}, {share(prod(x.shape))})"
        return combined(part, out, dtype, literal(0, dtype), "s += {0}")
    if axes == (len(x.shape) - 1,) and x.shape[-1] >= LONG_ROW and x.strides[-1] == 1 and dtype in ITEMS:
        return _sums_of_rows(node, out, x, dtype)
    return _folded(node, out, x, f"{{0}} = {typed('{0} + {1}', node.dtype)}", literal(0, node.dtype))


def _sums_of_rows(node: Node, out: Look, x: Look, dtype: str) -> Lines:
    """Each row by itself, in vectors: one sum after the other would wait for every addition."""
    rows = list(range(len(x.shape) - 1))
    index = names(len(rows))
    total = f"total_{dtype}_of_{x.shape[-1]}({x.buffer}, {x.position([*index, '0'])})"
    to = _kept_look(node, out, [len(rows)]).at(index)
    return _loops(x, rows, [f"{to} = {total}"], rows[0] if rows else -1)


def _truth(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    start, sign = FOLDS[node.operation]
    return _folded(node, out, operands[0], f"{{0}} = {{0}} {sign} {{1}}", start)


def _max(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    return _folded(node, out, operands[0], "x = {1}; {0} = x if x > {0} or x != x else {0}", None)


def _min(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    return _folded(node, out, operands[0], "x = {1}; {0} = x if x < {0} or x != x else {0}", None)


def _folded(node: Node, out: Look, x: Look, update: str, start: str | None) -> Lines:
    """Fold axes into ``out``: in a local number where the last axis is folded, else row by row into the memory."""
    rank = len(x.shape)
    index = names(rank)
    folded = [axis for axis in range(rank) if axis in node.options["axis"]]
    kept = [axis for axis in range(rank) if axis not in folded]
    target = _kept_look(node, out, folded)
    first = start or x.at([index[axis] if axis in kept else "0" for axis in range(rank)])
    to = target.at([index[axis] for axis in kept])
    divided = kept[0] if kept else -1
    if rank - 1 in folded or not kept:
        inner = _loops(x, folded, [update.format("s", x.at(index))])
        return _loops(x, kept, [f"s = {first}", *inner, f"{to} = s"], divided)
    clear = _loops(x, kept, [f"{to} = {first}"], divided)
    return clear + _loops(x, [*folded, *kept], [update.format(to, x.at(index))], divided)


def _loops(x: Look, axes: list[int], body: Lines, divided: int = -1) -> Lines:
    """``body`` for each index of these axes, of which threads may divide one."""
    for axis in reversed(axes):
        bounds = str(x.shape[axis]) if axis != divided else (share if axis else share_rows)(x.shape[axis])
        body = [f"for i{axis} in range({bounds}):", *indented(body)]
    return body


def _kept_look(node: Node, out: Look, folded: list[int]) -> Look:
    """The result without the axes of size one that ``keepdims`` leaves."""
    if not node.options["keepdims"]:
        return out
    kept = [axis for axis in range(len(out.shape)) if axis not in folded]
    return Look(out.buffer, out.offset, tuple(out.shape[a] for a in kept), tuple(out.strides[a] for a in kept))


def _index(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    """The first of the extreme elements; NaN is one."""
    (x,), axis = operands, node.options["axis"]
    index = names(len(x.shape))
    sign = ">" if node.operation == "argmax" else "<"
    kept = [a for a in range(len(x.shape)) if a != axis]
    target = _kept_look(node, out, [axis])
    better = [f"x = {x.at(index)}", f"if x {sign} s or (x != x and s == s):", f"    s = x; at = i{axis}"]
    begin = f"s = {x.at([i if a != axis else '0' for a, i in enumerate(index)])}; at = 0"
    to = target.at([index[a] for a in kept])
    return _loops(x, kept, [begin, *_loops(x, [axis], better), f"{to} = at"], kept[0] if kept else -1)


def _take(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    """Rows by index; those from −n count from the end."""
    x, chosen = operands
    axis = node.options["axis"]
    index = names(len(out.shape))
    extent = x.rows or str(x.shape[axis])
    row = [f"j = int64({chosen.at([index[axis]])})", "if j < 0:", f"    j += {extent}"]
    source = x.at([*index[:axis], "j", *index[axis + 1 :]])
    inner = nest(out.shape[axis + 1 :], [f"{out.at(index)} = {source}"], axis + 1)
    return nest(out.shape[: axis + 1], [*row, *inner])


def _scatter_add(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    x, chosen = operands
    axis = node.options["axis"]
    index = names(len(x.shape))
    row = [f"j = int64({chosen.at([index[axis]])})", "if j < 0:", f"    j += {out.shape[axis]}"]
    to = out.at([*index[:axis], "j", *index[axis + 1 :]])
    inner = nest(x.shape[axis + 1 :], [f"{to} = {typed(f'{to} + {x.at(index)}', node.dtype)}"], axis + 1)
    # Indices repeat: whoever adds goes through all of them alone.
    return [*_filled(out, node.dtype), MEET, *_loops(x, list(range(axis + 1)), [*row, *inner])]


def _filled(out: Look, dtype: str) -> Lines:
    shape, (look,) = merged(out.shape, [out])
    return nest(shape, [f"{look.at(names(len(shape)))} = {literal(0, dtype)}"])


def _place(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    inner = cut(out, node.options["start"], node.options["step"], operands[0].shape)
    return [*_filled(out, node.dtype), MEET, *copy(operands[0], inner)]


def _copied(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    """A shape operation that is no view: its operand moves into memory of its own."""
    source = operands[0]
    if node.operation == "reshape":  # of what cannot be looked at in another shape: the result can
        return copy(source, Look(out.buffer, out.offset, source.shape, steps(source.shape)))
    return copy(viewed(node, source), out)


def _cumulative_sum(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    (x,), axis = operands, node.options["axis"]
    index = names(len(x.shape))
    body = [f"s = {typed(f's + {x.at(index)}', node.dtype)}", f"{out.at(index)} = s"]
    others = [a for a in range(len(x.shape)) if a != axis]
    start = f"s = {literal(0, node.dtype)}"
    return _loops(x, others, [start, *_loops(x, [axis], body)], others[0] if others else -1)


def _argsort(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    """Insertion into a sorted row, stable; NaN goes to the end."""
    (x,), axis = operands, node.options["axis"]
    index = names(len(x.shape))
    at = index[axis]

    def element(position: str) -> str:
        return x.at([*index[:axis], position, *index[axis + 1 :]])

    def place(position: str) -> str:
        return out.at([*index[:axis], position, *index[axis + 1 :]])

    sign = "<" if node.options["descending"] else ">"
    left = element(place("(j - 1)"))
    before = f"j > 0 and ({left} {sign} x or (x == x and {left} != {left}))"
    body = [
        f"x = {element(at)}",
        f"j = {at}",
        f"while {before}:",
        f"    {place('j')} = {place('(j - 1)')}",
        "    j -= 1",
    ]
    others = [a for a in range(len(x.shape)) if a != axis]
    return _loops(x, [*others, axis], [*body, f"{place('j')} = {at}"], others[0] if others else -1)


def _random_bits(node: Node, out: Look, operands: list[Look], dtype: str) -> Lines:
    """Threefry-2x32: words 2i and 2i + 1 from the counter (i, step)."""
    count = prod(out.shape)
    low, high, step = (operand.at([]) for operand in operands)
    stream = node.options["stream"]
    head = [f"k0 = uint32({low} ^ uint32({stream[0]}))", f"k1 = uint32({high} ^ uint32({stream[1]}))"]
    head += [f"k2 = uint32(k0 ^ k1 ^ uint32({PARITY}))", f"y = {step}"]
    body = ["x0 = uint32(uint32(i) + k0)", "x1 = uint32(y + k1)"]
    for turn in range(ROUNDS):
        d = ROTATIONS[turn % 8]
        body += ["x0 = uint32(x0 + x1)"]
        body += [f"x1 = uint32(uint32(uint32(x1 << uint32({d})) | (x1 >> uint32({32 - d}))) ^ x0)"]
        if turn % 4 == 3:
            block = turn // 4 + 1
            body += [f"x0 = uint32(x0 + k{block % 3})"]
            body += [f"x1 = uint32(x1 + k{(block + 1) % 3} + uint32({block}))"]
    even, odd = (f"{out.buffer}[2 * i + {word} + {offset(out.offset)}]" for word in (0, 1))
    rest = [f"i = {count // 2}", *body, f"{even} = x0"] if count % 2 else []
    return [*head, f"for i in range({share(count // 2)}):", *indented([*body, f"{even} = x0", f"{odd} = x1"]), *rest]


EMIT: dict[str, Emit] = {
    "sum": _sum,
    "all": _truth,
    "any": _truth,
    "max": _max,
    "min": _min,
    "argmax": _index,
    "argmin": _index,
    "matmul": matmul,
    "take": _take,
    "scatter_add": _scatter_add,
    "place": _place,
    "cumulative_sum": _cumulative_sum,
    "argsort": _argsort,
    "random_bits": _random_bits,
    **dict.fromkeys(VIEWS, _copied),
}


DIVISIBLE = ("fused", *(name for name in EMIT if name != "scatter_add"))
"""Kernels whose loops threads may divide. Indices of a scatter repeat: whoever adds goes through all of them."""


def loops(graph: Graph, i: int, looks: Mapping[int, Look]) -> Lines:
    """The code of one node that is not elementwise."""
    node = graph.nodes[i]
    if node.operation not in EMIT:
        raise NoNativeFormError(f"the operation '{node.operation}' has no native form")
    operands = [looks[o] for o in node.inputs]
    return EMIT[node.operation](node, looks[i], operands, graph.nodes[node.inputs[0]].dtype)
