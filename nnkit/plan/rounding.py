"""Mixed precision: matrix products read their operands in a narrower type, and everything else stays as it is.

A product of halves with sums in float32 runs on the tensor cores of a GPU, ten times as fast and more. Its result, the
parameters, what the optimiser keeps, norms, losses and all passes over elements are in float32, so that nothing but the
operands of products is rounded (Micikevicius and others, "Mixed precision training", ICLR 2018). The derivative of ReLU
asks what the next product has read whether it is above 0, and the gradient of a bias adds up what the products of its
layer have read, so that nothing else of the layer is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnkit.graph.ir import Graph, Node
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.extrema import EXTREMUM
from nnkit.plan.rewrites import rewrite, scalar_value
from nnkit.plan.target import Target

WIDE = "float32"
TF32 = "tf32"


def round_products(graph: Graph, target: Target) -> Graph:
    """The graph with the operands of products in float32 rounded to ``target.products``, each value once."""
    chosen = target.products
    if chosen not in dict(target.rounded):
        return graph

    read = {operand for _, node in graph if node.operation == "matmul" for operand in node.inputs}
    halves: dict[int, TracedArray] = {}

    def half(trace: Trace, operand: TracedArray) -> TracedArray:
        """The operand in the other type, converted where it was made: in the phase and the layer of that step."""
        if operand.position not in halves:
            made = trace.nodes[operand.position]
            halves[operand.position] = trace.record("astype", (operand,), made.origin, dtype=chosen)
        return halves[operand.position]

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if operands and operands[0].position in halves and _asks_extremum(trace, node, operands):
            kept = trace.record("astype", (halves[operands[0].position],), node.origin, dtype=WIDE)
            return trace.record(node.operation, (kept, operands[1]), node.origin)
        backward = node.origin.phase == "backward" and chosen != TF32
        if node.operation == "sum" and backward and node.inputs[0] in read and operands[0].dtype == WIDE:
            return trace.record("sum", (half(trace, operands[0]),), node.origin, **node.options, dtype=WIDE)
        if node.operation != "matmul" or {o.dtype for o in operands} != {WIDE}:
            return None
        if chosen == TF32:
            return trace.record("matmul", operands, node.origin, **node.options, tf32=True)
        sides = [half(trace, operand) for operand in operands]
        return trace.record("matmul", sides, node.origin, **node.options, dtype=WIDE)

    return rewrite(graph, rule)


def _asks_extremum(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> bool:
    """Whether it is the derivative of max(x, 0) or min(x, 0), asked of the result."""
    made = trace.nodes[operands[0].position].operation
    return EXTREMUM.get(node.operation) == made and scalar_value(trace, operands[1]) == 0


def read_as(graph: Graph, product: Node) -> str:
    """The data type in which a product reads its operands."""
    return TF32 if product.options.get("tf32") else graph.nodes[product.inputs[0]].dtype
