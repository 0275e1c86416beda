"""Classes of every kind: what the network gets, and what comes out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from tests.sklearn.data import blobs

from scipy.sparse import csr_array, csr_matrix  # isort: skip
from sklearn.datasets import make_multilabel_classification  # isort: skip

from nnkit.sklearn import Classifier  # isort: skip

X, Y = blobs()
X2, Y2 = blobs(classes=2)
FAST: dict[str, Any] = {"hidden": (8,), "learning_rate": 0.05, "epochs": 60, "random_state": 0}


def close(a: np.ndarray, b: np.ndarray) -> None:
    """Probabilities that are equal to rounding; the sigmoid has an absolute one, since it is computed from tanh."""
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "names",
    [
        np.array([0, 1, 2]),
        np.array([-5, 7, 100]),
        np.array([0.0, 1.0, 2.0]),
        np.array(["ape", "bee", "cat"]),
        np.array(["ape", "bee", "cat"], dtype=object),
        np.array([3, 1, 2], dtype=np.uint8),
    ],
    ids=lambda names: f"{names.dtype} {names[0]}",
)
def test_labels_of_any_kind_come_back(names: np.ndarray) -> None:
    net = Classifier(**FAST).fit(X, names[Y])
    assert net.classes_.tolist() == sorted(names.tolist())
    assert (net.predict(X) == names[Y]).mean() > 0.95
    assert net.score(X, names[Y]) > 0.95
    assert net.network_.classes == tuple(map(str, net.classes_))


def test_truth_as_labels() -> None:
    net = Classifier(**FAST).fit(X2, Y2 == 1)
    assert net.predict(X2).dtype == bool
    assert net.score(X2, Y2 == 1) > 0.95


def test_several_classes_are_a_softmax() -> None:
    net = Classifier(**FAST).fit(X, Y)
    assert net.network_.module.output_activation() == "softmax"
    p = net.predict_proba(X)
    assert p.shape == (60, 3)
    assert (p == net.network_.predict(X)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    assert (net.predict(X) == p.argmax(axis=1)).all()
    z = net.decision_function(X)
    np.testing.assert_allclose(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), p, rtol=1e-12)
    close(np.exp(net.predict_log_proba(X)), p)


def test_two_classes_are_one_sigmoid() -> None:
    net = Classifier(**FAST).fit(X2, Y2)
    assert net.network_.output_shape == (1,)
    p, z = net.predict_proba(X2), net.decision_function(X2)
    assert p.shape == (60, 2)
    assert z.shape == (60,)
    assert (p[:, 1] == net.network_.predict(X2)[:, 0]).all()
    close(p[:, 1], 1 / (1 + np.exp(-z)))
    assert (net.predict(X2) == (z > 0)).all()
    close(np.exp(net.predict_log_proba(X2)), p)


@pytest.mark.parametrize("activation", ["softmax", "log_softmax", "sparsemax", "hard_sigmoid"])
def test_two_classes_with_another_output(activation: str) -> None:
    net = Classifier(output_activation=activation, **FAST).fit(X2, Y2)
    assert net.network_.output_shape == (1 if activation == "hard_sigmoid" else 2,)
    p, z = net.predict_proba(X2), net.decision_function(X2)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    assert (p >= 0).all()
    assert z.shape == (60,)
    assert (net.predict(X2) == Y2).mean() > 0.9
    assert ((z > 0) == (net.predict(X2) == 1)).all()
    close(np.exp(net.predict_log_proba(X2)), p)


@pytest.mark.parametrize(("activation", "loss"), [("sparsemax", "auto"), ("softmax", "mse"), ("log_softmax", "auto")])
def test_several_classes_with_another_output_or_loss(activation: str, loss: str) -> None:
    net = Classifier(output_activation=activation, loss=loss, **FAST).fit(X, Y)
    assert net.loss_curve_[-1] < net.loss_curve_[0] / 2
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, rtol=1e-12)


def test_logarithms_stay_finite_where_probabilities_vanish() -> None:
    for x, y in ((X, Y), (X2, Y2)):
        net = Classifier(**FAST).fit(x, y)
        net.network_.set_parameters({name: value * 300 for name, value in net.network_.parameters().items()})
        assert (net.predict_proba(x) == 0).any()
        assert np.isfinite(net.predict_log_proba(x)).all()
        assert net.predict_log_proba(x).min() < -1000


def test_one_class_is_always_predicted() -> None:
    net = Classifier(**FAST).fit(X, np.full(60, "only"))
    assert set(net.predict(X)) == {"only"}
    assert (net.predict_proba(X) == 1).all()
    assert (net.predict_log_proba(X) == 0).all()
    assert net.decision_function(X).shape == (60, 1)


def test_one_row() -> None:
    assert Classifier(**FAST).fit(X[:1], ["a"]).predict(X[:3]).tolist() == ["a"] * 3


def test_several_answers_of_yes_or_no() -> None:
    x, y = make_multilabel_classification(n_samples=80, n_classes=3, random_state=0)
    x = (x - x.mean(0)) / x.std(0)
    net = Classifier(**FAST).fit(x, y)
    assert net.network_.module.output_activation() == "sigmoid"
    assert net.classes_.tolist() == [0, 1, 2]
    p = net.predict_proba(x)
    assert (p == net.network_.predict(x)).all()
    assert (net.predict(x) == (p > 0.5)).all()
    assert net.predict(x).dtype.kind == "i"
    assert (net.predict(x) == y).mean() > 0.9
    assert 0.7 < net.score(x, y) <= 1  # the share of rows with all answers right
    assert ((net.decision_function(x) > 0) == (p > 0.5)).all()
    close(np.exp(net.predict_log_proba(x)), p)
    sparse = Classifier(**FAST).fit(x, csr_array(y))
    assert (sparse.predict_proba(x) == p).all()


def test_a_column_of_labels_is_a_vector_with_a_word() -> None:
    from sklearn.exceptions import DataConversionWarning

    with pytest.warns(DataConversionWarning, match="column-vector y"):
        net = Classifier(**FAST).fit(X, Y.reshape(-1, 1))
    assert net.predict(X).shape == (60,)


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix])
def test_sparse_rows_are_the_dense_ones(sparse: Any) -> None:
    x = np.where(X > 1, X, 0.0)
    dense, net = Classifier(**FAST).fit(x, Y), Classifier(**FAST).fit(sparse(x), Y)
    many = np.concatenate([x] * 40)  # more than are made dense together
    for method in ("predict", "predict_proba", "decision_function", "predict_log_proba"):
        np.testing.assert_allclose(getattr(net, method)(sparse(many)), getattr(dense, method)(many), rtol=1e-12)


def test_pandas_brings_names() -> None:
    import pandas as pd

    table = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    net = Classifier(**FAST).fit(table, pd.Series(Y).map({0: "x", 1: "y", 2: "z"}))
    assert net.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert net.n_features_in_ == 4
    assert (net.predict(table) == np.array(["x", "y", "z"])[Y]).mean() > 0.95
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(table.rename(columns={"a": "e"}))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        net.predict(X)


def test_the_network_is_a_network(tmp_path: Any) -> None:
    net = Classifier(**FAST).fit(X, np.array(["a", "b", "c"])[Y])
    net.network_.save(tmp_path / "net.h5")
    loaded = nnkit.load(tmp_path / "net.h5")
    assert (loaded.predict(X) == net.predict_proba(X)).all()
    assert loaded.classes == ("a", "b", "c")
