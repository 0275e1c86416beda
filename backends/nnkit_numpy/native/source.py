"""From a plan to the source of one function that runs many whole steps."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.plan import Plan, Step
from nnkit.plan.planner import part_offset
from nnkit_numpy.native.crew import Crew
from nnkit_numpy.native.helpers import ABORT
from nnkit_numpy.native.kernels import Kernels
from nnkit_numpy.native.look import Look, fixed, looks, steps
from nnkit_numpy.native.loops import loops
from nnkit_numpy.native.passes import Lines, copy, fused, indented

HELPERS = "\n".join(
    f"""
@kernel("({dtype}[::1], int64, int64, int64)", fastmath={{"reassoc", "contract", "nsz"}})
def total_{dtype}(x, start, lo, hi):
    s = np.{dtype}(0)
    for i in range(start + lo, start + hi):
        s += x[nth(i)]
    return s
"""
    for dtype in ("float32", "float64")
)
# Threads divide a loop evenly; a long one at cache lines, so that no two of them write to one.
CREW = """
@kernel("int64(int64, int64)")
def begin(n, rank):
    if rank == THREADS:
        return n
    return n * rank // THREADS if n < 64 * THREADS else n // 16 * rank // THREADS * 16


@kernel("int64(int64, int64, boolean)")
def meet(gate, before, alone):
    if alone:
        return before
    target = before + THREADS
    arrive(gate)
    looked = 0
    while arrived(gate) < target:
        looked += 1
        if looked < 2000:
            pause()
        else:
            rest()
    return target
"""


@dataclass(frozen=True, slots=True)
class Source:
    """The text, and the positions of the values whose addresses (and numbers of rows) it takes, in their order."""

    text: str
    inputs: tuple[int, ...]


def source(plan: Plan) -> Source:
    """``run(addresses, steps, who)``, called by each thread with its number, or with -1 by one that does all the work.

    Addresses are those of ``kernels.ADDRESSES``, and then address and number of rows of each input.
    """
    found = looks(plan)
    buffers = [i for i, look in found.items() if look.buffer == f"b{i}"]
    kernels = Kernels({i: plan.graph.nodes[i].dtype for i in buffers})
    body = _body(plan, found, Crew(plan.threads, kernels))
    lines = ["met, alone = 0, who < 0", f"first, last = (0, {plan.threads}) if alone else (who, who + 1)"]
    if plan.threads > 1:
        lines += ["met = meet(addresses[1], met, alone)", f"if arrived(addresses[1]) >= {ABORT}:", "    return 0"]
    lines += ["for done in range(count):", *indented(body), "return count"]
    crew = CREW.replace("THREADS", str(plan.threads))
    steps = "\n".join([STEPS, *indented(lines)])
    return Source("\n".join([HELPERS, crew, kernels.text, "", steps, RUN]), tuple(buffers))


STEPS = """
@kernel("int64(int64[::1], int64, int64)")
def steps(addresses, count, who):"""
RUN = """

@njit("int64(int64[::1], int64, int64)", nogil=True, cache=CACHE)
def run(addresses, count, who):
    before = flush()
    done = steps(addresses, count, who)
    restore(before)
    return done
"""


def _body(plan: Plan, found: dict[int, Look], crew: Crew) -> Lines:
    guard = None if plan.guard is None else found[plan.guard].at([])
    for number, step in enumerate(plan.steps):
        if number == plan.computed and guard:
            crew.leave_unless(guard)
        crew.add(_step(plan, step, found), step.shared)
    if plan.computed == len(plan.steps) and guard:
        crew.leave_unless(guard)
    staged = {c.state: _staged(plan, c.new, c.stage) for c in plan.copies if c.stage >= 0}
    for c in plan.copies:
        crew.add(copy(found[c.new], staged[c.state]) if c.state in staged else [], shared=False)
    for c in plan.copies:
        crew.add(copy(staged.get(c.state, found[c.new]), found[c.state]), shared=False)
    return crew.end() or ["pass"]


def _staged(plan: Plan, new: int, offset: int) -> Look:
    node = plan.graph.nodes[new]
    shape = fixed(node.shape)
    return Look(f"a_{node.dtype}", offset * max(node.size, 1) // max(node.nbytes, 1), shape, steps(shape))


def _step(plan: Plan, step: Step, found: dict[int, Look]) -> Lines:
    if step.kernel == "fused":
        return fused(plan, step, found)
    (i,) = step.nodes
    return _joined(plan, i, found) if step.kernel == "concat" else loops(plan.graph, i, found)


def _joined(plan: Plan, i: int, found: dict[int, Look]) -> Lines:
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
