"""Passes: which nodes run in one fused group, and in which phases.

A pass goes over an array (outer, inner). Its nodes have one value for each element or one for each row, and sums and
extrema of rows lead from the first to the second. It goes from phase to phase with a piece of the rows, and then with
the next: so the softmax of a large array is one pass over memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from nnkit.graph.ir import Graph, Node, Shape
from nnkit.graph.primitives import PRIMITIVES
from nnkit.plan.target import Target


def is_elementwise(node: Node) -> bool:
    """Whether the node is one pass over its elements."""
    return PRIMITIVES[node.operation].family == "elementwise"


def is_pass(graph: Graph, group: Sequence[int]) -> bool:
    """Whether the group is fused, be it of one node."""
    return len(group) > 1 or is_elementwise(graph.nodes[group[0]])


def space(graph: Graph, group: Sequence[int]) -> Shape:
    """The shape of the array that a pass goes over."""
    first = graph.nodes[group[0]]
    return first.shape if is_elementwise(first) else graph.nodes[first.inputs[0]].shape


def phases(graph: Graph, group: Sequence[int]) -> list[tuple[int, ...]]:
    """The parts of a pass in their order: elements of one shape, with what they fold into one number, or a reduction
    of rows. A node stands in the first part in which it can.
    """
    parts: list[list[int]] = []
    shapes: list[Shape | None] = []
    part_of: dict[int, int] = {}
    for i in group:
        node = graph.nodes[i]
        shape = node.shape if is_elementwise(node) else None
        known = [part_of[root] + (root != o) for o in node.inputs if (root := reshaped(graph, o)) in part_of]
        at = max(known, default=0)
        if shape is not None or node.size != 1 or not known:  # else it is folded on the way
            at = next((k for k in range(at, len(parts)) if shape is not None and shapes[k] == shape), len(parts))
        if at == len(parts):
            parts.append([])
            shapes.append(shape)
        parts[at].append(i)
        part_of[i] = at
    return [tuple(part) for part in parts]


def goes_along(graph: Graph, group: Sequence[int], i: int, value: int) -> bool:
    """Whether a node of a pass has, or reads, one row of a value for each row of the pass, not all of it for each."""
    whole, own, shape = space(graph, group), graph.nodes[i].shape, graph.nodes[value].shape
    return value == i or shape == whole or (len(shape) == len(own) and shape[:1] == whole[:1])


def reshaped(graph: Graph, i: int) -> int:
    """The value that this is, perhaps in another shape."""
    while graph.nodes[i].operation == "reshape":
        i = graph.nodes[i].inputs[0]
    return i


class Pass:
    """A group in the making: it begins with the first of the nodes that wait, and takes more of them."""

    def __init__(
        self, graph: Graph, target: Target, views: set[int], waiting: dict[int, None], crosses: bool = False
    ) -> None:
        self.graph, self.target, self.views, self.waiting = graph, target, views, waiting
        first = next(iter(waiting))
        self.phase, self.crosses = graph.nodes[first].origin.phase, crosses
        self.shape = space(graph, [first])
        many = len(self.shape) > 1 and self.shape[0] != 1 and self.shape[-1] != 1 and 0 not in self.shape
        self.column = (*self.shape[:-1], 1)
        self.row_shapes = (self.shape[:-1], self.column) if many else ()
        self.members: dict[int, str] = {}
        self._near: list[int] = []  # what may join next; a heap: the earliest first
        self._wanting: set[int] = set()
        self._kinds: set[str] = set()
        self._add(first)

    @property
    def grows(self) -> bool:
        """Whether it is a pass over elements or rows at all."""
        return "" not in self._kinds

    @property
    def group(self) -> tuple[int, ...]:
        """The members in the order in which they run."""
        return tuple(i for part in phases(self.graph, tuple(self.members)) for i in part)

    def grow(self) -> None:
        """Take nodes of its phase whose operands are all known, while each comes next, reads a member, or is what
        a reader waits for.
        """
        while self.waiting:
            found = next(iter(self.waiting))
            while not self._joins(found):
                if not self._near:
                    return
                found = heappop(self._near)
                self._want_operands(found)
            self._add(found)

    def _add(self, i: int) -> None:
        self.members[i] = self._kind(i)
        self._kinds.add(self.members[i])
        del self.waiting[i]
        for reader in self._readers_of(i):
            heappush(self._near, reader)

    def _want_operands(self, i: int) -> None:
        """Of a node that could join but for them; it comes back with the last that does."""
        if i in self.waiting and i not in self._wanting and self._kind(i):
            self._wanting.add(i)
            for operand in self.graph.nodes[i].inputs:
                if operand in self.waiting:
                    heappush(self._near, operand)

    def _joins(self, i: int) -> bool:
        if i not in self.waiting or not self._in_phase(i):
            return False
        kind = self._kind(i)
        if kind == "row" and is_elementwise(self.graph.nodes[i]) and not self._concerns(i):
            return False
        # What all rows are folded into is there at the end of the last one, and rows go piece by piece.
        apart = {"row": "number", "number": "row"}.get(kind)
        return kind != "" and apart not in self._kinds and self._ready(i)

    def _in_phase(self, i: int) -> bool:
        """Whether a node is of its phase. Rows go on from the forward into the backward computation, if they may."""
        phase = self.graph.nodes[i].origin.phase
        on = self.crosses and "row" in self._kinds and (self.phase, phase) == ("forward", "backward")
        return phase == self.phase or on

    def _kind(self, i: int) -> str:
        """Of what a node has a value: "element", "row", or all as one "number"; "" if it cannot join."""
        node = self.graph.nodes[i]
        if is_elementwise(node):
            return "element" if node.shape == self.shape else "row" if node.shape in self.row_shapes else ""
        if node.operation in self.target.folds and node.size == 1 and node.inputs[0] in self.members:
            return "number" if self.shape else ""
        return "row" if self.row_shapes and self._reduces_rows(node) else ""

    def _reduces_rows(self, node: Node) -> bool:
        last = (len(self.shape) - 1,)
        of_rows = node.operation in self.target.row_folds and node.options["axis"] == last
        return of_rows and self.graph.nodes[node.inputs[0]].shape == self.shape

    def _concerns(self, i: int) -> bool:
        """Whether a value of each row has to do with the elements of this pass."""
        read = (reshaped(self.graph, operand) for operand in self.graph.nodes[i].inputs)
        return any(o in self.members for o in read) or any(self._is_element(user) for user in self._readers_of(i))

    def _is_element(self, i: int) -> bool:
        return i in self.waiting and self._kind(i) == "element" and self._in_phase(i)

    def _readers_of(self, i: int) -> Iterator[int]:
        """The nodes that read a value, perhaps in another shape."""
        for user in self.graph.users[i]:
            if user in self.views and self.graph.nodes[user].operation == "reshape":
                yield from self._readers_of(user)
            else:
                yield user

    def _ready(self, i: int) -> bool:
        """Whether no operand, looked at through views, still waits, and those of the pass are there in time."""
        for operand in self.graph.nodes[i].inputs:
            root = operand
            while root in self.views:
                root = self.graph.nodes[root].inputs[0]
            if root in self.waiting or (root in self.members and not self._in_time(i, operand, root)):
                return False
        return True

    def _in_time(self, i: int, operand: int, root: int) -> bool:
        """Whether a row of an operand is there when the node comes to that row."""
        kind = self.members[root]
        if kind == "element":
            return operand == root
        shape = self.graph.nodes[operand].shape
        wanted = self.column if self.members.get(i, self._kind(i)) == "element" else self.graph.nodes[i].shape
        return kind == "row" and shape == wanted and reshaped(self.graph, operand) == root
