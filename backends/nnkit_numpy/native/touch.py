"""What the pieces of a program read and write, and which thread which part: whether threads must meet in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnkit.graph.ir import Node
from nnkit.plan import Plan, Step
from nnkit.plan.look import Look
from nnkit.plan.passes import goes_along

Part = tuple[int, ...]
ALONE: Part = ()
"""All of it, by the first thread."""


class Touch(NamedTuple):
    """Bytes of a buffer that a piece reads or writes; None as ``part`` if a thread may touch those of another."""

    buffer: str
    first: int
    last: int
    writes: bool
    part: Part | None

    def hinders(self, other: Touch) -> bool:
        """Whether one thread must not be here while another is still there."""
        if self.buffer != other.buffer or not (self.writes or other.writes):
            return False
        if self.last <= other.first or other.last <= self.first:
            return False
        same = self.part is not None and self.part == other.part
        return not same or (self.part != ALONE and (self.first, self.last) != (other.first, other.last))


PARTS = Touch("parts", 0, 1, True, None)
"""What threads found on their way to one number."""


def touch(look: Look, dtype: str, writes: bool, rows: int = 0) -> Iterator[Touch]:
    """How a value in memory is touched by a piece that divides so many rows, or otherwise."""
    if look.text:
        return
    size = np.dtype(dtype).itemsize
    reach = [(extent - 1) * stride for extent, stride in zip(look.shape, look.strides, strict=True)]
    first = look.offset + sum(min(0, each) for each in reach)
    last = look.offset + sum(max(0, each) for each in reach) + 1
    buffer = "arena" if look.buffer.startswith("a_") else look.buffer
    own = rows and look.shape and look.shape[0] == rows and min(reach) >= 0 and look.strides[0] > sum(reach[1:])
    yield Touch(buffer, first * size, last * size, writes, (rows, look.strides[0] * size) if own else None)


def touches(plan: Plan, step: Step, looks: Mapping[int, Look], rows: int) -> list[Touch]:
    """Of a step whose code divides so many rows, or something else if 0."""
    graph, first = plan.graph, plan.graph.nodes[step.nodes[0]]
    fused = step.kernel == "fused"
    rows = rows if first.operation in OWN or fused else 0
    common = _common(first)
    found: list[Touch] = []
    for i, value, writes in _used(plan, step):
        along = goes_along(graph, step.nodes, i, value) if fused else value not in common
        found += touch(looks[value], graph.nodes[value].dtype, writes, rows if along else 0)
    return found


def _used(plan: Plan, step: Step) -> Iterator[tuple[int, int, bool]]:
    """(node, value, whether it is written) of all that is in memory; what a pass writes it reads as its own."""
    members = set(step.nodes)
    for i in step.nodes:
        for value in plan.graph.nodes[i].inputs:
            if value not in members:
                yield i, value, False
        if not plan.slots[i].tiled:
            yield i, i, True


OWN = frozenset(("matmul", "take", "sum", "max", "min", "argmax", "argmin"))
"""Operations whose results have the rows that a thread went through, from the same rows of their operands."""


def _common(node: Node) -> tuple[int, ...]:
    """Operands, all of whose rows every thread reads all the same."""
    if node.operation == "take":
        return node.inputs
    if node.operation != "matmul":
        return ()
    return node.inputs if node.options.get("transpose_a") else node.inputs[1:]


def hinder(new: Sequence[Touch], before: Sequence[Touch]) -> bool:
    """Whether any of these must wait for one of those."""
    return any(one.hinders(other) for one in new for other in before)
