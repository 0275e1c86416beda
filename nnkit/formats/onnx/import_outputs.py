"""The outputs of a graph: which of them is the network's, and the classes that scikit-learn's exporter adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_chain import constant_of
from nnkit.formats.onnx.import_graph import Graph, Node
from nnkit.names import clipped

_ZIP_MAP, _CHOICE = "ai.onnx.ml.ZipMap", "ai.onnx.ml.ArrayFeatureExtractor"
_PASSING = ("Identity", "Cast", "Reshape", "Squeeze")


def output_of(graph: Graph) -> tuple[str, tuple[str, ...] | None]:
    """The value that is the network's output, and the names of its classes where the graph tells them.

    Outputs that are whole numbers or texts are labels, which follow from the network's output, and are left out; a list
    of dictionaries (ZipMap), or one column for each class, is the array that it is made of.
    """
    makers = {name: node for node in graph.nodes for name in node.outputs if name}
    found = list(dict.fromkeys(_source(output.name, makers) for output in graph.outputs if output.numbers))
    if len(found) > 1:
        found = _joined(found, makers)
    if not found:
        raise ValueError(
            "has classes as its only output, and nnkit's networks give the numbers that these are chosen by; export "
            "the probabilities, or the values before them, as an output"
        )
    if len(found) > 1:
        names = ", ".join(f"'{clipped(output.name)}'" for output in graph.outputs[:10])
        raise ValueError(
            f"has {len(graph.outputs)} outputs ({names}), and nnkit reads networks of one; export that one"
        )
    return found[0], _classes(graph, makers)


def _source(name: str, makers: Mapping[str, Node]) -> str:
    """The array that an output is, behind nodes that only pass it on."""
    while name in makers and makers[name].kind in ("Identity", _ZIP_MAP) and makers[name].inputs:
        name = makers[name].inputs[0]
    return name


def _joined(names: list[str], makers: Mapping[str, Node]) -> list[str]:
    """The one array that outputs are the columns of, if they are: scikit-learn's ``zipmap="columns"``."""
    sources = set()
    for name in names:
        node = makers.get(name)
        while node is not None and node.kind == "Reshape" and node.inputs:
            node = makers.get(node.inputs[0])
        if node is None or node.kind != "Slice" or not node.inputs:
            return names
        sources.add(_source(node.inputs[0], makers))
    return list(sources) if len(sources) == 1 else names


def _classes(graph: Graph, makers: Mapping[str, Node]) -> tuple[str, ...] | None:
    """Names of classes; None where there are none, or where they are the numbers from 0 up."""
    for output in graph.outputs:
        node = makers.get(output.name)
        while node is not None and node.inputs:
            if node.kind == _ZIP_MAP:
                options = node.attributes
                return _names(options.get("classlabels_strings") or options.get("classlabels_int64s") or ())
            if node.kind == _CHOICE and (known := _constant(node.inputs[0], graph, makers)) is not None:
                return _names(known.ravel().tolist())
            node = makers.get(node.inputs[0]) if node.kind in _PASSING else None
    return None


def _constant(name: str, graph: Graph, makers: Mapping[str, Node]) -> Array | None:
    node = makers.get(name)
    return constant_of(node) if node is not None and node.kind == "Constant" else graph.constants.get(name)


def _names(labels: Sequence[str | int]) -> tuple[str, ...] | None:
    if not labels or list(labels) == list(range(len(labels))):
        return None
    return tuple(str(label) for label in labels)
