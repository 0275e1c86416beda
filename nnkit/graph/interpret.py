"""The reference interpreter: evaluates a graph node by node with the standard alone, or inlines it into a trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from array_api_compat import is_torch_namespace

from nnkit.errors import ArgumentError
from nnkit.graph.dtypes import itemsize
from nnkit.graph.ir import Graph, Node
from nnkit.graph.namespace import Namespace
from nnkit.graph.primitives import PRIMITIVES


class Eager:
    """A namespace of the standard with its device: what a row needs for its evaluation."""

    def __init__(self, xp: Any, device: Any = None) -> None:
        self.xp = xp
        self.device = device
        # torch lacks most operations on these. A wider signed type has them all, and wraps when it is masked.
        self._wider = {"uint16": "int32", "uint32": "int64", "uint64": "int64"} if is_torch_namespace(xp) else {}

    def dtype(self, name: str) -> Any:
        """The namespace's data type object."""
        return getattr(self.xp, self._wider.get(name, name))

    def evaluate(self, node: Node, operands: list[Any]) -> Any:
        """The value of one node."""
        value = PRIMITIVES[node.operation].evaluate(self, *operands, **node.options)
        if node.dtype not in self._wider:
            return value
        wide = self.xp.astype(value, self.dtype(node.dtype))
        return wide if node.dtype == "uint64" else wide & ((1 << 8 * itemsize(node.dtype)) - 1)


def interpret(graph: Graph, namespace: Any, inputs: Mapping[str, Any], device: Any = None) -> dict[str, Any]:
    """Outputs of ``graph`` for arrays of ``namespace`` by input name.

    With the namespace of a trace, the graph is inlined. Values are dropped after their last use.
    """
    missing = sorted(graph.inputs.keys() - inputs.keys())
    if missing:
        raise ArgumentError(f"interpret: the graph needs the inputs {', '.join(missing)}")
    evaluate = _inliner(namespace) if isinstance(namespace, Namespace) else Eager(namespace, device).evaluate
    needed = graph.ancestors(graph.output.values())
    last = {operand: i for i, node in graph if i in needed for operand in node.inputs}
    last.update(dict.fromkeys(graph.output.values(), len(graph)))
    values: dict[int, Any] = {}
    for i, node in graph:
        if i not in needed:
            continue
        given = node.operation == "input"
        values[i] = evaluate(node, [inputs[node.options["name"]]] if given else [values[o] for o in node.inputs])
        for operand in set(node.inputs):
            if last[operand] == i:
                del values[operand]
    return {name: values[i] for name, i in graph.outputs}


def _inliner(namespace: Namespace) -> Callable[[Node, list[Any]], Any]:
    def inline(node: Node, operands: list[Any]) -> Any:
        if node.operation == "input":
            return operands[0]
        return namespace._trace.record(node.operation, operands, node.origin, **node.options)

    return inline
