"""Sums of products with a factor that their terms share, and sums that are known without adding, as a rewrite.

The derivative of a normalisation, as differentiation composes it, adds up what one formula by hand would not: here
Σ k·x becomes k·Σ x, the sum of a repeated value a multiple of it, and the sum of x − mean(x) zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import prod

from nnkit.graph.ir import Graph, Node, Shape
from nnkit.graph.shapes import reduced
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.rewrites import rewrite, scalar_value

Axes = tuple[int, ...]
ZERO = "zero"
"""In place of a sum that is zero by its formula."""
DEPTH = 6
"""How many operations before a sum are looked at; chains may be longer than Python's stack is deep."""


def factor_sums(graph: Graph) -> Graph:
    """The rewritten graph; sums of whole numbers stay as they are."""
    outputs = set(graph.output.values())
    lone = {i for i, _ in graph if len(graph.users[i]) == 1 and i not in outputs}
    sums: _Sums | None = None

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        nonlocal sums
        sums = sums or _Sums(trace)
        sums.lone.update(o.position for o, i in zip(operands, node.inputs, strict=True) if i in lone)
        if node.operation != "sum" or "float" not in node.dtype or not node.options["axis"]:
            return None
        return sums.rewritten(node, operands[0])

    return rewrite(graph, rule)


class _Sums:
    """Finds sums in the trace so far; until the last moment the axes that are summed stay, with extent 1."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.lone: set[int] = set()
        """Values that one operation reads."""
        self._known: dict[tuple[int, Axes], TracedArray] = {}

    def rewritten(self, node: Node, x: TracedArray) -> TracedArray:
        """The value of a sum of x."""
        axes: Axes = node.options["axis"]
        found = self._free(x, axes)
        if isinstance(found, str):
            zero = self.trace.record("constant", (), value=0.0, dtype=node.dtype)
            return self._shaped(zero, node.shape, "broadcast_to")
        if found is None:
            found = self._pulled(x, axes)
        if found is None:
            found = self._known[x.position, axes] = self.trace.record("sum", (x,), node.origin, **node.options)
        return self._shaped(found, node.shape)

    def _free(self, x: TracedArray, axes: Axes, depth: int = DEPTH) -> TracedArray | str | None:
        """The sum of x from what is known, without adding over its elements."""
        node = self.trace.nodes[x.position]
        known = self._known.get((x.position, axes))
        if known is not None:
            return self._shaped(known, self._kept(node, axes))
        if not depth:
            return None
        if node.operation in ("add", "subtract"):
            return self._joined(node, axes, depth)
        if node.operation == "broadcast_to":
            return self._repeated(node, axes)
        split = self._split(node, axes)
        if split is None:
            return None
        inner = self._free(split[0], axes, depth - 1)
        return inner if inner is None or isinstance(inner, str) else self._times(node, inner, split[1])

    def _pulled(self, x: TracedArray, axes: Axes, depth: int = DEPTH) -> TracedArray | None:
        """The sum of x with its factor outside where nobody else needs x, and without a part whose sum is zero."""
        node = self.trace.nodes[x.position]
        if not depth:
            return None
        if node.operation == "add":
            for part, other in permutations(self._repeating(node)):
                if isinstance(self._free(other, axes), str):
                    return self._summed(part, axes, depth - 1)
        split = self._split(node, axes) if x.position in self.lone else None
        return None if split is None else self._times(node, self._summed(split[0], axes, depth - 1), split[1])

    def _summed(self, x: TracedArray, axes: Axes, depth: int) -> TracedArray:
        """The sum of x, which is not known."""
        found = self._pulled(x, axes, depth)
        if found is None:
            found = self._known[x.position, axes] = self.trace.record("sum", (x,), axis=axes, keepdims=True)
        return found

    def _split(self, node: Node, axes: Axes) -> tuple[TracedArray, TracedArray | None] | None:
        """x and k of −x, x·k, k·x and x/k, where k is the same all along the axes."""
        if node.operation == "negative":
            return self._inputs(node)[0], None
        if node.operation not in ("multiply", "divide"):
            return None
        x, k = self._inputs(node)
        for value, factor in ((x, k), (k, x))[: 2 if node.operation == "multiply" else 1]:
            if value.shape == node.shape and _same_along(factor.shape, axes, len(node.shape)):
                return value, factor
        return None

    def _times(self, node: Node, total: TracedArray, factor: TracedArray | None) -> TracedArray:
        if factor is None:
            return self.trace.record("negative", (total,), node.origin)
        aligned = (1,) * (len(node.shape) - len(factor.shape)) + factor.shape
        return self.trace.record(node.operation, (total, self._shaped(factor, aligned)), node.origin)

    def _joined(self, node: Node, axes: Axes, depth: int) -> TracedArray | str | None:
        """The sum of a sum or a difference of which both sums are known."""
        if self._centred(node, axes):
            return ZERO
        left, right = (self._free(part, axes, depth - 1) for part in self._repeating(node))
        if left is None or right is None:
            return None
        if isinstance(right, str):
            return left
        if isinstance(left, str):
            return right if node.operation == "add" else self.trace.record("negative", (right,), node.origin)
        return self.trace.record(node.operation, (left, right), node.origin)

    def _repeated(self, node: Node, axes: Axes) -> TracedArray | None:
        """Of a value that is repeated along the axes, it so many times."""
        (x,) = self._inputs(node)
        extents = [node.shape[axis] for axis in axes]
        if None in extents or not _same_along(x.shape, axes, len(node.shape)):
            return None
        once: TracedArray = self._shaped(x, self._kept(node, axes), "broadcast_to")
        return once * float(prod(extents))  # type: ignore[arg-type,no-any-return]

    def _centred(self, node: Node, axes: Axes) -> bool:
        """Whether it is x − (Σ x)/n over these axes, n the number of terms."""
        if node.operation != "subtract":
            return False
        x, mean = node.inputs
        quotient = self.trace.nodes[self._source(mean)]
        known = self._known.get((x, axes))
        if quotient.operation != "divide" or known is None:
            return False
        total, count = self._inputs(quotient)
        same = self._source(total.position) == self._source(known.position)
        extents = [node.shape[axis] for axis in axes]
        return same and None not in extents and scalar_value(self.trace, count) == prod(extents)  # type: ignore[arg-type]

    def _inputs(self, node: Node) -> list[TracedArray]:
        return [TracedArray(self.trace, i, self.trace.nodes[i].shape, self.trace.nodes[i].dtype) for i in node.inputs]

    def _repeating(self, node: Node) -> list[TracedArray]:
        """The operands in the shape of the result."""
        return [self._shaped(x, node.shape, "broadcast_to") for x in self._inputs(node)]

    def _shaped(self, x: TracedArray, shape: Shape, how: str = "reshape") -> TracedArray:
        return x if x.shape == shape else self.trace.record(how, (x,), shape=shape)

    def _kept(self, node: Node, axes: Axes) -> Shape:
        return reduced(node.shape, axes, keepdims=True)  # type: ignore[arg-type]

    def _source(self, position: int) -> int:
        """Behind other shapes of the same value."""
        while self.trace.nodes[position].operation in ("reshape", "broadcast_to"):
            (position,) = self.trace.nodes[position].inputs
        return position


def _same_along(shape: Shape, axes: Axes, rank: int) -> bool:
    aligned = (1,) * (rank - len(shape)) + shape
    return all(aligned[axis] == 1 for axis in axes)
