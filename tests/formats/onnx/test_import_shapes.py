"""Changes of shape, scales and shifts in ONNX networks: what becomes of each, beside onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import FileError
from tests.formats.onnx.graphs import layers, loaded, model, node, rows, runtime, same_as_runtime, weights

n = node
W, B, V = weights(12, 4), weights(4), weights(4, 2)
DENSE = [n("MatMul", "f W", "a"), n("Add", "a B", "y")]
ONE, TWO = np.array([1]), np.array([2])

FLATTENED: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "Flatten": ([n("Flatten", "x", "f")], {}),
    "Flatten, axis from the end": ([n("Flatten", "x", "f", axis=-2)], {}),
    "Reshape": ([n("Reshape", "x s", "f")], {"s": np.array([-1, 12])}),
    "Reshape by zero": ([n("Reshape", "x s", "f")], {"s": np.array([0, -1])}),
    "Reshape by the shape": (
        [
            n("Shape", "x", "h"),
            n("Gather", "h zero", "r", axis=0),
            n("Unsqueeze", "r first", "u"),
            n("Concat", "u rest", "s", axis=0),
            n("Reshape", "x s", "f"),
        ],
        {"zero": np.array(0), "first": np.array([0]), "rest": np.array([-1])},
    ),
    "Reshape by a part of the shape": (
        [
            n("Shape", "x", "h", start=0, end=1),
            n("Concat", "h rest", "s", axis=0),
            n("Reshape", "x s", "f"),
        ],
        {"rest": np.array([12])},
    ),
    "twice": ([n("Reshape", "x s", "g"), n("Flatten", "g", "f")], {"s": np.array([0, 2, 6])}),
    "after an activation": ([n("Relu", "x", "r"), n("Flatten", "r", "f")], {}),
    "with an axis more": ([n("Unsqueeze", "x one", "u"), n("Flatten", "u", "f")], {"one": ONE}),
}


@pytest.mark.parametrize(("nodes", "constants"), FLATTENED.values(), ids=FLATTENED)
def test_rows_are_flattened(nodes: list[Any], constants: dict[str, Any], tmp_path: Path) -> None:
    made = model([*nodes, *DENSE], {"W": W, "B": B, **constants}, shape=("rows", 3, 4))
    network = same_as_runtime(made, tmp_path)
    assert layers(network).endswith("Flatten(), Dense(4, activation='identity')")
    assert network.input_shape == (3, 4)


def test_the_number_of_rows_may_come_from_the_input_late_in_the_network(tmp_path: Path) -> None:
    nodes = [
        n("Shape", "x", "h"),
        n("Gather", "h zero", "r"),
        n("Unsqueeze", "r first", "u"),
        n("Gemm", "x A", "g"),
        n("Tanh", "g", "t"),
        n("Concat", "u rest", "s", axis=0),
        n("Reshape", "t s", "f"),
        n("MatMul", "f V", "y"),
    ]
    constants = {"A": weights(3, 4), "V": V, "zero": np.array(0), "first": np.array([0]), "rest": np.array([4])}
    assert layers(same_as_runtime(model(nodes, constants), tmp_path)).count("Dense") == 2


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_axes_of_length_1_come_and_go(axis: int, tmp_path: Path) -> None:
    unsqueezed = [n("Unsqueeze", "x axis", "u"), n("Sigmoid", "u", "s"), n("Squeeze", "s axis", "q")]
    nodes = [*unsqueezed, n("MatMul", "q A", "y")]
    network = same_as_runtime(model(nodes, {"A": weights(3, 4), "axis": np.array([axis])}), tmp_path)
    assert layers(network) == "Activation('sigmoid'), Dense(4, activation='identity')"


def test_rows_with_an_axis_of_length_1_in_front(tmp_path: Path) -> None:
    nodes = [n("MatMul", "x A", "a"), n("Relu", "a", "r"), n("Squeeze", "r one", "y")]
    network = same_as_runtime(model(nodes, {"A": weights(3, 4), "one": ONE}, shape=("rows", 1, 3)), tmp_path)
    assert layers(network) == "Dense(4, activation='relu'), Flatten()"


@pytest.mark.parametrize("last", [[n("Squeeze", "g last", "q")], [n("Reshape", "g flat", "q")]])
def test_one_number_for_each_row_is_a_column(last: list[Any], tmp_path: Path) -> None:
    constants = {"A": weights(3, 1), "last": np.array([-1]), "flat": np.array([-1])}
    gate = [n("Sigmoid", "q", "s"), n("Mul", "q s", "y")]
    network = same_as_runtime(model([n("Gemm", "x A", "g"), *last, *gate], constants), tmp_path)
    assert network.output_shape == (1,)
    assert layers(network) == "Dense(1, activation='silu')"


ODD_SHAPES: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "another shape than one axis": (
        [n("Reshape", "x s", "r"), n("MatMul", "r A", "y")],
        {"s": np.array([0, 6, 2]), "A": weights(2, 2)},
        r"'reshape_r' \(Reshape\), which makes rows of shape \[6, 2\] out of \[3, 4\]",
    ),
    "another shape at the end": (
        [n("Relu", "x", "a"), n("Reshape", "a s", "y")],
        {"s": np.array([0, 6, 2])},
        r"'reshape_y' \(Reshape\), which makes rows of shape \[6, 2\]",
    ),
    "turned around": ([n("Transpose", "x", "y", perm=[0, 2, 1])], {}, r"puts their numbers in another order"),
    "rows mixed": ([n("Reshape", "x s", "y")], {"s": np.array([-1, 6])}, r"which mixes rows or puts"),
    "not possible": ([n("Reshape", "x s", "y")], {"s": np.array([-1, 5])}, r"cannot be computed for inputs of shape"),
}


@pytest.mark.parametrize(("nodes", "constants", "text"), ODD_SHAPES.values(), ids=ODD_SHAPES)
def test_other_shapes_are_refused(nodes: list[Any], constants: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=rf"net\.onnx has node .*{text}"):
        loaded(model(nodes, constants, shape=("rows", 3, 4)), tmp_path)


# -- scales and shifts before the first layer

MEAN, SCALE = np.array([1.0, -0.2, 0.5], np.float32), np.array([4.0, 0.5, 1.5], np.float32)
MEASURED: dict[str, list[Any]] = {
    "Sub, Div": [n("Sub", "x m", "c"), n("Div", "c s", "d")],
    "Sub, Mul": [n("Sub", "x m", "c"), n("Mul", "c r", "d")],
    "Mul, Add": [n("Mul", "x r", "c"), n("Add", "o c", "d")],
    "as a row": [n("Sub", "x mrow", "c"), n("Div", "c srow", "d")],
    "Scaler": [n("Scaler", "x", "d", domain="ai.onnx.ml", offset=MEAN.tolist(), scale=(1 / SCALE).tolist())],
    "cast before and after": [
        n("Cast", "x", "e", to=1),
        n("Sub", "e m", "c"),
        n("Cast", "c", "f", to=1),
        n("Div", "f s", "d"),
    ],
}
FIGURES = {"m": MEAN, "s": SCALE, "r": 1 / SCALE, "o": -MEAN / SCALE, "mrow": MEAN[None], "srow": SCALE[None]}


@pytest.mark.parametrize("nodes", MEASURED.values(), ids=MEASURED)
def test_what_is_done_to_rows_first_is_preprocessing(nodes: list[Any], tmp_path: Path) -> None:
    made = model([*nodes, n("Gemm", "d A", "a"), n("Relu", "a", "y")], {"A": weights(3, 4), **FIGURES}, ml=True)
    network = same_as_runtime(made, tmp_path)
    assert layers(network) == "Dense(4, activation='relu')"
    assert network.preprocessing is not None
    assert network.preprocessing.scaling is not None
    np.testing.assert_allclose(network.preprocessing.scaling.mean, MEAN, rtol=1e-6)
    np.testing.assert_allclose(network.preprocessing.scaling.scale, SCALE, rtol=1e-6)
    np.testing.assert_array_equal(network.parameters()["layers.0.weight"], weights(3, 4))


def test_one_number_for_all_columns(tmp_path: Path) -> None:
    nodes = [n("Mul", "x r", "c"), n("Add", "c o", "d"), n("Gemm", "d A", "y")]
    network = same_as_runtime(model(nodes, {"A": weights(3, 4), "r": 1 / 255, "o": -0.5}), tmp_path)
    assert network.preprocessing is not None
    assert network.preprocessing.scaling is not None
    np.testing.assert_allclose(network.preprocessing.scaling.scale, np.full(3, 255.0), rtol=1e-6)


def test_a_scale_that_is_not_positive_goes_into_the_layer(tmp_path: Path) -> None:
    nodes = [n("Mul", "x r", "c"), n("Add", "c o", "d"), n("Gemm", "d A", "y")]
    constants = {"A": weights(3, 4), "r": np.array([1.0, -2.0, 0.0], np.float32), "o": MEAN}
    network = same_as_runtime(model(nodes, constants), tmp_path)
    assert layers(network) == "Dense(4, activation='identity')"
    assert network.preprocessing is None


@pytest.mark.parametrize("shape", [(12,), (3, 4), (1, 4), (3, 1), ()], ids=str)
def test_pictures_are_scaled_in_the_layer_after_flatten(shape: tuple[int, ...], tmp_path: Path) -> None:
    """Standardisation is for rows of columns."""
    order = (
        [n("Flatten", "x", "e"), n("Mul", "e r", "f")]
        if shape == (12,)
        else [n("Mul", "x r", "e"), n("Flatten", "e", "f")]
    )
    constants = {"W": W, "B": B, "r": weights(*shape, seed=3)}
    network = same_as_runtime(model([*order, *DENSE], constants, shape=("rows", 3, 4)), tmp_path)
    assert layers(network) == "Flatten(), Dense(4, activation='identity')"


# -- elsewhere

HIDDEN = [n("Gemm", "x A", "g"), n("Tanh", "g", "t")]
BETWEEN: dict[str, tuple[list[Any], str]] = {
    "before a linear layer": (
        [*HIDDEN, n("Mul", "t s", "m"), n("Add", "m o", "u"), n("MatMul", "u V", "y")],
        "Dense(2",
    ),
    "batch normalisation of Keras": (
        [*HIDDEN, n("Sub", "t o", "c"), n("Mul", "c s", "m"), n("Add", "m p", "u"), n("MatMul", "u V", "y")],
        "Dense(2",
    ),
    "before dropout": (
        [*HIDDEN, n("Mul", "t s", "m"), n("Dropout", "m", "d"), n("MatMul", "d V", "y")],
        "Dropout(0.5), Dense(2",
    ),
    "a shift before dropout": (
        [*HIDDEN, n("Add", "t s", "m"), n("Dropout", "m", "d"), n("MatMul", "d V", "y")],
        "Dense(4, activation='identity'), Dropout(0.5), Dense(2",
    ),
    "between activations": ([*HIDDEN, n("Mul", "t s", "m"), n("Sigmoid", "m", "y")], "Dense(4, activation='sigmoid'"),
    "at the end": ([*HIDDEN, n("Mul", "t s", "m"), n("Add", "m o", "y")], "Dense(4, activation='identity'"),
    "one number at the end": ([*HIDDEN, n("Mul", "t two", "y")], "Dense(4, activation='identity'"),
}


@pytest.mark.parametrize(("nodes", "after"), BETWEEN.values(), ids=BETWEEN)
def test_scales_and_shifts_after_an_activation(nodes: list[Any], after: str, tmp_path: Path) -> None:
    figures = {"s": weights(4, seed=1), "o": weights(4, seed=2), "p": weights(1, 4, seed=3), "two": 2.0}
    network = same_as_runtime(model(nodes, {"A": weights(3, 4), "V": V, **figures}), tmp_path)
    assert layers(network).startswith(f"Dense(4, activation='tanh'), {after}")


def test_root_mean_squares_take_scales_and_leave_shifts(tmp_path: Path) -> None:
    nodes = [n("RMSNormalization", "x s", "r"), n("Mul", "r t", "m"), n("Add", "m o", "u"), n("MatMul", "u A", "y")]
    constants = {"s": weights(3), "t": weights(3, seed=1), "o": weights(3, seed=2), "A": weights(3, 2)}
    network = loaded(model(nodes, constants, opset=23), tmp_path)
    assert layers(network) == "RMSNorm(eps=1e-05), Dense(2, activation='identity')"
    x = rows(9).astype(np.float64)
    normal = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5) * constants["s"]
    expected = (normal * constants["t"] + constants["o"]) @ constants["A"]
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("nodes", "constants", "text"),
    [
        (
            [n("Mul", "x s", "y")],
            {"s": weights(4)},
            r"'mul_y' \(Mul\), whose constant of shape \[4\] does not fit rows",
        ),
        ([n("Add", "x s", "y")], {"s": weights(5, 3)}, r"does not fit rows of shape \[3\]; it has to be the same"),
        ([n("Div", "x s", "y")], {"s": [1.0, 0.0, 1.0]}, r"'div_y' \(Div\), which divides by zero"),
    ],
)
def test_constants_that_do_not_fit(nodes: list[Any], constants: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=text):
        loaded(model(nodes, constants), tmp_path)


def test_scales_that_no_layer_can_take_up(tmp_path: Path) -> None:
    wide = [n("Relu", "x", "r"), n("Mul", "r s", "m"), n("Sigmoid", "m", "y")]
    with pytest.raises(FileError, match=r"'mul_m' \(Mul\), which multiplies or shifts rows of shape \[2000\] where no"):
        loaded(model(wide, {"s": weights(2000)}, shape=("rows", 2000)), tmp_path)
    with pytest.raises(FileError, match=r"rows of shape \[3, 4\] where no linear layer"):
        loaded(model(wide, {"s": weights(3, 4)}, shape=("rows", 3, 4)), tmp_path)


def test_scales_that_differ_along_other_axes_than_the_last(tmp_path: Path) -> None:
    nodes = [n("Relu", "x", "r"), n("Mul", "r s", "m"), n("MatMul", "m A", "y")]
    with pytest.raises(FileError, match=r"'mul_m' \(Mul\), which multiplies or shifts rows of shape \[5, 3\] where no"):
        loaded(model(nodes, {"s": weights(5, 3), "A": weights(3, 2)}, shape=("rows", 5, 3)), tmp_path)


def test_values_that_become_too_large(tmp_path: Path) -> None:
    nodes = [n("MatMul", "x A", "a"), n("Mul", "a s", "y")]
    with pytest.raises(
        FileError, match=r"net\.onnx cannot be built with nnkit's layers: the new value of 'layers\.0\.weight'"
    ):
        loaded(model(nodes, {"A": np.full((3, 4), 1e30, np.float32), "s": 1e30}), tmp_path)


def test_rows_go_in_as_they_were_measured(tmp_path: Path) -> None:
    """And so they do after the network was saved and loaded again."""
    nodes = [*MEASURED["Sub, Div"], n("Gemm", "d A", "y")]
    made = model(nodes, {"A": weights(3, 4), **FIGURES})
    network = loaded(made, tmp_path)
    network.save(tmp_path / "net.h5")
    x = rows(20)
    again = nnkit.load(tmp_path / "net.h5").predict(x)
    np.testing.assert_array_equal(again, network.predict(x))
    np.testing.assert_allclose(again, runtime(made, x), rtol=1e-5, atol=1e-5)
