"""A fused pass: one loop over elements, or loops over pieces of rows, one for each phase."""

from __future__ import annotations

from collections.abc import Mapping

from nnkit.plan import Plan, Step
from nnkit.plan.look import Look
from nnkit.plan.passes import is_elementwise, phases
from nnkit_numpy.native.loops import loops
from nnkit_numpy.native.passes import ROWS, Lines, elements, indented, share_rows


def fused(plan: Plan, step: Step, looks: Mapping[int, Look]) -> Lines:
    """All phases of the pass. A thread goes through its rows alone, from the first phase to the last."""
    parts = phases(plan.graph, step.nodes)
    if len(parts) == 1:
        return elements(plan, parts[0], looks)
    lines: Lines = []
    for part in parts:
        one = is_elementwise(plan.graph.nodes[part[0]])
        lines += elements(plan, part, looks, by_rows=True) if one else loops(plan.graph, part[0], looks)
    return pieces(lines, looks[step.nodes[0]].shape[0], step.tile) if step.tile else lines


def pieces(lines: Lines, rows: int, most: int) -> Lines:
    """Loops over rows, done for so many of them at a time, so that the next finds what the last one wrote near."""
    piece = [ROWS.sub(r"low * \2, high * \2", line) for line in lines]
    inner = [f"high = low + {most} if low + {most} < end else end", *piece, "low = high"]
    return [f"low, end = {share_rows(rows)}", "while low < end:", *indented(inner)]
