"""Functions of whole rows, as operators and written out: softmax, GLU, maxout, normalisation; beside onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnkit.errors import FileError
from tests.formats.onnx.graphs import layers, loaded, model, node, same_as_runtime, weights

n = node
Case = tuple[str, list[Any], dict[str, Any]]
AXIS = {"last": np.array([-1])}

WITHOUT_WEIGHTS: dict[str, Case] = {
    "softmax by hand": (
        "softmax",
        [n("Exp", "a", "e"), n("ReduceSum", "e last", "s", keepdims=1), n("Div", "e s", "y")],
        AXIS,
    ),
    "softmax by hand, the largest taken out": (
        "softmax",
        [
            n("ReduceMax", "a last", "m", keepdims=1),
            n("Sub", "a m", "d"),
            n("Exp", "d", "e"),
            n("ReduceSum", "e last", "s", keepdims=1),
            n("Div", "e s", "y"),
        ],
        AXIS,
    ),
    "the logarithm of softmax": ("log_softmax", [n("Softmax", "a", "s"), n("Log", "s", "y")], {}),
    "log softmax by hand": (
        "log_softmax",
        [n("ReduceLogSumExp", "a last", "s", keepdims=1), n("Sub", "a s", "y")],
        AXIS,
    ),
    "softmin": ("softmax", [n("Neg", "a", "m"), n("Softmax", "m", "y")], {}),
    "softmax with a temperature": ("softmax", [n("Div", "a t", "m"), n("Softmax", "m", "y")], {"t": 3.0}),
    "glu by Split": (
        "glu",
        [n("Split", "a", "p q", axis=-1, num_outputs=2), n("Sigmoid", "q", "s"), n("Mul", "p s", "y")],
        {},
    ),
    "glu by Slice": (
        "glu",
        [
            n("Slice", "a zero two one", "p"),
            n("Slice", "a two four one", "q"),
            n("Sigmoid", "q", "s"),
            n("Mul", "s p", "y"),
        ],
        {"zero": np.array([0]), "two": np.array([2]), "four": np.array([4]), "one": np.array([1])},
    ),
    "maxout": (
        "maxout",
        [n("Reshape", "a s", "r"), n("ReduceMax", "r last", "y", keepdims=0)],
        AXIS | {"s": np.array([0, 2, 2])},
    ),
}


@pytest.mark.parametrize(("name", "nodes", "constants"), WITHOUT_WEIGHTS.values(), ids=WITHOUT_WEIGHTS)
def test_a_function_of_rows(name: str, nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    made = model([n("Gemm", "x W B", "a"), *nodes], {"W": weights(3, 4), "B": weights(4), **constants})
    network = same_as_runtime(made, tmp_path)
    assert layers(network) == f"Dense(4, activation='{name}')"
    assert network.dtype == "float32"


def test_sparsemax_by_sorting(tmp_path: Path) -> None:
    """τ = max over k of (x₁ + … + xₖ − 1) / k, with x in falling order."""
    nodes = [
        n("TopK", "a four", "t i", axis=-1, largest=1),
        n("CumSum", "t axis", "c"),
        n("Sub", "c one", "d"),
        n("Div", "d ranks", "e"),
        n("ReduceMax", "e last", "m", keepdims=1),
        n("Sub", "a m", "b"),
        n("Relu", "b", "y"),
    ]
    constants = {"W": weights(3, 4), "B": weights(4), "four": np.array([4]), "axis": np.array(1), "one": 1.0}
    made = model([n("Gemm", "x W B", "a"), *nodes], constants | AXIS | {"ranks": [1.0, 2.0, 3.0, 4.0]})
    assert layers(same_as_runtime(made, tmp_path)) == "Dense(4, activation='sparsemax')"


def test_maxout_of_three(tmp_path: Path) -> None:
    nodes = [n("Gemm", "x W", "a"), n("Reshape", "a s", "r"), n("ReduceMax", "r last", "y", keepdims=0)]
    network = same_as_runtime(model(nodes, {"W": weights(3, 6), "s": np.array([-1, 2, 3]), **AXIS}), tmp_path)
    assert layers(network) == "Dense(6, activation=Activation('maxout', pieces=3))"


def normalised(root: list[Any], shift: bool = True) -> list[Any]:
    """(a − mean) / root · s + o, where ``root`` makes "r" of "d"."""
    last = [n("Mul", "q s", "p"), n("Add", "p o", "y")] if shift else [n("Mul", "q s", "y")]
    return [n("ReduceMean", "a last", "m", keepdims=1), n("Sub", "a m", "d"), *root, n("Div", "d r", "q"), *last]


ROOT = [n("ReduceMean", "v last", "u", keepdims=1), n("Add", "u eps", "w"), n("Sqrt", "w", "r")]
MEAN_SQUARE = [
    n("Pow", "a two", "v"),
    n("ReduceMean", "v last", "u", keepdims=1),
    n("Add", "u eps", "w"),
    n("Sqrt", "w", "r"),
]
GROUPS = [n("Reshape", "a groups", "g"), n("InstanceNormalization", "g ones zeros", "i", epsilon=0.01)]
VALUES = {"s": weights(8, seed=1), "o": weights(8, seed=2), "eps": 0.01, "two": 2.0, **AXIS}
GROUP_VALUES = VALUES | {"groups": np.array([0, 2, -1]), "ones": [1.0, 1.0], "zeros": [0.0, 0.0]}

# The epsilon is large and groups are wide, since onnxruntime squares before it subtracts: digits are lost where numbers
# are near each other.
NORMS: dict[str, Case] = {
    "LayerNormalization": ("LayerNorm", [n("LayerNormalization", "a s o", "y", epsilon=0.01)], VALUES),
    "LayerNormalization without a bias": ("LayerNorm", [n("LayerNormalization", "a s", "y", epsilon=0.01)], VALUES),
    "layer norm by Pow": ("LayerNorm", normalised([n("Pow", "d two", "v"), *ROOT]), VALUES),
    "layer norm by Mul": ("LayerNorm", normalised([n("Mul", "d d", "v"), *ROOT]), VALUES),
    "layer norm without a bias": ("LayerNorm", normalised([n("Mul", "d d", "v"), *ROOT], shift=False), VALUES),
    "layer norm of TensorFlow": (
        "LayerNorm",
        [
            n("ReduceMean", "a last", "m", keepdims=1),
            n("Sub", "a m", "d"),
            n("Mul", "d d", "v"),
            n("ReduceMean", "v last", "u", keepdims=1),
            n("Add", "u eps", "w"),
            n("Sqrt", "w", "r"),
            n("Reciprocal", "r", "k"),
            n("Mul", "k s", "ks"),
            n("Mul", "a ks", "aks"),
            n("Mul", "m ks", "mks"),
            n("Sub", "o mks", "c"),
            n("Add", "aks c", "y"),
        ],
        VALUES,
    ),
    "root mean square": ("RMSNorm", [*MEAN_SQUARE, n("Div", "a r", "q"), n("Mul", "q s", "y")], VALUES),
    "root mean square of PyTorch": (
        "RMSNorm",
        [*MEAN_SQUARE, n("Reciprocal", "r", "k"), n("Mul", "a k", "q"), n("Mul", "q s", "y")],
        VALUES,
    ),
    "groups of PyTorch": (
        "GroupNorm",
        [*GROUPS, n("Shape", "a", "h"), n("Reshape", "i h", "j"), n("Mul", "j s", "p"), n("Add", "p o", "y")],
        GROUP_VALUES,
    ),
    "groups with a fixed shape": (
        "GroupNorm",
        [*GROUPS, n("Reshape", "i flat", "j"), n("Mul", "j s", "p"), n("Add", "p o", "y")],
        GROUP_VALUES | {"flat": np.array([-1, 8])},
    ),
    "GroupNormalization": (
        "GroupNorm",
        [n("GroupNormalization", "a s o", "y", num_groups=2, epsilon=0.01)],
        VALUES,
    ),
}


@pytest.mark.parametrize(("kind", "nodes", "constants"), NORMS.values(), ids=NORMS)
def test_a_normalisation(kind: str, nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    made = model([n("Gemm", "x W B", "a"), *nodes], {"W": weights(3, 8), "B": weights(8), **constants})
    network = same_as_runtime(made, tmp_path)
    options = "2, eps=0.01" if kind == "GroupNorm" else "eps=0.01"
    assert layers(network) == f"Dense(8, activation='identity'), {kind}({options})"
    np.testing.assert_array_equal(network.parameters()["layers.1.weight"], constants["s"])
    if "layers.1.bias" in network.parameters():
        assert network.parameters()["layers.1.bias"].tolist() in (constants["o"].tolist(), [0.0] * 8)
    assert network.dtype == "float32"


def test_groups_of_opset_18_have_their_weights_for_each_group(tmp_path: Path) -> None:
    nodes = [n("Gemm", "x W", "a"), n("GroupNormalization", "a s o", "y", num_groups=2)]
    made = model(nodes, {"W": weights(3, 16), "s": [2.0, 3.0], "o": [0.5, -0.5]}, opset=18)
    network = same_as_runtime(made, tmp_path)
    assert network.parameters()["layers.1.weight"].tolist() == [2.0] * 8 + [3.0] * 8


def test_the_operator_of_opset_23_for_root_mean_squares(tmp_path: Path) -> None:
    """Beside its formula; onnxruntime may not have it."""
    scale = weights(3)
    network = loaded(model([n("RMSNormalization", "x s", "y", epsilon=1e-3)], {"s": scale}, opset=23), tmp_path)
    assert layers(network) == "RMSNorm(eps=0.001)"
    x = np.random.default_rng(0).normal(size=(9, 3))
    expected = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-3) * scale
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("eps", [1e-12, 1e-6, 1e-3, 0.1])
def test_the_epsilon_is_that_of_the_file(eps: float, tmp_path: Path) -> None:
    nodes = [n("LayerNormalization", "x s o", "y", epsilon=eps)]
    network = loaded(model(nodes, {"s": weights(3), "o": weights(3, seed=1)}), tmp_path)
    assert layers(network) == f"LayerNorm(eps={eps:g})"


NOT_ROWS: dict[str, Case] = {
    "the mean of a column": ("", [n("ReduceMean", "a first", "m", keepdims=1), n("Sub", "a m", "y")], {}),
    "softmax over rows": ("", [n("Softmax", "a", "y", axis=0)], {}),
    "length 1": ("", [n("ReduceL2", "a last", "r", keepdims=1), n("Div", "a r", "y")], {}),
    "a half": ("", [n("Slice", "a zero two one", "y")], {"zero": [0], "two": [2], "one": [1]}),
    "the largest": ("", [n("ReduceMax", "a last", "m", keepdims=1), n("Sub", "a m", "y")], {}),
    "the features, turned around": ("", [n("Gather", "a back", "y", axis=1)], {"back": [3, 2, 1, 0]}),
}


@pytest.mark.parametrize(("name", "nodes", "constants"), NOT_ROWS.values(), ids=NOT_ROWS)
def test_what_is_no_layer(name: str, nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    del name
    numbers = {key: np.array(value) for key, value in constants.items()} | AXIS | {"first": np.array([0])}
    made = model([n("Gemm", "x W", "a"), *nodes], {"W": weights(3, 4), **numbers})
    with pytest.raises(FileError, match=r"has node .*none of nnkit's activations or layers"):
        loaded(made, tmp_path)


def test_normalisation_of_rows_with_several_axes(tmp_path: Path) -> None:
    nodes = [n("MatMul", "x W", "a"), n("LayerNormalization", "a s o", "b"), n("Gelu", "b", "y")]
    made = model(nodes, {"W": weights(3, 4), "s": weights(4), "o": weights(4, seed=1)}, shape=("rows", 5, 3))
    network = same_as_runtime(made, tmp_path)
    assert layers(network).startswith("Dense(4, activation='identity'), LayerNorm(")


def test_a_fixed_number_of_rows_is_what_functions_are_tried_with(tmp_path: Path) -> None:
    """A reshape may have it in it."""
    for batch in (1, 3, 20):
        constants = {"W": weights(3, 8), "B": weights(8), **GROUP_VALUES, "flat": np.array([batch, 8])}
        constants["groups"] = np.array([batch, 2, 4])
        nodes = [*GROUPS, n("Reshape", "i flat", "j"), n("Mul", "j s", "p"), n("Add", "p o", "y")]
        made = model([n("Gemm", "x W B", "a"), *nodes], constants, shape=(batch, 3))
        network = same_as_runtime(made, tmp_path, counts=(batch,))
        assert "GroupNorm(2" in layers(network)
        assert network.predict(np.zeros((50, 3))).shape == (50, 8)
