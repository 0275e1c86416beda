"""A model as plain data: nodes with their attributes, constants by name, one input; everything that is odd is refused.

What is wrong is raised as ValueError, worded to follow the name of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_tensors import DOUBLE, FLOATS, HALVES, INTEGERS, STRING, array_of, check_tensor
from nnkit.names import clipped

OPSETS = (7, 28)
"""The versions of ONNX's operators that are read: before, operands were spread in other ways."""
ML_OPSETS = (1, 5)
IR_VERSIONS = (3, 14)
MOST_NODES = 20_000
WIDEST = 10_000_000  # numbers of one row of the input
_STANDARD = ("", "ai.onnx")
_EXPECTED = {
    **dict.fromkeys(("alpha", "beta", "epsilon", "gamma", "lambd", "max", "min", "momentum", "ratio"), float),
    **dict.fromkeys(("allowzero", "axis", "keepdims", "largest", "num_groups", "to", "training_mode", "transA"), int),
    **dict.fromkeys(("end", "noop_with_empty_axes", "start", "transB"), int),
}
"""The types of attributes that are one number."""


@dataclass(frozen=True, eq=False)
class Node:
    """One node: what it computes, of which values, and what these are called. An absent input is an empty name."""

    kind: str
    """The operator, with its domain in front where that is not ONNX's own: ``Gemm``, ``ai.onnx.ml.Scaler``."""
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """How messages call it."""
        return f"node '{clipped(self.name)}' ({clipped(self.kind)})"


@dataclass(frozen=True, eq=False)
class Output:
    """One output of the graph."""

    name: str
    numbers: bool
    """Whether it has floating-point numbers; else whole numbers or texts."""


@dataclass(frozen=True, eq=False)
class Graph:
    """The graph of a model."""

    nodes: tuple[Node, ...]
    constants: dict[str, Array]
    input: str
    shape: tuple[int | None, ...]
    """Of the input, rows first; None for a size that is free."""
    dtype: str
    outputs: tuple[Output, ...]
    opset: int
    halves: bool
    """Whether some values had fewer than the 32 bits that they have now."""
    metadata: Mapping[str, Any]
    """Texts beside the graph; the library gives bytes for what is not UTF-8."""


def graph_of(model: Any) -> Graph:
    """The graph of a parsed model."""
    opset = _checked_opset(model)
    found = model.graph
    if model.functions:
        names = ", ".join(f"'{clipped(text(function.name))}'" for function in list(model.functions)[:5])
        raise ValueError(
            f"has functions of its own ({names}), which are not read; inline them with "
            "onnx.inliner.inline_local_functions(model) and save the result"
        )
    if found.sparse_initializer:
        raise ValueError("has sparse initialisers, which are not read; make them dense before the export")
    if not found.node:
        raise ValueError("has no nodes, so there is no network in it; export it again")
    if len(found.node) > MOST_NODES:
        raise ValueError(f"has {len(found.node):,} nodes, more than the {MOST_NODES:,} that are read")
    constants = _initialisers(found)
    nodes = tuple(_node(node, number) for number, node in enumerate(found.node))
    source = _input(found, constants)
    _check_names(nodes, constants, source.name)
    return Graph(
        nodes=nodes,
        constants=constants,
        input=source.name,
        shape=_shape(source),
        dtype="float64" if source.type.tensor_type.elem_type == DOUBLE else "float32",
        outputs=_outputs(found, nodes),
        opset=opset,
        halves=any(tensor.data_type in HALVES for tensor in found.initializer),
        metadata={entry.key: entry.value for entry in model.metadata_props},
    )


def _checked_opset(model: Any) -> int:
    if not model.HasField("graph") or not model.ir_version:
        raise ValueError("is no ONNX file: it says no version or has no graph; export the network again")
    versions = {text(entry.domain): entry.version for entry in model.opset_import}
    standard = [versions[domain] for domain in _STANDARD if domain in versions]
    if len(standard) != 1:
        raise ValueError("does not say which version of ONNX's operators it uses; export the network again")
    _check_range("IR version", model.ir_version, IR_VERSIONS)
    _check_range("opset", standard[0], OPSETS)
    _check_range("opset of ai.onnx.ml", versions.get("ai.onnx.ml", 1), ML_OPSETS)
    return int(standard[0])


def _check_range(what: str, found: int, known: tuple[int, int]) -> None:
    if not known[0] <= found <= known[1]:
        fix = "install a newer nnkit, or export with an older one" if found > known[1] else "export with a newer one"
        raise ValueError(f"has {what} {found}, and this nnkit reads {known[0]} to {known[1]}; {fix}")


def _initialisers(graph: Any) -> dict[str, Array]:
    constants: dict[str, Array] = {}
    for tensor in graph.initializer:
        place = f"initialiser '{clipped(text(tensor.name))}'"
        if not tensor.name or tensor.name in constants:
            raise ValueError(f"has {'two of' if tensor.name else 'a nameless'} {place}; export the network again")
        check_tensor(tensor, place)
        constants[tensor.name] = array_of(tensor, place)
    return constants


