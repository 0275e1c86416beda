"""Mixed precision: matrix products read their operands in a narrower type, and everything else stays as it is.

A product of halves with sums in float32 runs on the tensor cores of a GPU, ten times as fast and more. Its result, the
parameters, what the optimiser keeps, norms, losses and all passes over elements are in float32, so that nothing but the
operands of products is rounded (Micikevicius and others, "Mixed precision training", ICLR 2018). The derivative of ReLU
asks what the next product has read whether it is above 0, and the gradient of a bias adds up what the products of its
layer have read, so that nothing else of the layer is kept.

Weights are parts of one vector, which is rounded as a whole where most of it is read by products: then a backend can
leave that to the update, which has the new weights at hand.
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
UNIT = 8
"""Halves of sixteen bytes, which tensor cores read at a time: where a weight begins, and how long its rows are."""


def round_products(graph: Graph, target: Target, lasting: bool = False) -> Graph:
    """The graph with the operands of products in float32 rounded to ``target.products``, each value once.

    ``lasting`` says that no memory is used twice: then a vector of all weights costs no more than each by itself.
    """
    chosen = target.products
    if chosen not in dict(target.rounded):
        return graph

    read = {operand for _, node in graph if node.operation == "matmul" for operand in node.inputs}
    whole = _parts_of_vectors(graph, read) if lasting and chosen != TF32 else set()
    halves: dict[int, TracedArray] = {}

    def half(trace: Trace, operand: TracedArray, known_as: int) -> TracedArray:
        """The operand in the other type, converted where it was made: in the phase and the layer of that step."""
        if operand.position not in halves:
            made = trace.nodes[operand.position]
            if known_as in whole:
                source = trace.nodes[made.inputs[0]]
                wide = TracedArray(trace, made.inputs[0], source.shape, source.dtype)
                narrow = half(trace, wide, graph.nodes[known_as].inputs[0])
                halves[operand.position] = trace.record(made.operation, (narrow,), made.origin, **made.options)
            else:
                halves[operand.position] = trace.record("astype", (operand,), made.origin, dtype=chosen)
        return halves[operand.position]

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if operands and operands[0].position in halves and _asks_extremum(trace, node, operands):
            kept = trace.record("astype", (halves[operands[0].position],), node.origin, dtype=WIDE)
            return trace.record(node.operation, (kept, operands[1]), node.origin)
        backward = node.origin.phase == "backward" and chosen != TF32
        if node.operation == "sum" and backward and node.inputs[0] in read and operands[0].dtype == WIDE:
            return trace.record(
                "sum", (half(trace, operands[0], node.inputs[0]),), node.origin, **node.options, dtype=WIDE
            )
        if node.operation != "matmul" or {o.dtype for o in operands} != {WIDE}:
            return None
        if chosen == TF32:
            return trace.record("matmul", operands, node.origin, **node.options, tf32=True)
        sides = [half(trace, *side) for side in zip(operands, node.inputs, strict=True)]
        return trace.record("matmul", sides, node.origin, **node.options, dtype=WIDE)

    return rewrite(graph, rule)


def _parts_of_vectors(graph: Graph, read: set[int]) -> set[int]:
    """What is read of states that are rounded as a whole, and the views in between: whose parts make up most of it."""
    chains: dict[int, list[tuple[int, ...]]] = {}
    for i in read:
        chain = _chain(graph, i)
        if chain and chain[-1] in graph.state:
            chains.setdefault(chain[-1], []).append(chain[:-1])
    mostly = [
        found
        for root, found in chains.items()
        if 2 * sum(graph.nodes[chain[0]].size for chain in found) >= graph.nodes[root].size
    ]
    return {i for found in mostly for chain in found for i in chain}


def _chain(graph: Graph, i: int) -> tuple[int, ...]:
    """From a matrix to the vector of which it is a part, through views; none where halves of it begin at odd places."""
    found = [i]
    while graph.nodes[found[-1]].operation in ("reshape", "slice"):
        found.append(graph.nodes[found[-1]].inputs[0])
    cuts = [graph.nodes[k].options for k in found if graph.nodes[k].operation == "slice"]
    even = (graph.nodes[i].shape[-1] or 1) % UNIT == 0
    even = even and all(cut["start"][-1] % UNIT == 0 and set(cut["step"]) == {1} for cut in cuts)
    return tuple(found) if even and len(graph.nodes[found[-1]].shape) == 1 else ()


def _asks_extremum(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> bool:
    """Whether it is the derivative of max(x, 0) or min(x, 0), asked of the result."""
    made = trace.nodes[operands[0].position].operation
    return EXTREMUM.get(node.operation) == made and scalar_value(trace, operands[1]) == 0


def read_as(graph: Graph, product: Node) -> str:
    """The data type in which a product reads its operands."""
    return TF32 if product.options.get("tf32") else graph.nodes[product.inputs[0]].dtype
