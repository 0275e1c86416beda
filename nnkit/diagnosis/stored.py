"""A step as a file: its graph as JSON and its arrays, in NumPy's own format; nothing in it is code."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from nnkit.diagnosis.step import Array, Step
from nnkit.errors import DataError, FileError
from nnkit.graph.ir import Graph, Node, Origin
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.primitives.creation import Constant
from nnkit.measure.files import replacing

FORMAT = 1
HEADER = "step"
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, TokenError)
"""What the libraries that unpack and read arrays raise besides."""
HINT = "pass the file that the warning of a failed training names"


def save(step: Step, path: str | os.PathLike[str]) -> None:
    """Write a step; what stands at ``path`` is replaced in one go."""
    arrays = {f"input {name}": value for name, value in step.inputs.items()}
    nodes = [_node(node, arrays) for _, node in step.graph]
    header = {
        "format": FORMAT,
        "epoch": step.epoch,
        "number": step.number,
        "rows": list(step.rows),
        "parameters": {name: list(shape) for name, shape in step.parameters.items()},
        "nodes": nodes,
        "outputs": [list(output) for output in step.graph.outputs],
    }
    with replacing(path) as new, new.open("wb") as file:  # an open file: NumPy adds no ".npz" to the name
        np.savez_compressed(file, allow_pickle=False, **{HEADER: np.array(json.dumps(header))}, **arrays)


def load(path: str | os.PathLike[str]) -> Step:
    """Read a step that ``save`` wrote."""
    if Path(path).exists() and not zipfile.is_zipfile(path):
        raise DataError(f"'{path}' is not a step that nnkit kept; {HINT}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop(HEADER)[()]))
        if header["format"] != FORMAT:
            raise DataError(f"'{path}' has format {header['format']}; this version of nnkit reads {FORMAT}")
        return _step(header, arrays)
    except (FileNotFoundError, PermissionError) as reason:
        raise FileError(f"cannot read the step '{path}': {reason.strerror}; {HINT}") from None
    except (*DAMAGED, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as reason:
        raise DataError(f"'{path}' is not a step that nnkit kept ({type(reason).__name__}: {reason}); {HINT}") from None


def _step(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Step:
    nodes: list[Node] = []
    for place, found in enumerate(header["nodes"]):
        nodes.append(_read_node(place, found, arrays))
    graph = Graph(tuple(nodes), tuple((str(name), int(i)) for name, i in header["outputs"]))
    inputs = {name: arrays[f"input {name}"] for name in graph.inputs}
    shapes = {str(name): tuple(map(int, shape)) for name, shape in header["parameters"].items()}
    return Step(graph, inputs, tuple(map(int, header["rows"])), shapes, int(header["epoch"]), int(header["number"]))


def _node(node: Node, arrays: dict[str, Array]) -> list[Any]:
    attributes = {name: _plain(value, arrays) for name, value in node.attributes}
    origin = node.origin
    return [node.operation, node.inputs, attributes, node.shape, node.dtype, origin.path, origin.source, origin.phase]


def _plain(value: Any, arrays: dict[str, Array]) -> Any:
    """A static attribute as JSON has it: arrays stand beside it, tuples become lists."""
    if isinstance(value, Constant):
        name = f"constant {value.digest}"
        arrays[name] = value.array
        return {"array": name}
    return [_plain(each, arrays) for each in value] if isinstance(value, tuple) else value


def _read_node(place: int, found: list[Any], arrays: Mapping[str, Array]) -> Node:
    operation, inputs, attributes, shape, dtype, path, source, phase = found
    if operation not in PRIMITIVES:
        raise ValueError(f"there is no operation {operation!r}")
    if not all(type(i) is int and 0 <= i < place for i in inputs):
        raise ValueError(f"operation {place} reads what is not there")
    options = tuple((name, _attribute(value, arrays)) for name, value in attributes.items())
    return Node(operation, tuple(inputs), options, tuple(shape), str(dtype), Origin(str(path), str(source), str(phase)))


def _attribute(value: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(value, dict):
        return Constant(arrays[value["array"]])
    return tuple(_attribute(each, arrays) for each in value) if isinstance(value, list) else value
