"""Order: which values are views, which nodes run in one fused pass, and where computing ends and committing begins."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from nnkit.graph.ir import Graph, Node
from nnkit.graph.primitives import PRIMITIVES
from nnkit.plan.target import Target

VIEWS = ("reshape", "permute_dims", "slice", "broadcast_to", "flip")
GUARD = "guard"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Groups of nodes in the order in which they run; the first ``computed`` groups write no state."""

    groups: tuple[tuple[int, ...], ...]
    computed: int
    views: frozenset[int]


def is_elementwise(node: Node) -> bool:
    """Whether the node is one pass over its elements."""
    return PRIMITIVES[node.operation].family == "elementwise"


def schedule(graph: Graph, target: Target, fuse: bool, transposes_are_views: bool) -> Schedule:
    """The order of recording, in which elementwise nodes are pulled forward to the pass that made their operand.

    Where the target can, a pass ends in reductions of its own values.
    """
    views = _views(graph, target, transposes_are_views)
    early = graph.ancestors(_results(graph))
    work = [i for i, node in graph if node.operation not in ("input", "constant", "arange") and i not in views]
    compute = _groups(graph, [i for i in work if i in early], views, fuse, target.folds)
    commit = _groups(graph, [i for i in work if i not in early], views, fuse, target.folds)
    return Schedule((*compute, *commit), len(compute), frozenset(views))


def _results(graph: Graph) -> list[int]:
    """What must be known before any state is written: the guard, or every output that is not a state."""
    if GUARD in graph.output:
        return [graph.output[GUARD], *(i for name, i in graph.outputs if name.startswith("unused:"))]
    new_states = set(graph.state.values())
    return [i for i in graph.output.values() if i not in new_states]


def _groups(graph: Graph, work: list[int], views: set[int], fuse: bool, folds: frozenset[str]) -> list[tuple[int, ...]]:
    waiting = dict.fromkeys(work)
    groups: list[tuple[int, ...]] = []
    while waiting:
        first = next(iter(waiting))
        members = [first]
        del waiting[first]
        if fuse and is_elementwise(graph.nodes[first]):
            _grow(graph, members, waiting, views, folds)
        groups.append(tuple(members))
    return groups


def _grow(graph: Graph, members: list[int], waiting: dict[int, None], views: set[int], folds: frozenset[str]) -> None:
    """Add nodes of the same shape and phase whose operands are all known, while each reads a member or comes next."""
    shape, phase = graph.nodes[members[0]].shape, graph.nodes[members[0]].origin.phase
    inside = set(members)
    readers = list(graph.users[members[0]])  # a heap: the earliest first

    def joins(i: int) -> bool:
        node = graph.nodes[i]
        alike = is_elementwise(node) and node.shape == shape
        alike = alike or (node.operation in folds and node.size == 1 and shape != () and node.inputs[0] in inside)
        return i in waiting and alike and node.origin.phase == phase and _ready(graph, node, inside, waiting, views)

    while waiting:
        found = next(iter(waiting))
        while not joins(found):
            if not readers:
                return
            found = heappop(readers)  # one that is not ready yet comes back with the operand that it waits for
        members.append(found)
        inside.add(found)
        del waiting[found]
        for reader in graph.users[found]:
            heappush(readers, reader)


def _ready(graph: Graph, node: Node, members: set[int], waiting: dict[int, None], views: set[int]) -> bool:
    """Whether no operand, looked at through views, still waits.

    A view of a member, and what a pass folds into one number, are there at its end.
    """
    for operand in node.inputs:
        root = operand
        while root in views:
            root = graph.nodes[root].inputs[0]
        if root in waiting or (root in members and (root != operand or not is_elementwise(graph.nodes[root]))):
            return False
    return True


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
