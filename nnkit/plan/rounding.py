"""Mixed precision: matrix products read their operands in a narrower type, and everything else stays as it is.

A product of halves with sums in float32 runs on the tensor cores of a GPU, ten times as fast and more. Its result, the
parameters, what the optimiser keeps, norms, losses and all passes over elements are in float32, so that nothing but the
operands of products is rounded (Micikevicius and others, "Mixed precision training", ICLR 2018), a bias where its sum
is rounded next (between two products with ReLU, all in the library's one call), and some gradients (``gradients``). The
derivative of ReLU asks what the next product has read whether it is above 0, and the gradient of a bias adds up what
the products of its layer have read, so that nothing else of the layer is kept.

Weights are parts of one vector, which is rounded as a whole where most of it is read by products: then a backend can
leave that to the update, which has the new weights at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

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
    if target.products not in dict(target.rounded):
        return graph
    return rewrite(graph, _in_tf32 if target.products == TF32 else _Halves(graph, target.products, lasting).rule)


def _in_tf32(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
    if not _is_wide_product(node, operands):
        return None
    return trace.record("matmul", operands, node.origin, **node.options, tf32=True)


def _is_wide_product(node: Node, operands: Sequence[TracedArray]) -> bool:
    return node.operation == "matmul" and {o.dtype for o in operands} == {WIDE}


class _Halves:
    """Rounds operands to float16 or bfloat16."""

    def __init__(self, graph: Graph, dtype: str, lasting: bool) -> None:
        self._graph, self._dtype = graph, dtype
        self._read = {operand for _, node in graph if node.operation == "matmul" for operand in node.inputs}
        self._biases = dict(_biases(graph))
        asked = self._read | set(self._biases.values())
        self._parts = _parts_of_vectors(graph, self._read, asked) if lasting else set()
        self._halves: dict[int, TracedArray] = {}

    def rule(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        """The node with halves in place of what it reads, where it is to read them."""
        if operands and operands[0].position in self._halves and _asks_extremum(trace, node, operands):
            kept = trace.record("astype", (self._halves[operands[0].position],), node.origin, dtype=WIDE)
            return trace.record(node.operation, (kept, operands[1]), node.origin)
        backward = node.origin.phase == "backward"
        if node.operation == "sum" and backward and node.inputs[0] in self._read and operands[0].dtype == WIDE:
            source = self._half(trace, operands[0], node.inputs[0])
            return trace.record("sum", (source,), node.origin, **node.options, dtype=WIDE)
        if node.operation == "add" and any(i in self._biases for i in node.inputs):
            return trace.record("add", map(partial(self._addend, trace), operands, node.inputs), node.origin)
        if not _is_wide_product(node, operands):
            return None
        sides = map(partial(self._half, trace), operands, node.inputs)
        return trace.record("matmul", sides, node.origin, **node.options, dtype=WIDE)

    def _addend(self, trace: Trace, operand: TracedArray, known_as: int) -> TracedArray:
        if known_as in self._biases:  # the product
            return operand
        return trace.record("astype", (self._half(trace, operand, known_as),), None, dtype=WIDE)

    def _half(self, trace: Trace, operand: TracedArray, known_as: int) -> TracedArray:
        """The operand in the other type, converted where it was made: in the phase and the layer of that step."""
        if operand.position not in self._halves:
            made, source, options = trace.nodes[operand.position], operand, {"dtype": self._dtype}
            operation = "astype"
            if known_as in self._parts:
                whole = trace.nodes[made.inputs[0]]
                source = TracedArray(trace, made.inputs[0], whole.shape, whole.dtype)
                source = self._half(trace, source, self._graph.nodes[known_as].inputs[0])
                operation, options = made.operation, made.options
            self._halves[operand.position] = trace.record(operation, (source,), made.origin, **options)
        return self._halves[operand.position]


def _biases(graph: Graph) -> Iterator[tuple[int, int]]:
    """(product, bias) of layers whose result, after ReLU, only products read: the sum is rounded there anyway."""
    for i, node in graph:
        chain = followed(graph, i, ("add", "maximum")) if node.operation == "matmul" else ()
        if not chain or chain[-1] in graph.output.values():
            continue
        added, cut = (graph.nodes[k] for k in chain)
        bias = added.inputs[added.inputs[0] == i]
        fits = graph.nodes[bias].shape == node.shape[-1:] and graph.nodes[bias].dtype == WIDE
        readers = {graph.nodes[user].operation for user in graph.users[chain[-1]]}
        if fits and has_zero(graph, cut.inputs) and readers <= {"matmul", *EXTREMUM}:
            yield i, bias


def followed(graph: Graph, i: int, operations: Iterable[str]) -> tuple[int, ...]:
    """The nodes of these operations that read a value and each other, if nobody else reads in between; else none."""
    found: list[int] = []
    for operation in operations:
        users = graph.users[i]
        if len(users) != 1 or i in graph.output.values() or graph.nodes[users[0]].operation != operation:
            return ()
        i = users[0]
        found.append(i)
    return tuple(found)


def has_zero(graph: Graph, inputs: Iterable[int]) -> bool:
    """Whether one of these is the number zero."""
    return any(graph.nodes[i].options.get("value") == 0 for i in inputs)


def _parts_of_vectors(graph: Graph, read: set[int], asked: set[int]) -> set[int]:
    """What is asked for of states that are rounded as a whole, and the views in between: products read most of them."""
    chains = [chain for i in asked if len(chain := _chain(graph, i)) > 1 and chain[-1] in graph.state]
    sizes: Counter[int] = Counter()
    for first, *_, root in chains:
        sizes[root] += graph.nodes[first].size if first in read else 0
    return {i for *parts, root in chains if 2 * sizes[root] >= graph.nodes[root].size for i in parts}


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
