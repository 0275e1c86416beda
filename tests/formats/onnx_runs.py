"""Networks and graphs as ONNX, run by onnxruntime and by the evaluator that ONNX itself brings."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit.formats.onnx.exporting.model import write
from nnkit.formats.onnx.exporting.opsets import NEWEST, OLDEST
from nnkit.formats.onnx.exporting.rows import Lines, without_repetition
from nnkit.formats.onnx.exporting.spelled import spelled_out
from nnkit.formats.onnx.exporting.writer import Writer
from nnkit.graph import Graph, Trace
from tests.peers import peer

BATCHES = (1, 2, 7, 1000)


@cache
def newest() -> int:
    """The highest version that nnkit, the library and the runtime know."""
    onnx = peer("onnx")
    trace = Trace()
    same = trace.graph({"y": trace.input("0", "data", (1,), "float32") * 2.0})
    for opset in range(min(NEWEST, onnx.defs.onnx_opset_version()), OLDEST, -1):
        try:
            session(of_graph(same, opset))
        except peer("onnxruntime").capi.onnxruntime_pybind11_state.Fail:
            continue
        return opset
    return OLDEST


def exported(net: nnkit.Network, opset: int | None = None) -> Any:
    """The network's file, read by the library."""
    onnx = peer("onnx")
    with tempfile.TemporaryDirectory() as folder:
        net.export(Path(folder) / "net.onnx", opset=opset)
        return onnx.load(Path(folder) / "net.onnx")


def operators(model: Any) -> list[str]:
    """What the nodes are."""
    return [node.op_type for node in model.graph.node]


def session(model: Any) -> Any:
    """One thread, and no optimisation that takes longer than the rest."""
    runtime = peer("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def ran(model: Any, x: np.ndarray) -> np.ndarray:
    """What onnxruntime computes."""
    return session(model).run(None, {"input": x})[0]


def evaluated(model: Any, x: np.ndarray) -> np.ndarray:
    """What ONNX's own evaluator computes: slower, and written by others."""
    peer("onnx")
    from onnx.reference import ReferenceEvaluator

    with np.errstate(all="ignore"):
        return ReferenceEvaluator(model).run(None, {"input": x})[0]


def close(found: np.ndarray, expected: np.ndarray, units: float) -> None:
    """Equal in kind and shape, and to so many units in the last place of the larger of 1 and the value.

    Functions near 0 are not compared to a few units of their own: onnxruntime's Elu is exp(x) − 1, and 0 for x = 1e-9.
    """
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert np.array_equal(np.isfinite(found), np.isfinite(expected))
    if found.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
        return
    unit = units * float(np.finfo(found.dtype).eps)
    np.testing.assert_allclose(found.astype("float64"), expected.astype("float64"), rtol=unit, atol=unit)


def agrees(net: nnkit.Network, units: float, opset: int | None = None, batches: Sequence[int] = BATCHES) -> Any:
    """The file's model, after it gave what the network predicts for these numbers of rows."""
    model = exported(net, opset)
    running, draw = session(model), np.random.default_rng(0)
    for rows in batches:
        x = draw.normal(size=(rows, *net.input_shape)).astype(net.dtype)
        close(running.run(None, {"input": x})[0], net.predict(x), units)
    return model


def shaken(net: nnkit.Network) -> nnkit.Network:
    """With values of no special kind in all leaves, so that none of them goes unnoticed."""
    draw = np.random.default_rng(1)
    net.set_parameters({path: draw.uniform(0.2, 1.2, value.shape) for path, value in net._model.values().items()})
    return net


def moved(net: nnkit.Network) -> nnkit.Network:
    """With every value a little away from where it starts.

    onnxruntime 1.32 does not load (x − 0) · (1 / v), which a BatchNorm of one unit is before training: two of its
    rewrites get into each other's way.
    """
    draw = np.random.default_rng(1)
    values = net._model.values()
    net.set_parameters({path: value + 0.1 * draw.uniform(0.5, 1.0, value.shape) for path, value in values.items()})
    return net


def of_graph(graph: Graph, opset: int) -> Any:
    """A graph whose sizes are fixed; its inputs are called in0, in1 and so on."""
    onnx = peer("onnx")
    lines = without_repetition(Lines.of(spelled_out(graph)))
    writer = Writer(onnx, opset, set())
    write(writer, lines, lambda name: f"in{name}")
    last = lines.lines[lines.output]
    typed = onnx.helper.make_tensor_value_info
    inputs = [
        typed(f"in{name}", writer.type_of(graph.nodes[i].dtype), graph.nodes[i].shape)
        for name, i in graph.inputs.items()
    ]
    output = typed("output", writer.type_of(last.node.dtype), last.shape)
    versions = [onnx.helper.make_opsetid("", opset)]
    made = onnx.helper.make_graph(writer.nodes, "graph", inputs, [output], writer.initializers)
    version = onnx.helper.find_min_ir_version_for(versions)
    model = onnx.helper.make_model(made, opset_imports=versions, ir_version=version)
    onnx.checker.check_model(model, full_check=True)
    return model
