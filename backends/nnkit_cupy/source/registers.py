"""Short rows of a pass, held in registers from phase to phase: softmax with its loss and derivative, norms.

A warp does a row, each lane every so many of its elements. Only what others read is written to memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from nnkit.graph.ir import Node
from nnkit.plan import Plan
from nnkit.plan.look import Look
from nnkit.plan.passes import is_elementwise, reshaped
from nnkit_cupy.source.pieces import SHORT, Lines, block
from nnkit_cupy.source.reductions import FOLD, start
from nnkit_cupy.source.scalars import expression
from nnkit_cupy.source.types import TYPES, cast

Parts = list[tuple[int, ...]]


def may_be_held(plan: Plan, parts: Parts, looks: Mapping[int, Look]) -> bool:
    """Whether it is a matrix with short rows."""
    shape = _shape(plan, parts, looks)
    return len(shape) == 2 and shape[1] <= SHORT


def _shape(plan: Plan, parts: Parts, looks: Mapping[int, Look]) -> tuple[int, ...]:
    first = parts[0][0]
    return looks[first if is_elementwise(plan.graph.nodes[first]) else plan.graph.nodes[first].inputs[0]].shape


def held(plan: Plan, parts: Parts, looks: Mapping[int, Look]) -> Lines:
    """All phases of row r."""
    return _Row(plan, parts, looks).lines(parts)


class _Row:
    """Element ``w7[u]`` of a lane, and ``v7`` of the row, are the values of node 7."""

    def __init__(self, plan: Plan, parts: Parts, looks: Mapping[int, Look]) -> None:
        self.plan, self.nodes, self.looks = plan, plan.graph.nodes, looks
        self.members = {i for part in parts for i in part}
        self.shape = _shape(plan, parts, looks)
        self.each = f"EACH({self.shape[1]})"

    def lines(self, parts: Parts) -> Lines:
        """Phase by phase."""
        found: Lines = []
        for part in parts:
            if not is_elementwise(self.nodes[part[0]]):
                found += self._fold(part[0])
            elif self._of_elements(part[0]):
                found += [f"{TYPES[self.nodes[i].dtype]} w{i}[{self.each}];" for i in part]
                found += self._loop([line for i in part for line in self._element(i)])
            else:
                found += [line for i in part for line in self._scalar(i)]
        return found

    def _of_elements(self, i: int) -> bool:
        return self.looks[i].shape == self.shape

    def _loop(self, body: Lines) -> Lines:
        inside = ["const int i = LANE + u * WIDTH;", *block(f"if (i < {self.shape[1]})", body)]
        return ["#pragma unroll", *block(f"for (int u = 0; u < {self.each}; u++)", inside)]

    def _element(self, i: int) -> Lines:
        lines = [f"w{i}[u] = {self._expression(self.nodes[i])};"]
        return lines + ([f"{self.looks[i].at(['r', 'i'])} = w{i}[u];"] if self._escapes(i) else [])

    def _scalar(self, i: int) -> Lines:
        lines = [f"const {TYPES[self.nodes[i].dtype]} v{i} = {self._expression(self.nodes[i])};"]
        return lines + self._stored(i)

    def _stored(self, i: int) -> Lines:
        """A value of the row is written by one lane."""
        if not self._escapes(i):
            return []
        index = ["r", "0"][: len(self.looks[i].shape)]
        # It may take the place of an operand, which other lanes may still read.
        return ["MEET;", f"if (LANE == 0) {self.looks[i].at(index)} = v{i};"]

    def _fold(self, i: int) -> Lines:
        node = self.nodes[i]
        kind, fold = TYPES[node.dtype], FOLD[node.operation]
        value = cast(self._operand(node.inputs[0], self.shape), self.nodes[node.inputs[0]].dtype, node.dtype)
        return [
            f"{kind} v{i} = {start(node.operation, node.dtype)};",
            *self._loop([f"v{i} = {fold}<{kind}>::of(v{i}, {value});"]),
            f"v{i} = FOLD<{kind}, {fold}>(v{i});",
            *self._stored(i),
        ]

    def _expression(self, node: Node) -> str:
        shape = self.shape if node.shape == self.shape else tuple(int(extent or 1) for extent in node.shape)
        operands = [self._operand(o, shape) for o in node.inputs]
        return expression(node, operands, [self.nodes[o].dtype for o in node.inputs])

    def _operand(self, o: int, shape: tuple[int, ...]) -> str:
        """The code of an operand, for the element or the row of a node with this shape."""
        root = reshaped(self.plan.graph, o)
        if root in self.members:
            return f"w{root}[u]" if self._of_elements(root) else f"v{root}"
        look = self.looks[o]
        if look.text:
            return look.text
        index = ["r", "i" if shape == self.shape else "0"][: len(shape)]
        return look.spread(shape).at(index)

    def _escapes(self, i: int) -> bool:
        """Whether anybody outside reads it, or a view of it."""
        if i in self.plan.graph.output.values():
            return True
        for user in self.plan.graph.users[i]:
            if user in self.members:
                continue
            if self.plan.slots[user].kind != "view" or self._escapes(user):
                return True
        return False
