"""States in another data type, kept from step to step: weights as halves, which the products read.

A step would begin by converting all of them. Instead, whoever writes the new state writes it in the other type as well,
in the same pass; the conversion itself runs only where somebody else may have written the state since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from nnkit.graph.ir import Graph
from nnkit.plan import Plan
from nnkit.plan.storage import Slot
from nnkit_cupy.source.passes import is_one_loop
from nnkit_cupy.source.types import HALVES


class Mirrored(NamedTuple):
    """A plan whose updates write the conversions too, the steps that make those at first, and of which states."""

    plan: Plan
    steps: frozenset[int]
    states: tuple[str, ...]


def mirrored(plan: Plan) -> Mirrored:
    """With every conversion of a state that can be kept."""
    graph, slots, steps = list(plan.graph.nodes), dict(plan.slots), list(plan.steps)
    at = {i: number for number, step in enumerate(steps) for i in step.nodes}
    first, states = set(), []
    for i, node in plan.graph:
        if node.operation != "astype" or node.dtype not in HALVES or not _kept(plan, at, i):
            continue
        state = node.inputs[0]
        made = plan.graph.state[state]
        graph.append(replace(node, inputs=(made,)))
        slots[len(graph) - 1] = slots[i]
        number = at[made]
        steps[number] = replace(steps[number], nodes=(*steps[number].nodes, len(graph) - 1))
        first.add(at[i])
        states.append(plan.graph.nodes[state].options["name"])
    if not first:
        return Mirrored(plan, frozenset(), ())
    extended = replace(plan, graph=Graph(tuple(graph), plan.graph.outputs), slots=slots, steps=tuple(steps))
    return Mirrored(extended, frozenset(first), tuple(states))


def _kept(plan: Plan, at: Mapping[int, int], i: int) -> bool:
    """Whether a conversion has a step and memory for itself, and its state is written by one pass over its elements."""
    state = plan.graph.nodes[i].inputs[0]
    made = plan.graph.state.get(state)
    if made is None or i not in at or made not in at or plan.steps[at[i]].nodes != (i,):
        return False
    return is_one_loop(plan, plan.steps[at[made]]) and plan.slots[made].kind == "state" and alone(plan, i)


def alone(plan: Plan, i: int) -> bool:
    """Whether a value has memory in the arena that no other value, and no copy, ever takes."""
    slot = plan.slots[i]
    if slot.kind != "arena" or slot.tiled:
        return False
    others = [other for k, other in plan.slots.items() if k != i and other.kind == "arena" and not other.tiled]
    staged = [Slot("arena", offset=c.stage, nbytes=plan.graph.nodes[c.new].nbytes) for c in plan.copies if c.stage >= 0]
    return not any(
        other.offset < slot.offset + slot.nbytes and slot.offset < other.offset + other.nbytes
        for other in (*others, *staged)
    )
