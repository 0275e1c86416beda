"""A graph as a chain: the values that all of it passes through, and the block of nodes between each and the next.

Constants are folded, and nodes that do nothing are left out. A value that follows from sizes alone (the number of rows,
as exporters write it into a reshape) does not count as part of the chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_evaluating import EVALUATED, Evaluator
from nnkit.formats.onnx.import_graph import Graph, Node
from nnkit.formats.onnx.import_tensors import FLOATS
from nnkit.names import clipped, listed

LAYERS = frozenset(("ai.onnx.ml.Scaler", "BatchNormalization", "Dropout", "Gemm", "MatMul"))
"""Operators that are one layer, or one part of a layer, by themselves."""

_TRUTHS = frozenset(("And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or"))
_BOOL = 9
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Block:
    """The nodes that lead from one value of the chain to the next, in order, with those for sizes among them."""

    nodes: tuple[Node, ...]
    start: str
    end: str

    @property
    def place(self) -> str:
        """How messages call it: the node at its end."""
        return next(node for node in self.nodes if self.end in node.outputs).place


class Chain:
    """The chain of a graph up to one of its values."""

    def __init__(self, graph: Graph, output: str, evaluator: Evaluator) -> None:
        self.constants: dict[str, Array] = dict(graph.constants)
        self.evaluator = evaluator
        self.start = graph.input
        self.sizes: set[str] = set()
        """Values that follow from the sizes of arrays alone."""
        self._same: dict[str, str] = {}
        self._truths: set[str] = set()
        nodes = needed(graph, output)
        _check_kinds(nodes)
        kept = [node for node in map(self._simplified, nodes) if node is not None]
        self.output = self._same.get(output, output)
        self.blocks = self._blocks(kept)

    def _simplified(self, node: Node) -> Node | None:
        """The node with its inputs as they are now; None if it is folded or does nothing."""
        node = replace(node, inputs=tuple(self._same.get(name, name) for name in node.inputs))
        if node.kind == "Constant":
            self.constants[node.outputs[0]] = constant_of(node)
            return None
        names = [name for name in node.inputs if name]
        if not names:
            raise ValueError(f"has {node.place} without inputs; export the network again")
        if self._does_nothing(node):
            self._same[node.outputs[0]] = node.inputs[0]
            return None
        if all(name in self.constants for name in names):
            self._fold(node)
            return None
        if node.kind in ("Shape", "Size") or all(name in self.constants or name in self.sizes for name in names):
            self.sizes.update(node.outputs)
        if node.kind in _TRUTHS or (node.kind == "Cast" and node.attributes.get("to") not in FLOATS):
            self._truths.update(node.outputs)
        return node

    def _does_nothing(self, node: Node) -> bool:
        if node.kind == "Identity" or (node.kind == "Concat" and len(node.inputs) == 1):
            return True
        if node.kind != "Cast" or node.inputs[0] in self.constants or node.inputs[0] in self.sizes:
            return False
        truth, to = node.inputs[0] in self._truths, node.attributes.get("to")
        return to == _BOOL if truth else to in FLOATS

    def _fold(self, node: Node) -> None:
        """Compute a node of constants, in float32 unless some of them have more."""
        if node.kind not in EVALUATED:
            raise ValueError(f"has {node.place} between constants, which is not read; export with constants folded")
        inputs = [self.constants[name] if name else None for name in node.inputs]
        double = any(part is not None and part.dtype == np.float64 for part in inputs)
        for name, value in zip(node.outputs, self.evaluator.outputs(node, inputs), strict=False):
            self.constants[name] = value if double or value.dtype.kind != "f" else value.astype(np.float32, copy=False)

    def _blocks(self, nodes: list[Node]) -> list[Block]:
        """Cut wherever a single value is all that is needed from there on."""
        working = {node for node in nodes if not self.sizes.issuperset(node.outputs)}
        last = {name: node for node in nodes if node in working for name in node.inputs}
        if self.output not in {name for node in working for name in node.outputs}:
            raise ValueError("gives its input, or a constant, as its output, so there is no network in it")
        blocks: list[Block] = []
        waiting: list[Node] = []
        live = {at := self.start}
        for node in nodes:
            waiting.append(node)
            if node not in working:
                continue
            live -= {name for name in node.inputs if last[name] is node and name != self.output}
            live |= {name for name in node.outputs if name in last or name == self.output}
            if len(live) == 1:
                (end,) = live
                blocks.append(Block(tuple(waiting), at, end))
                at, waiting = end, []
        return blocks


def needed(graph: Graph, output: str) -> list[Node]:
    """The nodes that a value follows from, in order."""
    makers = {name: node for node in graph.nodes for name in node.outputs if name}
    found: set[Node] = set()
    waiting = [output]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node not in found:
            found.add(node)
            waiting += node.inputs
    return [node for node in graph.nodes if node in found]


def constant_of(node: Node) -> Array:
    """The value of a node that is a constant."""
    for name, value in node.attributes.items():
        if name == "value":
            return np.asarray(value)
        if name in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if name in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
        if name in ("value_string", "value_strings"):
            return np.asarray(value, object)
    raise ValueError(f"has {node.place} without a value; export the network again")


def _check_kinds(nodes: Iterable[Node]) -> None:
    """Refuse operators that nothing here knows, all of them at once."""
    unknown: dict[str, list[str]] = {}
    for node in nodes:
        if node.kind not in EVALUATED and node.kind not in LAYERS and node.kind not in ("Constant", "Identity"):
            unknown.setdefault(node.kind, []).append(f"'{clipped(node.name)}'")
    if unknown:
        lines = "; ".join(f"{clipped(kind)} ({listed(names, _SHOWN)})" for kind, names in sorted(unknown.items()))
        raise ValueError(
            f"has operators that no layer of nnkit's stands for: {lines}. nnkit reads feed-forward networks: Gemm and "
            "MatMul, activations, normalisation, Flatten, Reshape, Softmax, and what exporters write for these"
        )
