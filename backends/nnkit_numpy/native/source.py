"""From a plan to the source of one function that runs many whole steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from nnkit.plan import Plan, Step
from nnkit.plan.look import Look, fixed, steps
from nnkit.plan.planner import part_offset
from nnkit.plan.storage import Copy
from nnkit_numpy.native.crew import Crew
from nnkit_numpy.native.helpers import ABORT
from nnkit_numpy.native.kernels import ADDRESSES, Kernels
from nnkit_numpy.native.look import looks
from nnkit_numpy.native.loops import loops
from nnkit_numpy.native.passes import MEET, ROWS, WAIT, Lines, copy, indented
from nnkit_numpy.native.phases import fused
from nnkit_numpy.native.tiles import ITEMS
from nnkit_numpy.native.touch import PARTS, Touch, touch, touches

# Kept apart, and as if others called them too: a sum is then of one order, whatever the code around it.
TOTAL = """
@export
@apart
@loose
def total_DTYPE(x: DTYPE[:], start, lo, hi) -> DTYPE:
    s = DTYPE(0)
    for i in range(start + lo, start + hi):
        s += x[i]
    return s
"""
ROW_TOTAL = """
@export
@apart
@loose
def total_DTYPE_of_COUNT(x: DTYPE[:], start) -> DTYPE:
    s = DTYPE(0)
    for i in range(COUNT):
        s += x[start + i]
    return s
"""
_ROW_TOTAL = re.compile(r"\btotal_(\w+)_of_(\d+)\(")
# Threads divide a loop evenly; a long one at cache lines, so that no two of them write to one.
CREW = """
def begin(n, rank) -> int64:
    if rank == THREADS:
        return n
    return n * rank // THREADS if n < 64 * THREADS else n // 16 * rank // THREADS * 16


def row(n, rank) -> int64:
    return n * rank // THREADS


def meet(gate, before, alone: bool) -> int64:
    if alone:
        return before
    target = before + THREADS
    arrive(gate)
    wait(gate, target)
    return target
"""


@dataclass(frozen=True, slots=True)
class Source:
    """The text, and the positions of the values whose addresses (and numbers of rows) it takes, in their order."""

    text: str
    inputs: tuple[int, ...]


def source(plan: Plan, timed: bool = False) -> Source:
    """``run(addresses, steps, who)``, called by each thread with its number, or with -1 by one that does all the work.

    Addresses are those of ``kernels.ADDRESSES``, and then address and number of rows of each input. If ``timed``, it
    also adds up how long each step of the plan takes, and what comes after them.
    """
    found = looks(plan)
    buffers = [i for i, look in found.items() if look.buffer == f"b{i}"]
    kernels = Kernels({i: plan.graph.nodes[i].dtype for i in buffers})
    body = _body(plan, found, Crew(plan.threads, kernels), timed)
    lines = ["met, alone = 0, who < 0", f"first, last = 0 if alone else who, {plan.threads} if alone else who + 1"]
    if plan.threads > 1:
        lines += ["met = meet(addresses[1], met, alone)", f"if arrived(addresses[1]) >= {ABORT}:", "    return 0"]
    if timed:
        lines.append(f"counted = array(addresses[{ADDRESSES.index('ticks')}], int64)")
    lines += ["for done in range(count):", *indented(body), "return count"]
    # Every function takes time to compile: those that nothing calls are left out.
    helpers = [TOTAL.replace("DTYPE", dtype) for dtype in ITEMS if f"total_{dtype}(" in kernels.text]
    for dtype, count in dict.fromkeys(_ROW_TOTAL.findall(kernels.text)):
        helpers.append(ROW_TOTAL.replace("DTYPE", dtype).replace("COUNT", count))
    helpers += [WAIT, CREW.replace("THREADS", str(plan.threads))] if plan.threads > 1 else []
    steps = "\n".join([STEPS, *indented(lines)])
    return Source("\n".join([*helpers, kernels.text, "", steps, RUN]), tuple(buffers))


STEPS = """
def steps(addresses: int64[:], count, who) -> int64:"""
RUN = """

@export
def run(addresses: int64[:], count, who) -> int64:
    before = flush()
    done = steps(addresses, count, who)
    restore(before)
    return done
