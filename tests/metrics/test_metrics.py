"""Metrics against scikit-learn, and their edges."""

import math

import numpy as np
import pytest

from nnkit.errors import DataError, ShapeError
from nnkit.metrics import binary, classification, confusion_matrix, regression
from tests.peers import peer

RNG = np.random.default_rng(0)


def sklearn_metrics():
    peer("sklearn")
    import sklearn.metrics

    return sklearn.metrics


@pytest.mark.parametrize(("rows", "classes"), [(1, 2), (5, 4), (200, 3), (1000, 10)])
def test_classification_agrees_with_scikit_learn(rows, classes):
    peers = sklearn_metrics()
    labels, scores = RNG.integers(classes, size=rows), RNG.random((rows, classes))
    predicted = scores.argmax(axis=1)
    ours = classification(scores, labels, classes)

    assert ours["accuracy"] == peers.accuracy_score(labels, predicted)
    np.testing.assert_array_equal(ours["confusion"], peers.confusion_matrix(labels, predicted, labels=range(classes)))
    for average, got in (("macro", ours), (None, ours["per_class"])):
        options = {"labels": range(classes)} if average is None else {}
        expected = peers.precision_recall_fscore_support(labels, predicted, average=average, zero_division=0, **options)
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            np.testing.assert_allclose(got[name], value, rtol=1e-14, err_msg=name)
    np.testing.assert_array_equal(ours["per_class"]["support"], np.bincount(labels, minlength=classes))


def test_types_of_classification():
    ours = classification(np.float32([[0.1, 0.9], [0.4, 0.6]]), np.asarray([1, 0], dtype=np.uint8), 2)
    assert type(ours["accuracy"]) is type(ours["f1"]) is float
    assert ours["confusion"].dtype == np.int64
    assert ours["confusion"].tolist() == [[0, 1], [0, 1]]
    assert classification([1, 1], [1, 0], 2)["accuracy"] == 0.5  # class numbers instead of scores


def test_ties_go_to_the_first_class():
    assert classification([[0.5, 0.5]], [0], 2)["accuracy"] == 1.0


def test_many_rows_are_counted_exactly():
    labels = np.zeros(300_000, dtype=np.uint8)
    assert confusion_matrix(labels, labels, 200)[0, 0] == 300_000


@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 3)])
def test_binary_agrees_with_scikit_learn(shape):
    peers = sklearn_metrics()
    labels, scores = RNG.integers(2, size=shape), RNG.random(shape)
    ours = binary(scores, labels, threshold=0.4)
    truth, predicted = labels.ravel(), (scores > 0.4).ravel()
    assert ours["accuracy"] == peers.accuracy_score(truth, predicted)
    np.testing.assert_array_equal(ours["confusion"], peers.confusion_matrix(truth, predicted))
    expected = peers.precision_recall_fscore_support(truth, predicted, average="binary")[:3]
    np.testing.assert_allclose([ours["precision"], ours["recall"], ours["f1"]], expected, rtol=1e-14)


def test_binary_edges():
    assert binary([0.5], [0.0])["accuracy"] == 1.0  # at the threshold is not above it
    nothing = binary([0.1, 0.2], [False, False])
    assert all(math.isnan(nothing[name]) for name in ("precision", "recall", "f1"))


@pytest.mark.parametrize("shape", [(2,), (100,), (100, 1), (100, 4)])
def test_regression_agrees_with_scikit_learn(shape):
    peers = sklearn_metrics()
    target = RNG.normal(size=shape) * 3
    prediction = target + RNG.normal(size=shape)
    ours = regression(prediction, target)
    expected = {
        "mae": peers.mean_absolute_error(target, prediction),
        "mse": peers.mean_squared_error(target, prediction),
        "rmse": peers.root_mean_squared_error(target, prediction),
        "r2": peers.r2_score(target, prediction),
    }
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-13)
        assert type(ours[name]) is float


@pytest.mark.parametrize("prediction", [[[2.0, 1.0], [2.0, 2.0]], [[2.0, 1.0], [2.5, 2.0]]])
def test_constant_targets_agree_with_scikit_learn(prediction):
    target = [[2.0, 1.5], [2.0, 2.5]]
    assert regression(prediction, target)["r2"] == pytest.approx(sklearn_metrics().r2_score(target, prediction))


def test_one_row_has_no_r2():
    ours = regression([1.0], [2.0])
    assert np.isnan(ours["r2"])
    assert ours["mae"] == ours["rmse"] == 1.0


def test_float32_is_summed_in_double():
    prediction = np.full(1_000_000, 0.1, dtype=np.float32)
    assert regression(prediction, np.zeros_like(prediction))["mae"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: classification(np.ones((2, 3)), [0, 1], 2), ShapeError, r"have shape \(2, 3\), expected 2 columns"),
        (lambda: classification(np.ones((2, 2)), [0], 2), ShapeError, r"\(2,\) predicted classes and \(1,\) labels"),
        (lambda: classification(np.ones((2, 2)), [[0, 1]], 2), ShapeError, "expected one of each for every row"),
        (lambda: classification(np.ones((0, 2)), [], 2), DataError, "classification metrics: there are no rows"),
        (lambda: classification([0, 1], [0, 2], 2), DataError, "labels contain 2, expected whole numbers from 0 to 1"),
        (lambda: classification([0, -1], [0, 1], 2), DataError, "predictions contain -1, expected whole numbers"),
        (lambda: classification([0.0, np.nan], [0, 1], 2), DataError, "predictions contain nan"),
        (lambda: binary([0.5, 0.5], [[0], [1]]), ShapeError, r"predictions have shape \(2,\) and labels \(2, 1\)"),
        (lambda: binary([0.5], [0.5]), DataError, "labels contain 0.5"),
        (lambda: regression([[1.0]], [1.0]), ShapeError, r"have shape \(1, 1\) and targets \(1,\)"),
        (lambda: regression(1.0, 1.0), ShapeError, "make them equal, with one row or more"),
        (lambda: regression([], []), DataError, "regression metrics: there are no rows"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.1])
def test_constant_targets_whose_mean_is_rounded(value):
    assert regression([1.0, 2.0, 3.0], [value] * 3)["r2"] == 0
    assert regression([value] * 3, [value] * 3)["r2"] == 1
