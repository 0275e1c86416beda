"""Gradients in bfloat16, on their way from the products that make them to the optimiser.

In mixed precision a gradient is the largest thing that a step writes and reads only once or twice. bfloat16 has the
range of float32, so that rounding it takes nothing but digits, as elsewhere in the field; in float16 it could overflow
where its terms do not, and stays in float32. A product adds up in float32 and writes halves, which are half the memory,
are asked whether they are finite in half the time, and are converted by whoever reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from nnkit.graph.ir import Graph, Node
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.rewrites import rewrite, unshaped
from nnkit.plan.rounding import UNIT, WIDE
from nnkit.plan.schedule import VIEWS
from nnkit.plan.target import Target

NARROW = "bfloat16"


def narrow_gradients(graph: Graph, target: Target) -> Graph:
    """The graph of a step, whose products read halves already, with its gradient in bfloat16 where those are."""
    return rewrite(graph, _Narrow(graph).rule) if narrows(target) else graph


def narrows(target: Target) -> bool:
    """Whether products read bfloat16, and may write it where nothing but digits is lost."""
    return target.products == NARROW and NARROW in dict(target.rounded)


def narrowed(trace: Trace, product: Node, operands: Sequence[TracedArray]) -> TracedArray:
    """A product that adds up in float32 and writes bfloat16."""
    return trace.record("matmul", operands, product.origin, **product.options | {"dtype": NARROW})


class _Narrow:
    """Keeps in halves what makes a gradient, and the views and the vector of it."""

    def __init__(self, graph: Graph) -> None:
        self._made = _parts(graph)
        self._halves: dict[int, TracedArray] = {}
        self._exact: dict[int, TracedArray] = {}

    def rule(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        """The node with what it reads of a gradient converted for it alone, so that no pass leaves it in float32.

        What the backward pass itself goes on with, as a norm does with its sums, is not rounded.
        """
        if id(node) in self._made:
            return self._narrowed(trace, node, self._read(trace, node, operands))
        if not any(operand.position in self._halves for operand in operands):
            return None
        if all(operand.position in self._halves for operand in operands):
            if node.operation in (*VIEWS, "concat"):
                return self._looked_at(trace, node, operands)
            if node.operation == "astype" and node.dtype == NARROW:
                return self._halves[operands[0].position]
        return trace.record(node.operation, self._read(trace, node, operands), node.origin, **node.options)

    def _narrowed(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray:
        """By the product itself if it can, else in a pass."""
        if self._made[id(node)]:
            return self._wide(trace, narrowed(trace, node, operands))
        made = trace.record(node.operation, operands, node.origin, **node.options)
        return self._wide(trace, trace.record("astype", (made,), node.origin, dtype=NARROW), made)

    def _looked_at(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray:
        """A view of halves, or several joined."""
        places, exact = [operand.position for operand in operands], None
        if all(place in self._exact for place in places):
            exact = trace.record(node.operation, [self._exact[place] for place in places], node.origin, **node.options)
        halves = [self._halves[place] for place in places]
        return self._wide(trace, trace.record(node.operation, halves, node.origin, **node.options), exact)

    def _wide(self, trace: Trace, half: TracedArray, exact: TracedArray | None = None) -> TracedArray:
        """What stands for halves in float32, until somebody reads it."""
        wide = trace.record("astype", (half,), trace.nodes[half.position].origin, dtype=WIDE)
        self._halves[wide.position] = half
        if exact is not None:
            self._exact[wide.position] = exact
        return wide

    def _read(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> list[TracedArray]:
        return [self._converted(trace, node, operand) for operand in operands]

    def _converted(self, trace: Trace, node: Node, operand: TracedArray) -> TracedArray:
        place = operand.position
        if place not in self._halves:
            return operand
        if place in self._exact and node.origin.phase == "backward":
            return self._exact[place]
        return trace.record("astype", (self._halves[place],), node.origin, dtype=WIDE)


def _parts(graph: Graph) -> dict[int, bool]:
    """By their ids, the nodes that make the parts of a gradient which is kept in halves, and whether they write it so.

    Those that do are products whose part begins and whose rows end where a tensor core can write; where they make less
    than half of the gradient, it is not kept so.
    """
    found: dict[int, bool] = {}
    for i, node in graph:
        if node.operation != "concat" or node.origin.phase != "update" or i in graph.output.values():
            continue
        roots = [unshaped(graph.nodes, part) for part in node.inputs]
        starts = accumulate((graph.nodes[part].size for part in node.inputs), initial=0)
        even = [_writes_halves(graph, root, start) for root, start in zip(roots, starts, strict=False)]
        made = [graph.nodes[root] for root in roots]
        most = 2 * sum(each.size for each, fits in zip(made, even, strict=True) if fits) >= node.size > 0
        if most and all(each.dtype == WIDE and each.origin.phase == "backward" for each in made):
            found |= {id(each): fits for each, fits in zip(made, even, strict=True)}
    return found


def _writes_halves(graph: Graph, i: int, start: int) -> bool:
    """Whether it is a product of halves, for the update alone, that can write such from that element of a vector on."""
    node = graph.nodes[i]
    if node.operation != "matmul" or start % UNIT or (node.shape[-1] or 1) % UNIT:
        return False
    used = {graph.nodes[user].origin.phase for user in graph.users[i]}
    return used == {"update"} and graph.nodes[node.inputs[0]].dtype == NARROW
