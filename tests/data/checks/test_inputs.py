"""The check of the features."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.data import checks
from nnkit.data.checks import common
from nnkit.errors import ArgumentError, DataError, DtypeError, ShapeError

DENSE = "layer 'layers.0' (Dense)"


def test_the_right_array_is_not_copied() -> None:
    x = np.ones((3, 2), dtype=np.float32)
    assert np.shares_memory(checks.features(x, (2,), "float32"), x)


@pytest.mark.parametrize(
    ("dtype", "expected"), [("float32", "float32"), ("float64", "float64"), ("bfloat16", "float32")]
)
def test_conversion_to_the_dtype_of_the_network(dtype: str, expected: str) -> None:
    assert checks.features([[1, 2]], (2,), dtype).dtype == expected


SHAPES = {
    "columns": ((100, 128), (64,), r"expects 64 inputs, got 128: x has shape \(100, 128\); pass 64 columns, or build"),
    "vector for one feature": (
        (5,),
        (1,),
        r"expects 1 input, .* has shape \(5,\); for one feature write x.reshape\(-1, 1\)",
    ),
    "one row": ((4,), (4,), r"for a single row write x.reshape\(1, 4\)"),
    "images for a table": (
        (5, 28, 28),
        (784,),
        r"expects 784 inputs, got shape \(28, 28\): .* write x.reshape\(-1, 784\)",
    ),
    "table for images": (
        (5, 784),
        (28, 28, 1),
        r"expects inputs of shape \(28, 28, 1\), .* x.reshape\(-1, 28, 28, 1\)",
    ),
    "swapped": ((4, 100), (4,), r"got 100: .* rows and columns look swapped: write x.T"),
    "anything else": ((5, 3, 2), (7,), r"expected shape \(rows, 7\)"),
    "vector": ((5,), (3,), r"got rows with no columns: x has shape \(5,\); expected shape \(rows, 3\)"),
}


@pytest.mark.parametrize(("shape", "expected", "message"), SHAPES.values(), ids=SHAPES)
def test_a_wrong_shape_names_the_layer_and_the_fix(shape: tuple, expected: tuple, message: str) -> None:
    with pytest.raises(ShapeError, match=r"^layer 'layers.0' \(Dense\) .*" + message):
        checks.features(np.ones(shape), expected, "float32", layer=DENSE)


FORMS = {
    "a row as a list": ([1, 2, 3], (3,), r"for a single row write \[x\]"),
    "a list for one feature": ([1, 2, 3], (1,), r"for one feature write numpy.asarray\(x\).reshape\(-1, 1\)"),
    "lists for images": ([[1, 2]], (2, 1), r"write numpy.asarray\(x\).reshape\(-1, 2, 1\)"),
}


@pytest.mark.parametrize(("x", "expected", "message"), FORMS.values(), ids=FORMS)
def test_the_fix_suits_what_was_given(x: object, expected: tuple, message: str) -> None:
    with pytest.raises(ShapeError, match=f"{message}$"):
        checks.features(x, expected, "float32")


def test_one_row_of_a_table_is_taken_with_two_pairs_of_brackets() -> None:
    table = pytest.importorskip("pandas").DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]})
    with pytest.raises(ShapeError, match=r"take a single row .* brackets: table.iloc\[\[0\]\], not table.iloc\[0\]$"):
        checks.features(table.iloc[0], (3,), "float32")
    assert checks.features(table.iloc[[0]], (3,), "float32").tolist() == [[1, 3, 5]]


def test_without_a_layer_the_network_is_named() -> None:
    with pytest.raises(ShapeError, match=r"^the network expects 3 inputs, got 2: x_test has shape \(1, 2\)"):
        checks.features([[1, 2]], (3,), "float32", argument="x_test")


@pytest.mark.parametrize("size", [1, 3e38])  # squares of which overflow
def test_every_piece_is_looked_at(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(common, "PIECE", 4)
    x = np.full((9, 3), size, dtype=np.float32)
    x[::2] *= -1
    np.testing.assert_array_equal(common.convert(x, "float32", "x"), x)
    common.convert(np.full((9, 3), 6e4, dtype=np.float16), "float16", "x")
    for row, column in np.ndindex(x.shape):
        bad = x.copy()
        bad[row, column], bad[8, 2] = np.nan, np.inf
        word = "infinity" if (row, column) == (8, 2) else "NaN"
        with pytest.raises(DataError, match=rf"x has {word} at row {row}, column {column} \("):
            common.convert(bad, "float32", "x")


def test_nan_and_infinity_are_located_and_counted() -> None:
    x = np.ones((600, 3000), dtype=np.float32)
    x[400, 7] = x[401, 8] = np.nan
    with pytest.raises(
        DataError, match=r"x has NaN at row 400, column 7 \(2 such values in all\); leave those rows out"
    ):
        checks.features(x, (3000,), "float32")
    x[2, 1] = -np.inf
    with pytest.raises(DataError, match=r"x has infinity at row 2, column 1 \(3 such values in all\)"):
        checks.features(x, (3000,), "float32")
    with pytest.raises(DataError, match=r"NaN at row 0, position \(1, 0\) \(1 such value in all\)"):
        checks.features([[[1.0], [np.nan]]], (2, 1), "float32")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_value_too_large_for_the_dtype(dtype: str) -> None:
    with pytest.raises(
        DataError, match=rf"x has 1e\+300 at row 1, column 0, too large for {dtype} \(at most .*='float64'"
    ):
        checks.features([[1.0], [1e300]], (1,), dtype)
    assert checks.features([[1e300]], (1,), "float64")[0, 0] == 1e300


def test_empty_features() -> None:
    with pytest.raises(DataError, match=r"x is empty: its shape is \(0, 2\)"):
        checks.features(np.ones((0, 2)), (2,), "float32")


def test_token_numbers() -> None:
    assert checks.features([[1, 2]], (2,), "int32").dtype == np.int32
    assert checks.features([[True, False]], (2,), "int32").tolist() == [[1, 0]]
    with pytest.raises(DtypeError, match=r"x is float64 and the network takes int32 .* write x.astype\('int32'\)"):
        checks.features([[1.0]], (1,), "int32")
    with pytest.raises(DataError, match=r"x has 300 at row 1, column 0, outside uint8; expected 0 to 255"):
        checks.features([[1], [300]], (1,), "uint8")


def test_an_unknown_dtype() -> None:
    with pytest.raises(ArgumentError, match=r"dtype 'float31' is unknown; expected a name such as 'float32'"):
        checks.features([[1.0]], (1,), "float31")
