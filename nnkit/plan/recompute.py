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
from nnkit.plan.chain import FREE, events, front, restarts
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
    made = {len(choices): whole}

    def fits(number: int) -> bool:
        if number not in made:
            made[number] = lay_out(repeated(measured.cut, events(choices[number])))
        return made[number].arena_bytes <= limit

    fitting, large = 0, len(choices)  # the front goes from the smallest and dearest to the largest and cheapest
    while large - fitting > 1:
        middle = (fitting + large) // 2
        fitting, large = (middle, large) if fits(middle) else (fitting, middle)
    if not fits(fitting):
        for number, choice in enumerate(choices):
            if choice.peak < min(plan.arena_bytes for plan in made.values()):
                fits(number)
        if len(measured.stages) <= FREE:
            made[-1] = _refined(len(measured.stages), lambda run: lay_out(repeated(measured.cut, run)), limit)
    return min(made.values(), key=lambda plan: (max(plan.arena_bytes, limit), plan.cost.seconds, plan.arena_bytes))


def _refined(count: int, lay_out: Callable[[Iterable[tuple[str, int]]], Plan], limit: int) -> Plan:
    """The plan that keeps nothing and then, where it fits the limit, begins each repetition as late as it can.

    It meets a limit that no choice of the chain does: the sizes of values do not tell where memory has gaps.
    """
    starts = [0] * count
    found = lay_out(restarts(starts))
    for stage in reversed(range(count - 1)) if found.arena_bytes <= limit else ():
        for start in range(stage + 1, 0, -1):
            later = lay_out(restarts([*starts[:stage], start, *starts[stage + 1 :]]))
            if later.arena_bytes <= limit and later.cost.seconds < found.cost.seconds:
                found, starts[stage] = later, start
                break
    return found


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
        # A phase of its own for each place: no pass may draw a repetition forward to an earlier one.
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
