"""Small ONNX models made node by node, what onnxruntime makes of rows, and reading files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from tests.peers import peer

ROWS = (1, 2, 7, 1000)


def node(kind: str, inputs: str, outputs: str, domain: str = "", **attributes: Any) -> Any:
    """A node; names of inputs and outputs are separated by spaces, '_' stands for an absent one."""
    names = [[("" if name == "_" else name) for name in text.split()] for text in (inputs, outputs)]
    label = f"{kind.lower()}_{names[1][0]}"
    return peer("onnx").helper.make_node(kind, *names, name=label, domain=domain, **attributes)


def model(
    nodes: Sequence[Any],
    constants: dict[str, Any] | None = None,
    *,
    shape: tuple[Any, ...] = ("rows", 3),
    outputs: Sequence[str] = ("y",),
    dtype: Any = np.float32,
    opset: int = 21,
    ir_version: int = 10,
    ml: bool = False,
) -> Any:
    """A model of nodes from "x" to "y"; constants are float32 unless they are arrays."""
    onnx = peer("onnx")
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    given = {k: v if isinstance(v, np.ndarray) else np.asarray(v, dtype) for k, v in (constants or {}).items()}
    graph = onnx.helper.make_graph(
        list(nodes),
        "network",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in given.items()],
    )
    opsets = [onnx.helper.make_opsetid("", opset)] + ([onnx.helper.make_opsetid("ai.onnx.ml", 3)] if ml else [])
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def loaded(made: Any, folder: Path) -> nnkit.Network:
    """What nnkit reads in the file of a model."""
    path = folder / "net.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return nnkit.load(path)


def runtime(made: Any, x: Any, output: int = 0) -> Any:
    """What onnxruntime gives, with one thread."""
    ort = peer("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    content = made if isinstance(made, bytes) else made.SerializeToString()
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[output]


def rows(count: int, shape: tuple[int, ...] = (3,), dtype: Any = np.float32, size: float = 2.0) -> Any:
    """Normal numbers of that size, the same for the same count."""
    return (np.random.default_rng(count).normal(size=(count, *shape)) * size).astype(dtype)


def same_as_runtime(made: Any, folder: Path, *, counts: Sequence[int] = ROWS, output: int = 0) -> nnkit.Network:
    """The network, after its predictions were compared with onnxruntime's.

    Both compute sums of products in float32 (float64), in orders of their own: to about √terms · 6·10⁻⁸ (1·10⁻¹⁶) of
    the largest, so 10⁻⁵ (10⁻⁷: attributes are float32 in either) is far above rounding and far below any mistake.
    """
    network = loaded(made, folder)
    tolerance = 1e-5 if network.dtype == "float32" else 1e-7
    for count in counts:
        x = rows(count, network.input_shape, network.dtype)
        expected = runtime(made, x, output)
        found = network.predict(x)
        assert found.dtype == expected.dtype
        assert found.shape == (expected.shape if expected.ndim > 1 else (count, 1))
        np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=tolerance, atol=tolerance)
    return network


def weights(*shape: int, seed: int = 0) -> Any:
    """Normal numbers, the same for the same shape and seed."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def layers(network: nnkit.Network) -> str:
    """The layers as text."""
    return repr(network.module).removeprefix("Sequential([").removesuffix("])")
