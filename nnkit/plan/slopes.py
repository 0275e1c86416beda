"""Slopes in bfloat16, on their way from the product that makes them to the derivative of ReLU.

That derivative is one or zero, and what is left of the slopes is rounded for the next products. Rounding comes first
here, in the product itself, which gives the same bits of what is no larger than bfloat16 can be, which float32 hardly
exceeds: half as much is written, and read by the pass in between. In float16 a slope that is cut could have overflowed
before, so that it stays in float32.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnkit.graph.ir import Graph, Node
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.gradients import NARROW, narrowed, narrows
from nnkit.plan.rewrites import rewrite
from nnkit.plan.rounding import UNIT, WIDE, followed
from nnkit.plan.target import Target


def narrow_slopes(graph: Graph, target: Target) -> Graph:
    """The graph of a step, whose products read halves already, with such slopes in bfloat16."""
    if not narrows(target):
        return graph
    found = {id(node) for i, node in graph if _is_cut(graph, i)}

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if id(node) not in found:
            return None
        return trace.record("astype", (narrowed(trace, node, operands),), node.origin, dtype=WIDE)

    return rewrite(graph, rule)


def _is_cut(graph: Graph, i: int) -> bool:
    """Whether it is a product of halves of which somebody keeps some, by truths, and rounds them."""
    node = graph.nodes[i]
    if node.operation != "matmul" or node.dtype != WIDE or (node.shape[-1] or 1) % UNIT:
        return False
    chain = followed(graph, i, ("multiply", "astype"))
    if not chain or {graph.nodes[node.inputs[0]].dtype, graph.nodes[chain[-1]].dtype} != {NARROW}:
        return False
    passed = graph.nodes[chain[0]]
    truths = graph.nodes[passed.inputs[passed.inputs[0] == i]]
    return truths.operation == "astype" and graph.nodes[truths.inputs[0]].dtype == "bool" and truths.shape == node.shape