"""


def _body(plan: Plan, found: dict[int, Look], crew: Crew, timed: bool) -> Lines:
    guard = None if plan.guard is None else found[plan.guard].at([])
    if timed:
        crew.tick(0)
    for number, step in enumerate(plan.steps):
        if number == plan.computed and guard:
            crew.leave_unless(guard)
        for code, touched in _pieces(plan, step, found):
            crew.add(code, step.shared, touched)
        if timed:
            crew.tick(number)
    if plan.computed == len(plan.steps) and guard:
        crew.leave_unless(guard)
    staged = {c.state: _staged(plan, c.new, c.stage) for c in plan.copies if c.stage >= 0}
    for c in plan.copies:
        if c.state in staged:
            crew.add(copy(found[c.new], staged[c.state]), False, _copied(plan, c, found[c.new], staged[c.state]))
    for c in plan.copies:
        source = staged.get(c.state, found[c.new])
        crew.add(copy(source, found[c.state]), False, _copied(plan, c, source, found[c.state]))
    if timed:
        crew.tick(len(plan.steps))
    return crew.end() or ["pass"]


def _staged(plan: Plan, new: int, offset: int) -> Look:
    node = plan.graph.nodes[new]
    shape = fixed(node.shape)
    return Look(f"a_{node.dtype}", offset * max(node.size, 1) // max(node.nbytes, 1), shape, steps(shape))


def _copied(plan: Plan, pair: Copy, source: Look, target: Look) -> list[Touch]:
    dtype = plan.graph.nodes[pair.new].dtype
    return [*touch(source, dtype, writes=False), *touch(target, dtype, writes=True)]


def _pieces(plan: Plan, step: Step, found: dict[int, Look]) -> Iterator[tuple[Lines, list[Touch]]]:
    """The code of a step and what it touches; that of a pass over all parameters goes from array to array."""
    divided = step.shared and plan.threads > 1
    for places in _arrays(plan, step, found) if divided and step.kernel == "fused" else [found]:
        code = _step(plan, step, places)
        rows = next((int(match[1]) for line in code if (match := ROWS.search(line))), 0)
        yield code, touches(plan, step, places, rows) + ([PARTS] if MEET in code else [])


def _arrays(plan: Plan, step: Step, found: dict[int, Look]) -> Iterator[Mapping[int, Look]]:
    """The looks of the values that a pass needs: at each parameter as a matrix, if it is over all of them as a vector.

    The thread that computed a part of a gradient then updates the same part of the parameter, which is in its cache.
    """
    shape = found[step.nodes[0]].shape
    values = dict.fromkeys(v for i in step.nodes for v in (i, *plan.graph.nodes[i].inputs))
    whole = [v for v in values if found[v].shape == shape and not found[v].text]
    joined = next((node for v, node in plan.graph if node.operation == "concat" and found[v].shape == shape), None)
    lone = all(plan.graph.nodes[i].shape == shape for i in step.nodes)
    if joined is None or len(shape) != 1 or not lone or any(found[v].strides != (1,) for v in whole):
        yield found
        return
    start = 0
    for part in joined.inputs:
        node = plan.graph.nodes[part]
        node = plan.graph.nodes[node.inputs[0]] if node.operation == "reshape" else node
        extents = fixed(node.shape)
        yield found | {v: Look(found[v].buffer, found[v].offset + start, extents, steps(extents)) for v in whole}
        start += prod(extents)


def _step(plan: Plan, step: Step, found: Mapping[int, Look]) -> Lines:
    if step.kernel == "fused":
        return fused(plan, step, found)
    (i,) = step.nodes
    return _joined(plan, i, found) if step.kernel == "concat" else loops(plan.graph, i, found)


def _joined(plan: Plan, i: int, found: Mapping[int, Look]) -> Lines:
    """Copies of the parts of a concatenation that were not computed in their place."""
    node, out = plan.graph.nodes[i], found[i]
    axis, start, lines = node.options["axis"], 0, []
    offset = plan.slots[i].offset
    for part in node.inputs:
        extent = found[part].shape[axis]
        if axis or part_offset(plan.graph, part, plan.slots) != offset:
            moved = out.offset + start * out.strides[axis]
            lines += copy(found[part], Look(out.buffer, moved, found[part].shape, out.strides))
        start += extent
        offset += plan.graph.nodes[part].nbytes
    return lines