def _node(node: Any, number: int) -> Node:
    domain, kind = text(node.domain), text(node.op_type)
    outputs = tuple(map(text, node.output))
    name = text(node.name) or (f"of {outputs[0]}" if outputs else f"number {number}")
    attributes: dict[str, Any] = {}
    kind = kind if domain in _STANDARD else f"{domain}.{kind}"
    made = Node(kind, name, tuple(map(text, node.input)), outputs, attributes)
    for attribute in node.attribute:
        if text(attribute.name) in attributes:
            raise ValueError(f"has {made.place} with two attributes '{clipped(attribute.name)}'; export it again")
        attributes[attribute.name] = _attribute(attribute, made)
    return made


def text(name: str | bytes) -> str:
    """A name in a file; the library gives bytes for what is not UTF-8."""
    if isinstance(name, bytes):
        raise ValueError(f"has a name that is not UTF-8, {clipped(ascii(name))}; export the network again")
    return name


def _attribute(attribute: Any, node: Node) -> Any:
    """The value of an attribute as plain data."""
    kinds = type(attribute)
    place = f"attribute '{clipped(attribute.name)}' of {node.place}"
    if attribute.type in (kinds.GRAPH, kinds.GRAPHS):
        raise ValueError(f"has a graph in {place}; loops and branches are not read: nnkit reads chains of layers")
    if attribute.type == kinds.TENSOR:
        check_tensor(attribute.t, place)
        return array_of(attribute.t, place)
    single = {kinds.FLOAT: attribute.f, kinds.INT: attribute.i, kinds.STRING: attribute.s}
    several = {kinds.FLOATS: attribute.floats, kinds.INTS: attribute.ints, kinds.STRINGS: attribute.strings}
    if attribute.type in single or attribute.type in several:
        one = attribute.type in single
        value = _plain(single[attribute.type]) if one else tuple(map(_plain, several[attribute.type]))
        expected = _EXPECTED.get(attribute.name, object)
        if not isinstance(value, expected) or (isinstance(value, float) and not isfinite(value)):
            raise ValueError(f"has {place} with the value {value!r:.80}; a number is expected: export it again")
        return value
    raise ValueError(f"has {place} of kind {attribute.type}, which is not read; export the network again")


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _input(graph: Any, constants: Mapping[str, Array]) -> Any:
    """The one input; older files list the initialisers among the inputs as well."""
    inputs = [value for value in graph.input if text(value.name) not in constants]
    if len(inputs) != 1:
        names = ", ".join(f"'{clipped(value.name)}'" for value in inputs[:10])
        raise ValueError(
            f"has {len(inputs)} inputs{f' ({names})' if names else ''}, and nnkit reads networks of one; export it "
            "with one array of all columns"
        )
    kind = inputs[0].type
    if kind.WhichOneof("value") != "tensor_type" or kind.tensor_type.elem_type not in (*FLOATS, *INTEGERS):
        raise ValueError(f"has the input '{clipped(inputs[0].name)}', which is no array of numbers; nnkit reads those")
    return inputs[0]


def _shape(source: Any) -> tuple[int | None, ...]:
    """Of the input, rows first."""
    place, kind = f"the input '{clipped(source.name)}'", source.type.tensor_type
    if not kind.HasField("shape"):
        raise ValueError(f"does not say which shape {place} has; export the network with the shape of its input")
    shape = tuple(size.dim_value if size.HasField("dim_value") and size.dim_value else None for size in kind.shape.dim)
    if len(shape) < 2:
        raise ValueError(
            f"takes {place} of shape {_shown(shape)}, and nnkit reads networks whose inputs have rows in their first "
            "axis; export it with a batch, of shape (rows, columns)"
        )
    total = 1
    for size in shape:
        total *= 1 if size is None or size is shape[0] else size
        if (size is not None and size < 0) or total > WIDEST:
            raise ValueError(
                f"takes {place} of shape {_shown(shape)}; a row has from 1 to {WIDEST:,} numbers: export it again"
            )
    return shape


def _shown(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('?' if size is None else f'{size:,}' for size in shape)}{',' if len(shape) == 1 else ''})"


def _outputs(graph: Any, nodes: tuple[Node, ...]) -> tuple[Output, ...]:
    made = {name for node in nodes for name in node.outputs}
    if not graph.output:
        raise ValueError("has no outputs; export the network again")
    for value in graph.output:
        if text(value.name) not in made:
            raise ValueError(f"has the output '{clipped(value.name)}', which no node makes; export the network again")
    return tuple(Output(v.name, v.type.tensor_type.elem_type not in (*INTEGERS, STRING)) for v in graph.output)


def _check_names(nodes: tuple[Node, ...], constants: Mapping[str, Array], source: str) -> None:
    """Refuse values that two nodes make, that none makes, or that are used before they are made."""
    known = {*constants, source}
    later = {name for node in nodes for name in node.outputs}
    for node in nodes:
        for name in node.inputs:
            if name and name not in known:
                odd = "made after it, so that the nodes form a circle or are out of order"
                reason = odd if name in later else "nowhere in the file"
                raise ValueError(f"has {node.place}, whose input '{clipped(name)}' is {reason}; export it again")
        for name in node.outputs:
            if name in known:
                raise ValueError(f"has {node.place}, which makes '{clipped(name)}' a second time; export it again")
            if name:
                known.add(name)
