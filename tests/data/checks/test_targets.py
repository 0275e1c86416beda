"""The checks of labels, yes-or-no answers and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnkit.data import checks
from nnkit.errors import DataError, DtypeError, ShapeError


@pytest.mark.parametrize("y", [[0, 2, 1], [[0], [2], [1]], [0.0, 2.0, 1.0], np.array([0, 2, 1], dtype=np.uint64)])
def test_labels_become_int32_of_one_axis(y: object) -> None:
    result = checks.labels(y, 3, 3)
    assert result.dtype == np.int32
    assert result.tolist() == [0, 2, 1]


def test_bool_labels() -> None:
    assert checks.labels([True, False], 2, 2).tolist() == [1, 0]


@pytest.mark.parametrize("kind", [bool, int, np.float16, np.float64])
def test_one_hot_rows_keep_their_shape(kind: type) -> None:
    result = checks.labels(np.eye(3, dtype=kind), 3, 3)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.eye(3))


def test_probabilities_in_half_precision() -> None:
    soft = np.full((2, 3), 1 / 3, dtype=np.float16)
    assert checks.labels(soft, 2, 3, dtype="float64").dtype == np.float64


LABELS = {
    "fractions": ([0.5, 1.0], DtypeError, r"y holds float64 values such as 0.5, .* output_activation='identity'"),
    "infinity": (
        [np.inf, 1.0],
        DtypeError,
        r"y holds float64 values such as inf, expected labels \(whole numbers\); for",
    ),
    "too large floats": ([0.0, 7.0], DataError, r"y has the label 7 in row 1, expected 0 to 2"),
    "nan": ([np.nan, 1.0], DtypeError, r"y has no label in row 0"),
    "too large": ([0, 7], DataError, r"y has the label 7 in row 1, expected 0 to 2; .* a network with 8 outputs"),
    "from one": ([3, 1], DataError, r"y has the label 3 in row 0, expected 0 to 2; labels start at 1: write y - 1"),
    "negative": ([0, -1], DataError, r"y has the label -1 in row 1, .* numpy.unique\(y, return_inverse=True\)\[1\]"),
    "length": ([0, 1, 2], ShapeError, r"y has 3 rows and x has 2; each row of x needs one in y"),
    "columns": (
        np.ones((2, 5), int),
        ShapeError,
        r"shape \(2, 5\) and the network has 3 outputs; .* \(2,\) or .* \(2, 3\)",
    ),
    "axes": (np.ones((2, 3, 1)), ShapeError, r"y has shape \(2, 3, 1\)"),
    "sums": ([[1, 0, 0], [2, 1, 0]], DataError, r"row 1 of y sums to 3, expected 1 \(1 such row\); divide by the sum"),
    "empty rows": (
        [[1, 0, 0], [0, 0, 0]],
        DataError,
        r"row 1 of y sums to 0, expected 1 \(1 such row\); divide by the",
    ),
    "several classes": (
        [[0, 0, 0], [1, 1, 0]],
        DataError,
        r"row 0 of y sums to 0, .*; for rows of several classes build the network with output_activation='sigmoid'",
    ),
    "below zero": (
        [[1, 0, 0], [2, -1, 0]],
        DataError,
        r"y has -1 at row 1, column 1; expected probabilities from 0 to 1",
    ),
    "nan rows": ([[1, 0, 0], [np.nan, 1, 0]], DataError, r"y has NaN at row 1, .*; leave those rows out of x and y$"),
    "text": (
        ["dog", "cat"],
        DataError,
        r"classes are 'cat', 'dog'. Encode .*: names, y = numpy.unique\(y, return_inverse",
    ),
    "many texts": ([f"c{i:02d}" for i in range(12)], DataError, r"'c09', … \(12 in all\)"),
    "empty text": (np.array([], dtype=str), DataError, r"y"),
    "text and nothing": (
        np.array(["a", None], dtype=object),
        DataError,
        r"and nothing in row 1; leave out",
    ),
    "text and nan": (np.array([np.nan, "a"], dtype=object), DataError, r"and nothing in row 0; leave out"),
    "text and numbers": (np.array(["a", 1], dtype=object), DataError, r"y holds text, such as 'a'"),
}


@pytest.mark.parametrize(("y", "error", "message"), LABELS.values(), ids=LABELS)
def test_wrong_labels(y: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.labels(y, 2, 3)


def test_text_in_pandas_names_the_classes() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(DataError, match=r"target holds text; its classes are 'no', 'yes'"):
        checks.labels(pd.Series(["yes", "no"]), 2, 2, argument="target")
    with pytest.raises(DataError, match=r"target holds text; its classes are 'no', 'yes'"):
        checks.labels(pd.DataFrame({"t": ["yes", "no"]}), 2, 2, argument="target")


def test_binary_targets_are_columns() -> None:
    assert checks.binary([0, 1], 2, 1, "float32").tolist() == [[0], [1]]
    assert checks.binary([[0.25, True]], 1, 2, "float64").tolist() == [[0.25, 1]]


BINARY = {
    "range": ([0, 2], r"y has 2 at row 1, column 0, outside 0 to 1; expected 0, 1 or a probability"),
    "signs": ([1, -1], r"y has -1 at row 1, .* labels are −1 and 1: write \(y \+ 1\) / 2"),
    "numbers as text": (
        ["0", "1.0"],
        r"y holds numbers as text, such as '0' \(<U3\); write numpy.asarray\(y, dtype=float",
    ),
    "bytes": (
        [b"no", b"yes"],
        r"y holds bytes, such as b'no' \(\|S3\); decode them to text: numpy.char.decode\(numpy.asarray",
    ),
    "text": (["no", "yes"], r"y holds text; its classes are 'no', 'yes'"),
    "nan": ([0, np.nan], r"y has NaN at row 1"),
}


@pytest.mark.parametrize(("y", "message"), BINARY.values(), ids=BINARY)
def test_wrong_binary_targets(y: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checks.binary(y, 2, 1, "float32")


def test_numbers_are_columns() -> None:
    result = checks.numbers([1, 2], 2, 1, "float32")
    assert result.dtype == np.float32
    assert result.shape == (2, 1)
    assert checks.numbers(np.ones((2, 3)), 2, 3, "float64").shape == (2, 3)
    assert checks.numbers([0, 3], 2, 1, "float32", minimum=0).tolist() == [[0], [3]]


def test_numbers_of_another_shape_are_not_broadcast() -> None:
    with pytest.raises(ShapeError, match=r"y has shape \(2,\), expected \(2, 3\); pass 3 columns, or .* for 1 output"):
        checks.numbers([1.0, 2.5], 2, 3, "float32")
    with pytest.raises(
        ShapeError, match=r"y has shape \(2, 2\), expected \(2, 1\); .* build the network for 2 outputs"
    ):
        checks.numbers([[1, 2], [3, 4]], 2, 1, "float32")
    with pytest.raises(ShapeError, match=r"y has 1 row and x has 2"):
        checks.numbers([1], 2, 1, "float32")


@pytest.mark.parametrize("y", [[0, 2], [[1], [2]]])
def test_labels_where_numbers_are_expected(y: list[Any]) -> None:
    """The most common slip: a network of classes without softmax."""
    message = r"y has shape .*, expected \(2, 3\); it looks like labels of 3 classes: .* output_activation='softmax'"
    with pytest.raises(ShapeError, match=message):
        checks.numbers(y, 2, 3, "float32")
    with pytest.raises(ShapeError, match="pass 2 columns, or build the network for 1 output"):
        checks.numbers(y, 2, 2, "float32")  # there is no class 2 of two


def test_numbers_below_the_minimum_and_not_finite() -> None:
    with pytest.raises(DataError, match=r"y has -1 at row 1, column 0; this loss needs targets of at least 0"):
        checks.numbers([1, -1], 2, 1, "float32", minimum=0)
    with pytest.raises(DataError, match=r"counts has NaN at row 0, .*; leave those rows out of x and counts$"):
        checks.numbers([np.nan, 1], 2, 1, "float32", argument="counts")


@pytest.mark.parametrize("y", [[7, 0, 7], [[7], [0], [7]], [7.0, 0.0, 7.0], np.array([7, 0, 7], dtype=np.uint64)])
def test_labels_of_groups_need_no_output_each(y: object) -> None:
    result = checks.groups(y, 3)
    assert result.dtype == np.int32
    assert result.tolist() == [7, 0, 7]
    assert checks.groups([True, False], 2).tolist() == [1, 0]


GROUPS = {
    "fractions": (
        [0.0, 1.5],
        DtypeError,
        r"y holds float64 values such as 1.5, expected .*; for numbers choose another",
    ),
    "nan": ([0.0, np.nan], DtypeError, r"y has no label in row 1 \(nan; 1 such row\); leave these rows out of x and y"),
    "negative": ([0, -1], DataError, r"y has the label -1 in row 1, expected 0 to 2147483647; encode the labels"),
    "large": (np.array([0, 2**63], dtype=np.uint64), DataError, "y has the label 9223372036854775808 in row 1"),
    "columns": (np.ones((2, 2), int), ShapeError, r"y has shape \(2, 2\); this loss compares rows by their labels"),
    "length": ([0, 1, 2], ShapeError, "y has 3 rows and x has 2"),
    "text": (["dog", "cat"], DataError, r"y holds text; its classes are 'cat', 'dog'"),
}


@pytest.mark.parametrize(("y", "error", "message"), GROUPS.values(), ids=GROUPS)
def test_wrong_labels_of_groups(y: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.groups(y, 2)


@pytest.mark.parametrize("y", [[True, False], [1, 0], [1, -1], [[1.0], [-1.0]]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_kinds_of_answers_become_signs(y: object, dtype: str) -> None:
    result = checks.signs(y, 2, 1, dtype)
    assert result.dtype == dtype
    assert result.tolist() == [[1], [-1]]


SIGNS = {
    "another number": ([1, 2], DataError, "y has 2 at row 1, column 0; this loss needs 1 and −1, or 1 and 0"),
    "both": ([0, -1], DataError, "y has both 0 and −1; this loss needs 1 and −1, or 1 and 0"),
    "nan": ([0, np.nan], DataError, "y has NaN at row 1"),
    "columns": ([[1, 0], [0, 1]], ShapeError, r"expected \(2, 1\); pass 1 column, or build the network for 2 outputs"),
}


@pytest.mark.parametrize(("y", "error", "message"), SIGNS.values(), ids=SIGNS)
def test_wrong_signs(y: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.signs(y, 2, 1, "float32")


def test_a_network_with_several_outputs_for_each_number() -> None:
    with pytest.raises(ShapeError, match=r"pass 1 column, or build the network for 4 outputs"):
        checks.numbers([[1, 2], [3, 4]], 2, 1, "float32", outputs_each=2)
    with pytest.raises(ShapeError, match=r"pass 1 column$"):
        checks.numbers([[1, 2], [3, 4]], 2, 1, "float32", outputs_each=0)
