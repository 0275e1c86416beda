"""Nodes that no layer of nnkit's stands for, and layers whose values do not fit: refused by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnkit.errors import FileError
from tests.formats.onnx.graphs import loaded, model, node, weights

n = node
W = weights(3, 4)

NODES: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "several unknown operators": (
        [n("LSTM", "x w w w", "a"), n("Conv", "a w", "b"), n("Conv", "b w", "c"), n("Odd", "c", "y", domain="mine")],
        {"w": W},
        r"stands for: Conv \('conv_b', 'conv_c'\); LSTM \('lstm_a'\); mine\.Odd \('odd_y'\)\. nnkit reads feed-forward",
    ),
    "more than five of a kind": (
        [n("Conv", "x w", "c0"), *(n("Conv", f"c{i} w", f"c{i + 1}") for i in range(6)), n("Relu", "c6", "y")],
        {"w": W},
        r"Conv \('conv_c0', 'conv_c1', 'conv_c2', 'conv_c3', 'conv_c4' and 2 more\)",
    ),
    "a shortcut": (
        [n("Gemm", "x w", "a"), n("Relu", "a", "r"), n("Add", "x r", "y")],
        {"w": weights(3, 3)},
        r"'add_y' \(Add\), where branches meet that part at 'x'; nnkit reads chains of layers",
    ),
    "branches": (
        [n("Gemm", "x w", "a"), n("Gemm", "x v", "b"), n("Concat", "a b", "y", axis=1)],
        {"w": W, "v": weights(3, 2)},
        r"'concat_y' \(Concat\), where branches meet that part at 'x'",
    ),
    "a product of branches": (
        [n("Gemm", "x w", "a"), n("Gemm", "x w", "b"), n("Mul", "a b", "y")],
        {"w": W},
        r"'mul_y' \(Mul\), where branches meet",
    ),
    "the input as a matrix": (
        [n("MatMul", "w x", "y")],
        {"w": W},
        r"'matmul_y' \(MatMul\), whose right-hand matrix is comp",
    ),
    "a layer between constants": (
        [n("Gemm", "w v", "c"), n("MatMul", "x c", "y")],
        {"w": W, "v": weights(4, 2)},
        r"'gemm_c' \(Gemm\) between constants, which is not read; export with constants folded",
    ),
    "batch normalisation of pictures": (
        [n("BatchNormalization", "x s s s s", "y")],
        {"s": [1.0, 2.0, 3.0]},
        r"'batchnormalization_y' \(BatchNormalization\) for rows of shape \[3, 4\], whose first axis",
    ),
    "slopes for something else": (
        [n("PRelu", "x s", "y")],
        {"s": weights(3, 1)},
        r"\(PRelu\), whose slope has shape \[3, 1\]",
    ),
    "dropout of everything": (
        [n("Dropout", "x r", "y")],
        {"r": 1.0},
        r"'dropout_y' \(Dropout\), whose ratio is 1; it is",
    ),
    "a constant without a value": (
        [n("Constant", "", "c"), n("Add", "x c", "y")],
        {},
        r"'constant_c' \(Constant\) without",
    ),
    "a cast to whole numbers": ([n("Cast", "x", "c", to=7), n("Relu", "c", "y")], {}, r"none of nnkit's activations"),
    "a cast to text": ([n("Cast", "x", "c", to=8), n("Relu", "c", "y")], {}, r"it casts to the data type 8"),
    "an axis that is not there": (
        [n("ReduceMean", "x a", "m"), n("Sub", "x m", "y")],
        {"a": np.array([9])},
        r"axis 9 is none",
    ),
    "a running sum from the end": (
        [n("CumSum", "x a", "c", reverse=1), n("Softmax", "c", "y")],
        {"a": np.array(1)},
        r"a running sum from the end",
    ),
    "a slice without bounds": (
        [n("Slice", "x _ _", "y")],
        {},
        r"'slice_y' \(Slice\), which cannot be computed.*no bounds",
    ),
    "a split that does not fit": (
        [n("Split", "x s", "p q", axis=1), n("Mul", "p q", "y")],
        {"s": np.array([2, 3])},
        r"4 places are split into \[2, 3\]",
    ),
}


@pytest.mark.parametrize(("nodes", "constants", "text"), NODES.values(), ids=NODES)
def test_nodes_that_are_no_layers(nodes: list[Any], constants: dict[str, Any], text: str, tmp_path: Path) -> None:
    shape = (
        ("rows", 3, 4) if "BatchNorm" in text or "slope" in text else ("rows", 4) if "split" in text else ("rows", 3)
    )
    with pytest.raises(FileError, match=text):
        loaded(model(nodes, constants, shape=shape), tmp_path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"s": weights(5)}, r"\(BatchNormalization\), whose weight has 5 numbers for 3 features"),
        ({"v": [-1.0, 1.0, 1.0]}, r"whose epsilon or variance is not positive"),
        ({"m": weights(3, 1)}, r"whose mean is float32\[3, 1\]; expected are numbers in 1 axis"),
    ],
)
def test_batch_normalisation_that_does_not_fit(change: dict[str, Any], text: str, tmp_path: Path) -> None:
    constants = {"s": weights(3), "o": weights(3), "m": weights(3), "v": [1.0, 1.0, 1.0]} | change
    with pytest.raises(FileError, match=text):
        loaded(model([n("BatchNormalization", "x s o m v", "y")], constants), tmp_path)


@pytest.mark.parametrize("field", ["scale", "offset"])
def test_a_scaler_that_does_not_fit(field: str, tmp_path: Path) -> None:
    nodes = [n("Scaler", "x", "y", domain="ai.onnx.ml", **{field: [1.0, 2.0]})]
    with pytest.raises(
        FileError, match=rf"'scaler_y' \(ai\.onnx\.ml\.Scaler\), whose {field} has 2 numbers for 3 columns"
    ):
        loaded(model(nodes, ml=True), tmp_path)


def test_an_ml_opset_that_is_too_new(tmp_path: Path) -> None:
    made = model([n("Relu", "x", "y")], ml=True)
    made.opset_import[1].version = 50
    with pytest.raises(FileError, match=r"has opset of ai\.onnx\.ml 50, and this nnkit reads 1 to 5"):
        loaded(made, tmp_path)
