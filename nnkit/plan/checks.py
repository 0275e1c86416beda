"""Whether all gradients are finite, asked of each as soon as it is there instead of all of them together at the end.

For devices that run several steps side by side, or ask while they write a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from nnkit.graph.ir import Graph, Node
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.rewrites import rewrite, unshaped


def check_parts(graph: Graph) -> Graph:
    """all(isfinite(concat(a, b, …))) as all(isfinite(a)) & all(isfinite(b)) & …"""

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if node.operation != "all" or node.size != 1:
            return None
        asked = trace.nodes[operands[0].position]
        if asked.operation != "isfinite":
            return None
        joined = trace.nodes[asked.inputs[0]]
        if joined.operation != "concat":
            return None
        answers = [_asked(trace, part, node, asked) for part in joined.inputs]
        found = reduce(lambda a, b: trace.record("bitwise_and", (a, b), node.origin), answers)
        return found if found.shape == node.shape else trace.record("reshape", (found,), node.origin, shape=node.shape)

    return rewrite(graph, rule)


def _asked(trace: Trace, part: int, node: Node, asked: Node) -> TracedArray:
    """The same question for a part, in the shape in which it was computed."""
    part = unshaped(trace.nodes, part)
    value = TracedArray(trace, part, trace.nodes[part].shape, trace.nodes[part].dtype)
    finite = trace.record("isfinite", (value,), asked.origin)
    return trace.record("all", (finite,), node.origin, axis=tuple(range(len(value.shape))), keepdims=False)
