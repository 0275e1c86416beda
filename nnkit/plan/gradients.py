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
from nnkit.plan.rewrites import rewrite
from nnkit.plan.rounding import UNIT, WIDE
from nnkit.plan.schedule import VIEWS
from nnkit.plan.target import Target

NARROW = "bfloat16"


def narrow_gradients(graph: Graph, target: Target) -> Graph:
    """The graph of a step, whose products read halves already, with its gradient in bfloat16 where those are."""
    if target.products != NARROW or NARROW not in dict(target.rounded):
        return graph
    return rewrite(graph, _Narrow(graph).rule)


class _Narrow:
    """Keeps in halves what makes a gradient, and the views and the vector of it."""

    def __init__(self, graph: Graph) -> None:
        self._made = _parts(graph)
        self._halves: dict[int, TracedArray] = {}

    def rule(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        """The node with what it reads of a gradient converted for it alone, so that no pass leaves it in float32."""
        if id(node) in self._made:
            return self._wide(trace, self._narrowed(trace, node, operands))
        kept = [operand.position in self._halves for operand in operands]
        if not any(kept):
            return None
        if all(kept):
            halves = [self._halves[operand.position] for operand in operands]
            if node.operation in (*VIEWS, "concat"):
                return self._wide(trace, trace.record(node.operation, halves, node.origin, **node.options))
            if node.operation == "astype" and node.dtype == NARROW:
                return halves[0]
        sides = [self._converted(trace, node, operand) for operand in operands]
        return trace.record(node.operation, sides, node.origin, **node.options)

    def _narrowed(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray:
        """By the product itself if it can, else in a pass."""
        if self._made[id(node)]:
            return trace.record("matmul", operands, node.origin, **node.options | {"dtype": NARROW})
        made = trace.record(node.operation, operands, node.origin, **node.options)
        return trace.record("astype", (made,), node.origin, dtype=NARROW)

    def _wide(self, trace: Trace, half: TracedArray) -> TracedArray:
        """What stands for halves in float32, until somebody reads it."""
        wide = trace.record("astype", (half,), trace.nodes[half.position].origin, dtype=WIDE)
        self._halves[wide.position] = half
        return wide

    def _converted(self, trace: Trace, node: Node, operand: TracedArray) -> TracedArray:
        if operand.position not in self._halves:
            return operand
        return trace.record("astype", (self._halves[operand.position],), node.origin, dtype=WIDE)


def _parts(graph: Graph) -> dict[int, bool]:
    """By their ids, the nodes that make the parts of a gradient which is kept in halves, and whether they write it so.

    Those that do are products whose part begins and whose rows end where a tensor core can write; where they make less
    than half of the gradient, it is not kept so.
    """
    found: dict[int, bool] = {}
    for i, node in graph:
        if node.operation != "concat" or node.origin.phase != "update" or i in graph.output.values():
            continue
        made = [graph.nodes[_unshaped(graph, part)] for part in node.inputs]
        starts = accumulate((graph.nodes[part].size for part in node.inputs), initial=0)
        even = [_writes_halves(graph, each, start) for each, start in zip(made, starts, strict=False)]
        most = 2 * sum(each.size for each, fits in zip(made, even, strict=True) if fits) >= node.size > 0
        if most and all(each.dtype == WIDE and each.origin.phase == "backward" for each in made):
            found |= {id(each): fits for each, fits in zip(made, even, strict=True)}
    return found


def _unshaped(graph: Graph, i: int) -> int:
    """A value before it was reshaped."""
    while graph.nodes[i].operation == "reshape":
        i = graph.nodes[i].inputs[0]
    return i


def _writes_halves(graph: Graph, node: Node, start: int) -> bool:
    """Whether it is a product of halves that can write such from that element of a vector on."""
    if node.operation != "matmul" or start % UNIT or (node.shape[-1] or 1) % UNIT:
        return False
    return graph.nodes[node.inputs[0]].dtype == NARROW
