"""Keep or recompute: values of the forward pass are computed again in the backward pass where memory is limited.

A choice becomes a graph in which stages of the forward pass stand again just before the part of the backward pass that
reads them: the same operations on the same values, random bits included, and so the same bits. A node reads the latest
copy of its operand; an earlier copy that nobody reads any more frees its memory. Whether a choice fits is what the
allocator says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from nnkit.graph.ir import Graph, Node, Origin
from nnkit.plan.chain import events, front
from nnkit.plan.profile import Profile, chain
from nnkit.plan.rewrites import swept
from nnkit.plan.stages import Stages, stages

if TYPE_CHECKING:
    from nnkit.plan.planner import Plan

PHASE = "recompute"


def within(whole: Plan, profile: Profile, lay_out: Callable[[Graph], Plan], limit: int) -> Plan:
    """The cheapest plan that fits the limit, or the smallest of all if none does.

    ``whole`` keeps everything; ``lay_out`` plans a graph without rewriting it.
    """
    measured = chain(stages(whole.graph, profile.order, whole.target.alignment), profile)
    choices = front(measured.stages, measured.pinned)
    made: dict[int, Plan] = {}

    def fits(number: int) -> bool:
        if number not in made:
            made[number] = lay_out(repeated(measured.cut, events(choices[number])))
        return made[number].arena_bytes <= limit

    smallest, dearest = 0, len(choices)  # the front goes from the smallest and dearest to the largest and cheapest
    while dearest - smallest > 1:
        middle = (smallest + dearest) // 2
        smallest, dearest = (middle, dearest) if fits(middle) else (smallest, middle)
    if not fits(smallest):
        for number in range(len(choices)):
            fits(number)
    found = [whole, *made.values()]
    fitting = [plan for plan in found if plan.arena_bytes <= limit]
    if fitting:
        return min(fitting, key=lambda plan: (plan.cost.seconds, plan.arena_bytes))
    return min(found, key=lambda plan: (plan.arena_bytes, plan.cost.seconds))


def repeated(cut: Stages, run: Iterable[tuple[str, int]]) -> Graph:
    """The graph that runs parts of the forward and the backward pass in this order (see ``chain.events``)."""
    graph, members = cut.forward.graph, _members(cut)
    before = _insertions(cut, run)
    nodes: list[Node] = []
    latest: dict[int, int] = {}

    def add(i: int, origin: Origin) -> None:
        node = graph.nodes[i]
        inputs = tuple(latest[operand] for operand in node.inputs)
        latest[i] = len(nodes)
        nodes.append(Node(node.operation, inputs, node.attributes, node.shape, node.dtype, origin))

    outputs: dict[int, int] = {}
    for i, node in graph:
        for stage in before.get(i, ()):
            for again in members[stage]:
                origin = graph.nodes[again].origin
                add(again, Origin(origin.path, origin.source, f"{PHASE} {i}"))
        add(i, node.origin)
        outputs[i] = latest[i]
    return swept(Graph(tuple(nodes), tuple((name, outputs[i]) for name, i in graph.outputs)))


def _members(cut: Stages) -> list[list[int]]:
    """What is computed again with each stage: its values and the views of them."""
    forward = cut.forward
    found: list[list[int]] = [[] for _ in cut.crossing]
    for i, root in forward.root.items():
        if root in forward.values:
            found[cut.of[root]].append(i)
    return found


def _insertions(cut: Stages, run: Iterable[tuple[str, int]]) -> dict[int, list[int]]:
    """The stages that are computed again before a node of the backward pass, in order."""
    starts: dict[int, int] = {}
    for reader, stage in cut.backward.items():
        starts.setdefault(stage, reader)
    found: dict[int, list[int]] = {}
    running: list[int] = []
    begun = False  # what runs before the first part of the backward pass is the forward pass itself
    for kind, stage in run:
        if kind == "forward":
            running += [stage] if begun else []
        else:
            begun = True
            if stage in starts:
                found[starts[stage]] = running
                running = []
    return found
