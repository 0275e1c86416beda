"""Order: which values are views, which nodes run in one fused pass, and where computing ends and committing begins."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.graph.ir import Graph, Node
from nnkit.plan.passes import Pass
from nnkit.plan.target import Target

VIEWS = ("reshape", "permute_dims", "slice", "broadcast_to", "flip")
GUARD = "guard"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Groups of nodes in the order in which they run; the first ``computed`` groups write no state."""

    groups: tuple[tuple[int, ...], ...]
    computed: int
    views: frozenset[int]


def guarded(graph: Graph) -> list[int]:
    """What the guard of a training step looks at: the nodes that it asks whether they are finite, as recorded."""
    asked = (graph.nodes[i] for i in sorted(graph.ancestors([graph.output[GUARD]])))
    return [node.inputs[0] for node in asked if node.operation == "isfinite" and node.origin.phase == "update"]


def schedule(graph: Graph, target: Target, fuse: bool, transposes_are_views: bool, crosses: bool = False) -> Schedule:
    """The order of recording, in which elementwise nodes are pulled forward to the pass that made their operand.

    Where the target can, a pass also reduces: rows on its way, and all of its values in the end. ``crosses`` lets it go
    on from the forward into the backward computation.
    """
    views = _views(graph, target, transposes_are_views)
    early = graph.ancestors(_results(graph))
    work = [i for i, node in graph if node.operation not in ("input", "constant", "arange") and i not in views]
    compute = _groups(graph, [i for i in work if i in early], views, target, fuse, crosses)
    commit = _groups(graph, [i for i in work if i not in early], views, target, fuse, crosses)
    return Schedule((*compute, *commit), len(compute), frozenset(views))


def _results(graph: Graph) -> list[int]:
    """What must be known before any state is written: the guard, or every output that is not a state."""
    if GUARD in graph.output:
        return [graph.output[GUARD], *(i for name, i in graph.outputs if name.startswith("unused:"))]
    new_states = set(graph.state.values())
    return [i for i in graph.output.values() if i not in new_states]


def _groups(
    graph: Graph, work: list[int], views: set[int], target: Target, fuse: bool, crosses: bool
) -> list[tuple[int, ...]]:
    waiting = dict.fromkeys(work)
    groups: list[tuple[int, ...]] = []
    while waiting:
        found = Pass(graph, target, views, waiting, crosses)
        if fuse and found.grows:
            found.grow()
        groups.append(found.group)
    return groups


def _views(graph: Graph, target: Target, transposes: bool) -> set[int]:
    """Nodes that are another look at their operand's memory. What is no view is copied, and so contiguous."""
    views: set[int] = set()
    contiguous: dict[int, bool] = {}
    old = _old_states(graph)
    for i, node in graph:
        contiguous[i] = True
        if node.operation not in VIEWS or i in old or _copied_by_products(graph, i, node):
            continue
        if _may_view(graph, node, transposes, contiguous[node.inputs[0]]):
            views.add(i)
            contiguous[i] = contiguous[node.inputs[0]] and _stays_contiguous(graph, node)
    return views


def _old_states(graph: Graph) -> set[int]:
    """Outputs that look at a state as it was before the step, which must not change when the state does."""
    found = set()
    for name, i in graph.outputs:
        root = i
        while graph.nodes[root].operation in VIEWS:
            root = graph.nodes[root].inputs[0]
        if name not in graph.inputs and graph.state.get(root, root) != root:
            found.add(i)
    return found


def _may_view(graph: Graph, node: Node, transposes: bool, contiguous: bool) -> bool:
    if node.operation == "permute_dims":
        return transposes
    if node.operation == "reshape" and not contiguous:
        squeezed = [[e for e in shape if e != 1] for shape in (node.shape, graph.nodes[node.inputs[0]].shape)]
        return squeezed[0] == squeezed[1]
    return True


def _copied_by_products(graph: Graph, i: int, node: Node) -> bool:
    """A matrix product copies repeated or reversed operands at each call; one copy that the plan knows of is better."""
    read = any(graph.nodes[user].operation == "matmul" for user in graph.users[i])
    return read and node.operation in ("broadcast_to", "flip")


def _stays_contiguous(graph: Graph, node: Node) -> bool:
    if node.operation == "reshape":
        return True
    source = graph.nodes[node.inputs[0]].shape
    if node.operation == "permute_dims":
        moved = [axis for axis in node.options["axes"] if source[axis] != 1]
        return moved == sorted(moved)
    if node.operation == "slice":
        cut = [axis for axis, extent in enumerate(source) if extent != node.shape[axis]]
        return set(node.options["step"]) == {1} and all(e == 1 for e in node.shape[: max(cut, default=0)])
    if node.operation == "flip":
        return all(source[axis] == 1 for axis in node.options["axis"])
    return node.shape == source
