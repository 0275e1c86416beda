"""Loops over elements: the fused pass, and what every other loop is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from nnkit.backend import NoNativeFormError
from nnkit.plan import Plan
from nnkit.plan.look import Extents, Look, merged
from nnkit_numpy.native.scalars import expression

Lines = list[str]


MEET = "meet"
"""A line of its own: what stands below it reads what any thread wrote above it."""


def share(extent: int) -> str:
    """Bounds of a loop whose iterations do not depend on each other: threads may divide them."""
    return f"bounds({extent})"


ROWS = re.compile(r"\brows\((\d+), (\d+)\)")


def share_rows(extent: int, length: int = 1) -> str:
    """The same for rows of so many elements each: a thread keeps its rows from one layer to the next."""
    return f"rows({extent}, {length})"


WAIT = """
def wait(gate, target):
    looked = 0
    while arrived(gate) < target:
        looked += 1
        if looked < 2000:
            pause()
        else:
            rest()
"""
"""The function by which a thread waits until so many have arrived."""
TOGETHER = "# by all threads, each of which takes its parts as it goes"
"""A line that says so."""
LINE = 64
"""Bytes of a cache line."""
MANY_ROWS = 24
"""Rows that keep threads busy, each with tiles of several rows."""


def nest(shape: Sequence[int], body: Lines, first: int = 0) -> Lines:
    """``body`` inside a loop for each axis, over i0, i1, … (from ``first`` on); i0 may be divided among threads."""
    for axis in reversed(range(len(shape))):
        bounds = share_rows(shape[axis]) if axis + first == 0 else str(shape[axis])
        body = [f"for i{axis + first} in range({bounds}):", *indented(body)]
    return body


def indented(lines: Iterable[str]) -> Lines:
    """One level deeper."""
    return [f"    {line}" for line in lines]


def names(count: int, first: int = 0) -> Lines:
    """The variables of ``nest``."""
    return [f"i{axis}" for axis in range(first, first + count)]


def copy(source: Look, target: Look) -> Lines:
    """Element by element; the two have one shape."""
    shape, (source, target) = merged(target.shape, [source.spread(target.shape), target])
    index = names(len(shape))
    return nest(shape, [f"{target.at(index)} = {source.at(index)}"])


def elements(plan: Plan, part: tuple[int, ...], looks: Mapping[int, Look], by_rows: bool = False) -> Lines:
    """One loop over the elements; what only the loop reads is a local variable, and so is what it folds into one."""
    nodes = plan.graph.nodes
    shape = looks[part[0]].shape
    members = set(part)
    folds = [i for i in part if nodes[i].operation in FOLDS]
    outer = [o for o in dict.fromkeys(o for i in part for o in nodes[i].inputs) if o not in members]
    stored = [i for i in part if not plan.slots[i].tiled and i not in folds]
    loops, placed = merged(shape, [looks[i].spread(shape) for i in (*outer, *stored)])
    at = dict(zip((*outer, *stored), placed, strict=True))
    index = names(len(loops))
    # A number that stays the same along an axis is read before the loop over it.
    before: list[Lines] = [[] for _ in range(len(loops) + 1)]
    for o in outer:
        if not at[o].text:
            depth = max((axis + 1 for axis, stride in enumerate(at[o].strides) if stride), default=0)
            before[depth].append(f"v{o} = {at[o].at(index)}")
    local = {o: at[o].text or f"v{o}" for o in outer} | {i: f"v{i}" for i in part}
    body: Lines = []
    for i in part:
        node = nodes[i]
        if i in folds:
            body.append(f"s{i} = s{i} {FOLDS[node.operation][1]} {local[node.inputs[0]]}")
            continue
        types = [nodes[o].dtype for o in node.inputs]
        body.append(f"v{i} = {expression(node, [local[o] for o in node.inputs], types)}")
        if i in at:
            body.append(f"{at[i].at(index)} = v{i}")
    body = before[len(loops)] + body
    for axis in reversed(range(len(loops))):
        bounds = str(loops[axis]) if axis else share(loops[0]) if folds else _rows(shape, loops[0], by_rows)
        body = [*before[axis], f"for i{axis} in range({bounds}):", *indented(body)]
    starts = [f"s{i} = {FOLDS[nodes[i].operation][0]}" for i in folds]
    return [*starts, *body, *_truths([(nodes[i].operation, f"s{i}", looks[i]) for i in folds])]


def _rows(shape: Extents, extent: int, by_rows: bool) -> str:
    """Bounds of a loop over the first axis, or over the first and others as one; over elements where rows are few."""
    if by_rows or (len(shape) > 1 and shape[0] >= MANY_ROWS and extent % shape[0] == 0):
        return share_rows(shape[0], extent // shape[0])
    return share(extent)


FOLDS = {"all": ("True", "&"), "any": ("False", "|")}
"""Reductions that a pass does on its way. Of two known truths both are looked at: a loop without branches is faster."""


def _truths(folds: Sequence[tuple[str, str, Look]]) -> Lines:
    """What each of (operation, variable of a thread, place of the result) comes to for all threads.

    They meet once for all of them, since variables do not outlast that.
    """
    if len(folds) > LINE:
        raise NoNativeFormError(f"one pass has {len(folds)} questions about all of its elements, more than {LINE}")
    given = [give(local, "bool", place) for place, (_, local, _) in enumerate(folds)]
    taken = [
        line
        for place, (operation, _, out) in enumerate(folds)
        for line in take(out, "bool", FOLDS[operation][0], f"s = s {FOLDS[operation][1]} {{0}}", place)
    ]
    return [*given, MEET, *taken] if folds else []


def combined(local: str, out: Look, dtype: str, start: str, update: str) -> Lines:
    """A result of one number from the parts ``local`` of all threads."""
    return [give(local, dtype), MEET, *take(out, dtype, start, update)]


def give(local: str, dtype: str, place: int = 0) -> str:
    """A thread's part of a result, at a place in a cache line of its own."""
    return f"{_part('rank', dtype, place)} = {local}"


def take(out: Look, dtype: str, start: str, update: str, place: int = 0) -> Lines:
    """The result from the parts of all threads."""
    return [
        f"s = {start}",
        "for r in range(PARTS):",
        f"    {update.format(_part('r', dtype, place))}",
        f"{out.at(['0'] * len(out.shape))} = s",
    ]


def _part(rank: str, dtype: str, place: int) -> str:
    return f"parts_{dtype}[{rank} * {LINE // np.dtype(dtype).itemsize}{f' + {place}' if place else ''}]"
