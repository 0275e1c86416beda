"""The derivative of an extremum, asked of its result.

Where max(x, c) is larger than c, x is: the comparison looks at the result, which the next layer reads anyway, and x
need not be kept for the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nnkit.graph.ir import Graph, Node
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.rewrites import rewrite, scalar_value

EXTREMUM = {"greater": "maximum", "less": "minimum"}
"""Comparison → the extremum whose result it can be asked of."""


def compare_extrema(graph: Graph) -> Graph:
    """x > c as max(x, c) > c, and x < c as min(x, c) < c, where there is that extremum before and c is a number."""
    known: dict[tuple[str, int, float], TracedArray] = {}

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if len(operands) != 2:
            return None
        x, bound = operands[0], scalar_value(trace, operands[1])
        if not isinstance(bound, float) or not math.isfinite(bound) or operands[1].dtype != x.dtype:
            return None
        if node.operation in EXTREMUM.values() and (node.shape, node.dtype) == (x.shape, x.dtype):
            known[node.operation, x.position, bound] = made = trace.record(node.operation, operands, node.origin)
            return made
        found = known.get((EXTREMUM.get(node.operation, ""), x.position, bound))
        return None if found is None else trace.record(node.operation, (found, operands[1]), node.origin)

    return rewrite(graph, rule)
