"""The reference interpreter: evaluates a graph node by node with the standard alone, or inlines it into a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from array_api_compat import is_torch_namespace

from nnkit.errors import ArgumentError
from nnkit.graph.ir import Graph
from nnkit.graph.namespace import Namespace
from nnkit.graph.primitives import PRIMITIVES


class Eager:
    """A namespace of the standard with its device: what a row needs for its evaluation."""

    def __init__(self, xp: Any, device: Any = None) -> None:
        self.xp = xp
        self.device = device
        # torch has no shift, comparison or sum on uint32; its values fit int64, which has them all.
        self._stand_in = {"uint32": "int64"} if is_torch_namespace(xp) else {}

    def dtype(self, name: str) -> Any:
        """The namespace's data type object."""
        return getattr(self.xp, self._stand_in.get(name, name))


def interpret(graph: Graph, namespace: Any, inputs: Mapping[str, Any], device: Any = None) -> dict[str, Any]:
    """Outputs of ``graph`` for arrays of ``namespace`` by input name; with the namespace of a trace, the graph is inlined.

    Values are dropped after their last use.
    """
    missing = sorted(graph.inputs.keys() - inputs.keys())
    if missing:
        raise ArgumentError(f"interpret: the graph needs the inputs {', '.join(missing)}")
    apply = _inliner(namespace) if isinstance(namespace, Namespace) else _evaluator(Eager(namespace, device))
    needed = graph.ancestors(graph.output.values())
    last = {operand: i for i, node in graph if i in needed for operand in node.inputs}
    last.update(dict.fromkeys(graph.output.values(), len(graph)))
    values: dict[int, Any] = {}
    for i, node in graph:
        if i not in needed:
            continue
        if node.operation == "input":
            values[i] = inputs[node.options["name"]]
        else:
            values[i] = apply(node, [values[operand] for operand in node.inputs])
        for operand in set(node.inputs):
            if last[operand] == i:
                del values[operand]
    return {name: values[i] for name, i in graph.outputs}


def _inliner(namespace: Namespace) -> Any:
    trace = namespace._trace
    return lambda node, operands: trace.record(node.operation, operands, node.origin, **node.options)


def _evaluator(run: Eager) -> Any:
    return lambda node, operands: PRIMITIVES[node.operation].evaluate(run, *operands, **node.options)
