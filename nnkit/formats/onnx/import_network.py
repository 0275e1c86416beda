"""From a file to a network, step by step: bytes, graph, chain, pieces, layers."""

from __future__ import annotations

import warnings
from pathlib import Path

from nnkit.errors import FileError, NnkitError, NnkitWarning
from nnkit.formats.onnx.import_chain import Chain
from nnkit.formats.onnx.import_evaluating import Evaluator
from nnkit.formats.onnx.import_file import model_in
from nnkit.formats.onnx.import_fitting import fitted
from nnkit.formats.onnx.import_graph import Graph, graph_of
from nnkit.formats.onnx.import_layers import dtype_of, network_of
from nnkit.formats.onnx.import_metadata import classes_of, columns_of
from nnkit.formats.onnx.import_outputs import output_of
from nnkit.formats.onnx.import_pieces import Row
from nnkit.formats.onnx.import_recognising import Recogniser
from nnkit.names import clipped
from nnkit.network import Network
from nnkit.training.targets import names_for

SHARED, ANYWAY = 4, 1_000_000
"""How many times over the layers of a file may take its numbers, and how many numbers they may take in any case."""


def network_in(path: Path, device: str) -> Network:
    """The network in a file; FileError says which file, where in it, what was found and what to do."""
    try:
        graph = graph_of(model_in(path))
        network = _network(graph, device)
    except (NnkitError, MemoryError):
        raise
    except ValueError as error:
        raise FileError(f"{path} {error}") from error
    except Exception as error:  # anything can stand in a file
        raise FileError(
            f"{path} has something in it that no exporter writes ({type(error).__name__}: {clipped(str(error))}); "
            "export the network again"
        ) from error
    if graph.halves:
        warnings.warn(
            f"{path} has values in float16 or bfloat16, and nnkit computes in float32: predictions have more digits",
            NnkitWarning,
            stacklevel=4,
        )
    return network


def _network(graph: Graph, device: str) -> Network:
    output, classes = output_of(graph)
    numbers = sum(array.size for array in graph.constants.values())
    chain = Chain(graph, output, Evaluator(graph.opset, numbers))
    _check_sharing(chain, numbers)
    row = _row(graph, chain)
    found = Recogniser(chain, graph.shape[0], row)
    dtype = dtype_of(found.pieces, graph.dtype)
    network = network_of(fitted(found.pieces, found.rows), row, dtype, device)
    told_apart = names_for(network.module, network._model.layout)
    if classes is not None and len(set(classes)) != told_apart:
        raise ValueError(
            f"has the classes {', '.join(map(repr, map(clipped, classes[:10])))} for a network that tells {told_apart} "
            "apart; export the network again"
        )
    network.classes = classes_of(graph.metadata, told_apart) if classes is None else classes
    network.preprocessing = columns_of(graph.metadata, network.input_shape, network.preprocessing)
    return network


def _check_sharing(chain: Chain, numbers: int) -> None:
    """Refuse a small file that a network of any size would be made of: each layer has values of its own in nnkit."""
    used = sum(
        chain.constants[name].size
        for block in chain.blocks
        for node in block.nodes
        for name in node.inputs
        if name in chain.constants
    )
    if used > SHARED * numbers + ANYWAY:
        raise ValueError(
            f"has {numbers:,} numbers in it, and its layers take {used:,}, since they share them; in nnkit each layer "
            "has its own: export a network in which they do"
        )


def _row(graph: Graph, chain: Chain) -> Row:
    """The shape of one row; where the columns of a table are left free, the first matrix tells how many there are."""
    row = graph.shape[1:]
    if row == (None,):
        matrices = (node for block in chain.blocks for node in block.nodes if node.kind in ("Gemm", "MatMul"))
        first = next(matrices, None)
        weight = None if first is None or len(first.inputs) < 2 else chain.constants.get(first.inputs[1])
        if first is not None and weight is not None and weight.ndim == 2:
            return (weight.shape[1 if first.attributes.get("transB", 0) else 0],)
    known = tuple(size for size in row if size is not None)
    if len(known) < len(row):
        shown = ", ".join("?" if size is None else str(size) for size in row)
        raise ValueError(
            f"leaves sizes of its input free: a row is ({shown}{',' if len(row) == 1 else ''}); export it so that only "
            "the number of rows is free"
        )
    return known
