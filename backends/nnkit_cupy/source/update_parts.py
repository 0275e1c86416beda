"""An update in two parts, so that the next step begins when the first layers have their new weights.

The first product of a step waits for the update of its weights, and for nothing else; the other part is written beside
it. Where a vector is large, memory is busy anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnkit.graph.dtypes import itemsize
from nnkit.plan import Plan, Step
from nnkit.plan.look import Look
from nnkit_cupy.source.order import ALL, Region, touched
from nnkit_cupy.source.passes import fused, is_one_loop
from nnkit_cupy.source.pieces import WIDTH, Piece

LEAST, MOST = 1 << 17, 1 << 22
"""Elements of such a vector."""


def in_parts(plan: Plan, step: Step, looks: dict[int, Look], elsewhere: Mapping[int, Look]) -> Iterator[Piece]:
    """The two parts of a pass that writes a state, with what they touch; none where it stays whole."""
    count, at = _vector(plan, step), None
    if LEAST <= count <= MOST:
        at = _boundary(plan, step, count)
    if at is None:
        return
    for first, last in ((0, at), (at, count)):
        part = {i: _cut(look, count, first, last) for i, look in looks.items()}

        def of_part(i: int, place: Region, first: int = first, last: int = last) -> Region:
            nbytes = itemsize(plan.graph.nodes[i].dtype)
            whole = place.last == ALL and plan.slots[i].kind != "view"
            if looks[i].shape != (count,) or not (whole or place.last == place.first + count * nbytes):
                return place  # of which the vector is not all: a row of a matrix, or one from its end to its beginning
            return Region(place.buffer, place.first + first * nbytes, place.first + last * nbytes)

        yield replace(fused(plan, step, part), touched=touched(plan, step.nodes, elsewhere, of_part))


def _vector(plan: Plan, step: Step) -> int:
    """The length of the vector of which a pass writes states; 0 if it does something else."""
    if not is_one_loop(plan, step):
        return 0
    shape = plan.graph.nodes[step.nodes[0]].shape
    states = any(plan.slots[i].kind == "state" for i in step.nodes)
    same = all(plan.graph.nodes[i].shape == shape for i in step.nodes)
    return int(shape[0] or 0) if states and same and len(shape) == 1 else 0


def _boundary(plan: Plan, step: Step, count: int) -> int | None:
    """Where a matrix of weights begins, as near to the middle as may be, if both parts are worth a kernel."""
    nodes, users = plan.graph.nodes, plan.graph.users
    written = {plan.slots[i].ref for i in step.nodes if plan.slots[i].kind == "state"}
    written |= {user for i in written for user in users[i] if nodes[user].operation == "astype"}
    views = [view for i in written for view in users[i] if nodes[view].operation == "slice"]
    matrices = [view for view in views if any(nodes[user].operation == "reshape" for user in users[view])]
    starts = [int(nodes[view].options["start"][0]) for view in matrices]
    fits = [at for at in starts if at % WIDTH == 0 and count <= 4 * at <= 3 * count]
    return min(fits, key=lambda at: abs(2 * at - count), default=None)


def _cut(look: Look, count: int, first: int, last: int) -> Look:
    """Some of the elements of a vector of that length; others stay whole."""
    if look.shape != (count,) or look.text:
        return look
    return replace(look, offset=look.offset + first * look.strides[0], shape=(last - first,))
