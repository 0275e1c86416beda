"""A network as a file: what is refused, the official checker, and the bytes."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.checkpoint.target import check_target, writing
from nnkit.errors import ArgumentError, FileError
from nnkit.formats.onnx.exporting.model import model_of
from nnkit.formats.onnx.exporting.opsets import checked_opset, library
from nnkit.measure.units import bytes_text

if TYPE_CHECKING:
    from nnkit.network import Network

LARGEST = 2**31 - 1
"""Bytes of one message of protobuf, which an ONNX file is."""


def export(network: Network, path: Path, opset: int = 21) -> None:
    """Write the network as an ONNX file that gives what ``net.predict`` gives, for any number of rows.

    The file has one input, "input", of shape (batch, \\*input_shape) and the network's data type, and one output,
    "output". Rows go in as they were measured: where the network standardises them, the file does. Initialisers have
    the paths of parameters and states for their names ("layers.0.weight"), nodes begin with the path of their layer
    ("layers.0/Gemm"). Functions for which ONNX has an operator (Gemm, Relu, Softmax, Gelu, LayerNormalization, …) are
    that operator, if the opset has it; all else, modules of your own too, is written operation by operation. In float64
    only operators are used that onnxruntime computes in it. The metadata hold, as JSON, the names of classes
    ("classes"), of columns ("features") and of what is predicted ("target"), where the network knows them. The same
    network gives the same bytes.

    ``opset`` 21 is that of ONNX 1.16, which onnxruntime has read since 1.18; with 13 to 19 some functions take several
    operators, and from 23 on RMSNorm is one. The IR version is the oldest that goes with the opset.

    Raises:
        ArgumentError: an opset that cannot be written; a layer that computes something else for another number of
            rows; a network that is larger than protobuf's 2 GB.
        DataError: a parameter is NaN or infinite.
        FileError: the file cannot be written, or the official checker refuses it; an old one stays as it was.
        MissingExtraError: onnx is not installed.

    >>> import nnkit, onnx
    >>> nnkit.FeedForward(inputs=2, hidden=[3], outputs=2, seed=0).export("net.onnx")
    >>> [node.op_type for node in onnx.load("net.onnx").graph.node]
    ['Gemm', 'Relu', 'Gemm']
    """
    onnx = library()
    version = checked_opset(onnx, opset)
    check_target(path, "net.onnx")
    _check_size(sum(map(prod, network._model.layout.shapes.values())) * np.dtype(network.dtype).itemsize)
    model = model_of(network, onnx, version)
    graph = model.graph
    _check_size(sum(part.ByteSize() for part in (*graph.initializer, *graph.node)))
    content = model.SerializeToString(deterministic=True)
    del model, graph  # which the checker reads again
    with writing(path, "net.onnx") as new:
        new.write_bytes(content)
        _check(onnx, new, path)


def _check_size(size: int) -> None:
    """Before anything of it is made, and when all of it is known."""
    if size > LARGEST:
        raise ArgumentError(
            f"export: the network takes {bytes_text(size)}, and an ONNX file holds at most {bytes_text(LARGEST)}; "
            "export its parameters as .safetensors, or save it with net.save, which have no such limit"
        )


def _check(onnx: Any, new: Path, path: Path) -> None:
    """What stands on the disk, before it takes its name."""
    try:
        onnx.checker.check_model(os.fspath(new), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise FileError(
            f"{path} was not written: the checker of ONNX refuses the network's graph; please report it: "
            f"{' '.join(str(error).split()):.500}"
        ) from error
