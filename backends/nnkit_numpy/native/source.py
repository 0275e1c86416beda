"""From a plan to the source of one function that runs many whole steps."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.plan import Plan, Step
from nnkit.plan.planner import part_offset
from nnkit_numpy.native.look import Look, fixed, looks, steps
from nnkit_numpy.native.loops import loops
from nnkit_numpy.native.passes import Lines, copy, fused, indented

FREE = 1 << 40  # elements of a data set as far as the code can tell; the host checks every index on entry
HELPERS = "\n".join(
    f"""
@njit(error_model="numpy", nogil=True, fastmath={{"reassoc", "contract", "nsz"}})
def total_{dtype}(x, start, count):
    s = 0.0
    for i in range(start, start + count):
        s += x[i]
    return s
"""
    for dtype in ("float32", "float64")
)


@dataclass(frozen=True, slots=True)
class Source:
    """The text, and the positions of the values whose addresses (and numbers of rows) it takes, in their order."""

    text: str
    inputs: tuple[int, ...]


def source(plan: Plan) -> Source:
    """``run(addresses, steps)``: the arena's address, then address and number of rows of each input."""
    found = looks(plan)
    buffers = [i for i, look in found.items() if look.buffer == f"b{i}"]
    lines = [
        f"a_{dtype} = carray(pointer(addresses[0]), ({FREE},), np.{_numpy(dtype)})"
        for dtype in dict.fromkeys(node.dtype for _, node in plan.graph)
    ]
    for place, i in enumerate(buffers):
        dtype, shape = plan.graph.nodes[i].dtype, plan.graph.nodes[i].shape
        count = FREE if None in shape else max(1, steps((1, *fixed(shape)))[0])
        lines.append(f"b{i} = carray(pointer(addresses[{1 + 2 * place}]), ({count},), np.{_numpy(dtype)})")
        lines.append(f"n_b{i} = addresses[{2 + 2 * place}]")
    lines += ["for done in range(count):", *indented(_body(plan, found)), "return count"]
    body = "\n".join(indented(lines))
    return Source(f"{HELPERS}\n{STEPS}\ndef steps(addresses, count):\n{body}\n{RUN}", tuple(buffers))


STEPS = '@njit("int64(int64[::1], int64)", error_model="numpy", nogil=True)'
RUN = """

@njit("int64(int64[::1], int64)", nogil=True, cache=CACHE)
def run(addresses, count):
    before = flush()
    done = steps(addresses, count)
    restore(before)
    return done
"""


def _numpy(dtype: str) -> str:
    return "bool_" if dtype == "bool" else dtype


def _body(plan: Plan, found: dict[int, Look]) -> Lines:
    guard = [] if plan.guard is None else [f"if not {found[plan.guard].at([])}:", "    return done"]
    body: Lines = []
    for number, step in enumerate(plan.steps):
        body += guard if number == plan.computed else []
        body += _step(plan, step, found)
    body += guard if plan.computed == len(plan.steps) else []
    staged = {c.state: _staged(plan, c.new, c.stage) for c in plan.copies if c.stage >= 0}
    for c in plan.copies:
        body += copy(found[c.new], staged[c.state]) if c.state in staged else []
    for c in plan.copies:
        body += copy(staged.get(c.state, found[c.new]), found[c.state])
    return body or ["pass"]


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
