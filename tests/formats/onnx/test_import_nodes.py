"""Each operator that is a layer by itself, with each of its options, beside onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import NnkitWarning
from nnkit.formats.onnx.import_chain import constant_of
from nnkit.formats.onnx.import_graph import graph_of
from nnkit.formats.onnx.import_reducing import REDUCING
from tests.formats.onnx.graphs import layers, loaded, model, node, rows, runtime, same_as_runtime, weights
from tests.peers import peer

W, B = weights(3, 4), weights(4)

LINEAR: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "Gemm": ([node("Gemm", "x w b", "y")], {"w": W, "b": B}),
    "Gemm without C": ([node("Gemm", "x w", "y")], {"w": W}),
    "Gemm, transposed": ([node("Gemm", "x w b", "y", transB=1)], {"w": np.ascontiguousarray(W.T), "b": B}),
    "Gemm, scaled": ([node("Gemm", "x w b", "y", alpha=0.5, beta=-2.0)], {"w": W, "b": B}),
    "Gemm, alpha alone": ([node("Gemm", "x w", "y", alpha=3.0)], {"w": W}),
    "Gemm, one number as C": ([node("Gemm", "x w b", "y")], {"w": W, "b": 0.7}),
    "Gemm, C of one element": ([node("Gemm", "x w b", "y", beta=2.0)], {"w": W, "b": [0.7]}),
    "Gemm, C as a row": ([node("Gemm", "x w b", "y")], {"w": W, "b": B.reshape(1, 4)}),
    "MatMul": ([node("MatMul", "x w", "y")], {"w": W}),
    "MatMul, Add": ([node("MatMul", "x w", "a"), node("Add", "a b", "y")], {"w": W, "b": B}),
    "MatMul, Add in the other order": ([node("MatMul", "x w", "a"), node("Add", "b a", "y")], {"w": W, "b": B}),
    "MatMul, Add of a row": ([node("MatMul", "x w", "a"), node("Add", "a b", "y")], {"w": W, "b": B.reshape(1, 4)}),
    "MatMul, Add of one number": ([node("MatMul", "x w", "a"), node("Add", "a b", "y")], {"w": W, "b": 2.0}),
    "MatMul, Sub": ([node("MatMul", "x w", "a"), node("Sub", "a b", "y")], {"w": W, "b": B}),
    "MatMul, subtracted": ([node("MatMul", "x w", "a"), node("Sub", "b a", "y")], {"w": W, "b": B}),
    "MatMul, Mul, Add": (
        [node("MatMul", "x w", "a"), node("Mul", "a s", "m"), node("Add", "m b", "y")],
        {"w": W, "b": B, "s": weights(4, seed=1)},
    ),
    "MatMul, Div": ([node("MatMul", "x w", "a"), node("Div", "a s", "y")], {"w": W, "s": 4.0}),
    "MatMul, Neg": ([node("MatMul", "x w", "a"), node("Neg", "a", "y")], {"w": W}),
    "a transposed matrix": (
        [node("Transpose", "v", "w", perm=[1, 0]), node("MatMul", "x w", "y")],
        {"v": np.ascontiguousarray(W.T)},
    ),
    "a reshaped matrix": (
        [node("Reshape", "v s", "w"), node("Gemm", "x w", "y")],
        {"v": W.reshape(-1), "s": np.array([3, -1])},
    ),
    "passed on": (
        [
            node("Identity", "x", "i"),
            node("Identity", "b", "c"),
            node("Gemm", "i w c", "o"),
            node("Identity", "o", "y"),
        ],
        {"w": W, "b": B},
    ),
}


@pytest.mark.parametrize(("nodes", "constants"), LINEAR.values(), ids=LINEAR)
def test_a_linear_layer(nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    network = same_as_runtime(model(nodes, constants), tmp_path)
    assert layers(network) == "Dense(4, activation='identity')"
    assert network.dtype == "float32"
    assert network.preprocessing is None


def test_weights_that_are_not_computed_with_keep_their_bits(tmp_path: Path) -> None:
    network = loaded(model([node("MatMul", "x w", "a"), node("Add", "a b", "y")], {"w": W, "b": B}), tmp_path)
    np.testing.assert_array_equal(network.parameters()["layers.0.weight"], W)
    np.testing.assert_array_equal(network.parameters()["layers.0.bias"], B)


@pytest.mark.parametrize("shape", [("rows", 3), (None, 3), (7, 3), (1, 3), (0, 3)])
def test_the_number_of_rows_is_free_whatever_the_file_says(shape: tuple[Any, ...], tmp_path: Path) -> None:
    made = model([node("Gemm", "x w b", "a"), node("Softmax", "a", "y")], {"w": W, "b": B}, shape=shape)
    network = loaded(made, tmp_path)
    free = model([node("Gemm", "x w b", "a"), node("Softmax", "a", "y")], {"w": W, "b": B})
    for count in (1, 2, 7, 1000):
        np.testing.assert_allclose(network.predict(rows(count)), runtime(free, rows(count)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("field", ["value", "value_floats"])
def test_constants_may_be_nodes(field: str, tmp_path: Path) -> None:
    value = peer("onnx").numpy_helper.from_array(B) if field == "value" else B.tolist()
    nodes = [node("Constant", "", "b", **{field: value}), node("Gemm", "x w b", "y")]
    same_as_runtime(model(nodes, {"w": W}), tmp_path)


def test_constants_of_every_kind() -> None:
    kinds = {"value_float": 2.0, "value_int": 3, "value_ints": [1, 2], "value_string": "a", "value_strings": ["a", "b"]}
    for name, value in kinds.items():
        made = model([node("Constant", "", "c", **{name: value}), node("Relu", "x", "y")])
        found = constant_of(graph_of(made).nodes[0])
        assert found.tolist() == value
        assert found.dtype.kind == ("f" if "float" in name else "i" if "int" in name else "O")


def test_a_reduction_over_no_axes_may_do_nothing() -> None:
    x = np.ones((2, 3))
    assert REDUCING["ReduceSum"]({"noop_with_empty_axes": 1}, 21, x) is x
    assert REDUCING["ReduceSum"]({"keepdims": 0}, 21, x) == 6


def test_constants_may_be_made_of_shapes(tmp_path: Path) -> None:
    fill = peer("onnx").numpy_helper.from_array(np.array([0.5], np.float32))
    nodes = [
        node("ConstantOfShape", "s", "b", value=fill),
        node("Expand", "one t", "c"),
        node("Add", "b c", "d"),
        node("Gemm", "x w d", "y"),
    ]
    network = same_as_runtime(model(nodes, {"w": W, "s": np.array([4]), "t": np.array([4]), "one": 1.0}), tmp_path)
    np.testing.assert_array_equal(network.parameters()["layers.0.bias"], np.full(4, 1.5, np.float32))


def test_float64_stays_float64(tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w b", "a"), node("Tanh", "a", "r"), node("MatMul", "r v", "y")]
    made = model(nodes, {"w": W, "b": B, "v": weights(4, 2)}, dtype=np.float64)
    made.graph.initializer[0].CopyFrom(peer("onnx").numpy_helper.from_array(W.astype(np.float64) / 3, "w"))
    made.graph.initializer[1].CopyFrom(peer("onnx").numpy_helper.from_array(B.astype(np.float64), "b"))
    made.graph.initializer[2].CopyFrom(peer("onnx").numpy_helper.from_array(np.ones((4, 2)), "v"))
    network = same_as_runtime(made, tmp_path)
    assert network.dtype == "float64"


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_halves_become_float32_with_a_warning(kind: str, tmp_path: Path) -> None:
    onnx = peer("onnx")
    made = model([node("Gemm", "x w b", "y")], {"b": B})
    number = onnx.TensorProto.FLOAT16 if kind == "float16" else onnx.TensorProto.BFLOAT16
    coarse = np.round(W * 8) / 8  # exact in either
    made.graph.initializer.append(onnx.helper.make_tensor("w", number, W.shape, coarse.ravel().tolist()))
    with pytest.warns(NnkitWarning, match=r"net\.onnx has values in float16 or bfloat16"):
        network = loaded(made, tmp_path)
    np.testing.assert_array_equal(network.parameters()["layers.0.weight"], coarse)


def batch_norm(**options: Any) -> tuple[list[Any], dict[str, Any]]:
    constants = {
        "w": W,
        "b": B,
        "s": weights(4, seed=1),
        "o": weights(4, seed=2),
        "m": weights(4, seed=3),
        "v": np.abs(weights(4, seed=4)) + 0.1,
    }
    return [node("Gemm", "x w b", "a"), node("BatchNormalization", "a s o m v", "y", **options)], constants


def test_batch_normalisation_keeps_its_running_values(tmp_path: Path) -> None:
    nodes, constants = batch_norm(epsilon=1e-3, momentum=0.8)
    network = same_as_runtime(model(nodes, constants), tmp_path)
    assert layers(network) == "Dense(4, activation='identity'), BatchNorm(momentum=0.2, eps=0.001)"
    values = network._model.values()
    for name, key in (("weight", "s"), ("bias", "o"), ("mean", "m"), ("variance", "v")):
        np.testing.assert_array_equal(values[f"layers.1.{name}"], constants[key])


def test_batch_normalisation_takes_scales_that_follow(tmp_path: Path) -> None:
    nodes, constants = batch_norm()
    nodes[1].output[0] = "n"
    nodes += [node("Mul", "n c", "p"), node("Add", "d p", "y")]
    network = same_as_runtime(model(nodes, constants | {"c": weights(4, seed=5), "d": weights(4, seed=6)}), tmp_path)
    assert layers(network).count("(") == 2


@pytest.mark.parametrize("slope", [weights(4, seed=1), [0.3], 0.3, weights(1, 4)], ids=["each", "one", "scalar", "row"])
def test_parametric_relu(slope: Any, tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w b", "a"), node("PRelu", "a s", "y")]
    network = same_as_runtime(model(nodes, {"w": W, "b": B, "s": slope}), tmp_path)
    expected = np.broadcast_to(np.asarray(slope, np.float32).ravel(), (4,))
    np.testing.assert_array_equal(network.parameters()["layers.0.activation.slope"], expected)


def test_dropout_stays_and_acts_in_training_alone(tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w b", "a"), node("Dropout", "a r", "d mask"), node("Relu", "d", "y")]
    network = same_as_runtime(model(nodes, {"w": W, "b": B, "r": 0.2}), tmp_path)
    assert layers(network) == "Dense(4, activation='identity'), Dropout(0.2), Activation('relu')"
    old = [node("Gemm", "x w b", "a"), node("Dropout", "a", "d", ratio=0.3), node("Relu", "d", "y")]
    assert "Dropout(0.3)" in layers(same_as_runtime(model(old, {"w": W, "b": B}, opset=10), tmp_path))
    none = [node("Gemm", "x w b", "a"), node("Dropout", "a r", "d"), node("Relu", "d", "y")]
    assert layers(loaded(model(none, {"w": W, "b": B, "r": 0.0}), tmp_path)) == "Dense(4, activation='relu')"


@pytest.mark.parametrize("opset", [7, 9, 10, 11, 12, 13, 17, 18, 21, 23])
def test_versions_of_the_operators(opset: int, tmp_path: Path) -> None:
    """Softmax, Clip, Squeeze and ReduceMean changed how they are told what to do."""
    squeeze = [node("Squeeze", "u", "q", axes=[1])] if opset < 13 else [node("Squeeze", "u one", "q")]
    unsqueeze = [node("Unsqueeze", "c", "u", axes=[1])] if opset < 13 else [node("Unsqueeze", "c one", "u")]
    clip = [node("Clip", "a", "c", min=0.0, max=6.0)] if opset < 11 else [node("Clip", "a low high", "c")]
    constants = {"w": W, "b": B, "one": np.array([1]), "low": 0.0, "high": 6.0}
    nodes = [node("Gemm", "x w b", "a"), *clip, *unsqueeze, *squeeze, node("Softmax", "q", "y")]
    network = same_as_runtime(model(nodes, constants, opset=opset, ir_version=8), tmp_path)
    assert layers(network) == "Dense(4, activation='relu6'), Activation('softmax')"


def test_the_number_of_columns_may_be_free(tmp_path: Path) -> None:
    for nodes, w in (
        ([node("Relu", "x", "r"), node("MatMul", "r w", "y")], W),
        ([node("Relu", "x", "r"), node("Gemm", "r w", "y", transB=1)], np.ascontiguousarray(W.T)),
    ):
        network = loaded(model(nodes, {"w": w}, shape=("rows", "columns")), tmp_path)
        assert network.input_shape == (3,)


def test_whole_numbers_as_input_are_cast(tmp_path: Path) -> None:
    onnx = peer("onnx")
    made = model([node("Cast", "x", "f", to=1), node("Gemm", "f w b", "y")], {"w": W, "b": B})
    made.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    x = np.array([[1, -2, 3], [4, 5, 6]])
    np.testing.assert_allclose(loaded(made, tmp_path).predict(x), runtime(made, x), rtol=1e-5, atol=1e-5)


def test_initialisers_may_be_listed_as_inputs(tmp_path: Path) -> None:
    onnx = peer("onnx")
    made = model([node("Gemm", "x w b", "y")], {"w": W, "b": B}, ir_version=3, opset=9)
    made.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [3, 4]))
    made.graph.input.append(onnx.helper.make_tensor_value_info("b", 1, [4]))
    same_as_runtime(made, tmp_path)


def test_rows_of_several_axes(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "a"), node("Add", "a b", "c"), node("Softmax", "c", "y")]
    network = same_as_runtime(model(nodes, {"w": W, "b": B}, shape=("rows", 5, 3)), tmp_path)
    assert network.input_shape == (5, 3)
    assert network.output_shape == (5, 4)


def test_a_network_of_activations_alone(tmp_path: Path) -> None:
    network = same_as_runtime(model([node("Relu", "x", "a"), node("Softmax", "a", "y")]), tmp_path)
    assert layers(network) == "Activation('relu'), Activation('softmax')"
    double = loaded(model([node("Tanh", "x", "y")], dtype=np.float64), tmp_path)
    assert double.dtype == "float64"


def test_a_wide_and_deep_network(tmp_path: Path) -> None:
    nodes, constants, last = [], {}, "x"
    for place, (inputs, units) in enumerate([(3, 300), (300, 200), (200, 150), (150, 10)]):
        constants |= {f"w{place}": weights(inputs, units) / np.float32(inputs**0.5), f"b{place}": weights(units)}
        nodes += [node("Gemm", f"{last} w{place} b{place}", f"a{place}"), node("Tanh", f"a{place}", f"t{place}")]
        last = f"t{place}"
    network = same_as_runtime(model([*nodes, node("Softmax", last, "y")], constants), tmp_path)
    assert isinstance(network, nnkit.Network)
    assert layers(network).count("activation='tanh'") == 4
