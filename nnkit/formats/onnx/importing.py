"""An ONNX file as a network of layers."""

from __future__ import annotations

import warnings
from pathlib import Path

from nnkit.errors import FileError, NnkitWarning
from nnkit.formats.onnx.import_chain import Chain
from nnkit.formats.onnx.import_evaluating import Evaluator
from nnkit.formats.onnx.import_file import model_in
from nnkit.formats.onnx.import_fitting import fitted
from nnkit.formats.onnx.import_graph import Graph, graph_of
from nnkit.formats.onnx.import_layers import dtype_of, network_of
from nnkit.formats.onnx.import_outputs import output_of
from nnkit.formats.onnx.import_pieces import Row
from nnkit.formats.onnx.import_recognising import Recogniser
from nnkit.network import Network


def load(path: Path, device: str) -> Network:
    """Read it."""
    try:
        graph = graph_of(model_in(path))
        output, classes = output_of(graph)
        numbers = sum(array.size for array in graph.constants.values())
        chain = Chain(graph, output, Evaluator(graph.opset, numbers))
        row = _row(graph, chain)
        found = Recogniser(chain, graph.shape[0], row)
        dtype = dtype_of(found.pieces, graph.dtype)
        network = network_of(fitted(found.pieces, found.rows), row, dtype, device)
    except ValueError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} {error}") from error
    network.classes = classes
    if graph.halves:
        warnings.warn(
            f"{path} has values in float16 or bfloat16, and nnkit computes in float32: predictions have more digits",
            NnkitWarning,
            stacklevel=3,
        )
    return network


def _row(graph: Graph, chain: Chain) -> Row:
    """The shape of one row; the number of columns of a table is found at the first matrix where it is left free."""
    row = graph.shape[1:]
    if len(row) == 1 and row[0] is None:
        for block in chain.blocks:
            for node in block.nodes:
                if node.kind in ("Gemm", "MatMul") and len(node.inputs) > 1:
                    weight = chain.constants.get(node.inputs[1])
                    if weight is not None and weight.ndim == 2:
                        return (weight.shape[1 if node.attributes.get("transB", 0) else 0],)
    known = tuple(size for size in row if size is not None)
    if len(known) < len(row):
        raise ValueError(
            f"leaves sizes of its input free, {['?' if size is None else size for size in row]} for one row; export it "
            "with those of a row, so that only the number of rows is free"
        )
    return known
