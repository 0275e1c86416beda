"""Weights of samples and of classes."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.data import checks
from nnkit.errors import ArgumentError, DataError, ShapeError

LABELS = np.array([0, 0, 0, 1], dtype=np.int32)


def test_sample_weights() -> None:
    assert checks.weights([1, 0.5], 2, "float32").dtype == np.float32
    assert checks.weights([[1], [2]], 2, "float64").tolist() == [1, 2]


WRONG = {
    "negative": ([1, -2], DataError, r"sample_weight has -2 in row 1; weights cannot be negative"),
    "zero": ([0, 0], DataError, r"sample_weight is zero in every row, so nothing can be learnt; leave it out"),
    "nan": ([1, np.nan], DataError, r"sample_weight has NaN at row 1 .*; give those rows weight 0, or leave them out$"),
    "length": ([1], ShapeError, r"sample_weight has 1 row and x has 2"),
    "columns": (np.ones((2, 2)), ShapeError, r"sample_weight has shape \(2, 2\), expected \(2,\): one weight for each"),
}


@pytest.mark.parametrize(("values", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_sample_weights(values: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.weights(values, 2, "float32")


def test_class_weights_of_every_form() -> None:
    assert checks.class_weights({1: 5}, LABELS, 2).tolist() == [1, 1, 1, 5]
    assert checks.class_weights([2, 3], LABELS, 2).tolist() == [2, 2, 2, 3]
    assert checks.class_weights({np.int64(1): np.float32(2)}, LABELS, 3).tolist() == [1, 1, 1, 2]


def test_balanced_agrees_with_its_definition_when_a_class_is_absent() -> None:
    result = checks.class_weights("balanced", LABELS, 3)
    np.testing.assert_allclose(result, [4 / 6, 4 / 6, 4 / 6, 4 / 2])


def test_balanced_agrees_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    labels = np.array([0, 1, 1, 2, 2, 2])
    np.testing.assert_allclose(
        checks.class_weights("balanced", labels, 3), sklearn.compute_sample_weight("balanced", labels)
    )


def test_probabilities_give_the_expected_weight() -> None:
    one_hot = np.eye(2)[LABELS]
    np.testing.assert_allclose(checks.class_weights({1: 5}, one_hot, 2), [1, 1, 1, 5])
    np.testing.assert_allclose(checks.class_weights("balanced", one_hot, 2), [4 / 6, 4 / 6, 4 / 6, 2])


WRONG_CLASSES = {
    "name": ("even", ArgumentError, r"class_weight is 'even'; expected 'balanced', a dict label → weight, or a list"),
    "label": ({2: 1.0}, ArgumentError, r"class_weight has the label 2, expected integers 0 to 1"),
    "text label": ({"a": 1.0}, ArgumentError, r"class_weight has the label 'a'"),
    "weight": ({0: "much"}, ArgumentError, r"class_weight\[0\] is 'much', expected a number"),
    "length": ([1, 2, 3], ShapeError, r"class_weight has shape \(3,\), expected \(2,\): one weight for each class"),
    "negative": ([1, -2], DataError, r"class_weight has -2; weights cannot be negative"),
    "nan": ({0: np.nan}, DataError, r"class_weight has NaN at row 0 .*; give each class a finite weight$"),
    "zero": ([0, 0], DataError, r"class_weight is zero for every class that occurs, so nothing can be learnt"),
}


@pytest.mark.parametrize(("mapping", "error", "message"), WRONG_CLASSES.values(), ids=WRONG_CLASSES)
def test_wrong_class_weights(mapping: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.class_weights(mapping, LABELS, 2)
