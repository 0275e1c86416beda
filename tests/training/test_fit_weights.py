"""Weights of samples and classes: weighted means, zeros that are like rows left out, and how they meet a split."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError
from nnkit.optimizers import SGD
from tests.training.small import Replica, blobs, fit, network, same, values

X, Y = blobs(50)
WEIGHT = np.random.default_rng(3).uniform(0.1, 3.0, 50)


def test_the_loss_is_the_weighted_mean() -> None:
    net = network()
    replica = Replica(net.parameters())
    expected = [replica.epoch(X, Y, rate=0.1, batch=16, weight=WEIGHT)[0] for _ in range(2)]
    run = fit(net, X, Y, epochs=2, batch_size=16, optimizer=SGD(0.1), sample_weight=WEIGHT)
    np.testing.assert_allclose(run.history["loss"], expected, rtol=1e-12)
    for name, value in net.parameters().items():
        np.testing.assert_allclose(value, replica.values[name], rtol=1e-10, atol=1e-13)
    rows = -np.log(net.predict(X)[np.arange(50), Y])
    by_hand = float((WEIGHT * rows).sum() / WEIGHT.sum())
    assert net.test(X, Y, sample_weight=WEIGHT).loss == pytest.approx(by_hand, rel=1e-12)
    assert run.result.train == net.test(X, Y, sample_weight=WEIGHT).to_dict()


def test_weights_count_up_to_a_factor() -> None:
    a, b = network(), network()
    fit(a, X, Y, epochs=2, sample_weight=WEIGHT)
    fit(b, X, Y, epochs=2, sample_weight=1000 * WEIGHT)
    for name, value in a.parameters().items():
        np.testing.assert_allclose(value, b.parameters()[name], rtol=1e-7, atol=1e-10)


def test_rows_that_weigh_nothing_are_like_rows_that_are_not_there() -> None:
    weight = np.where(np.arange(50) % 3 == 0, 0.0, 1.0)
    kept = weight > 0
    with_zeros, without = network(), network()
    a = fit(with_zeros, X, Y, epochs=4, batch_size=50, sample_weight=weight, optimizer=SGD(0.1))
    b = fit(without, X[kept], Y[kept], epochs=4, batch_size=50, optimizer=SGD(0.1))
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-12)
    for name, value in with_zeros.parameters().items():
        np.testing.assert_allclose(value, without.parameters()[name], rtol=1e-10, atol=1e-14)


def test_a_batch_that_weighs_nothing_moves_nothing() -> None:
    weight = np.zeros(50)
    weight[:10] = 1.0
    net = network()
    some = fit(net, X, Y, epochs=1, batch_size=10, shuffle=False, sample_weight=weight, optimizer=SGD(0.1))
    alone = network()
    first = fit(alone, X[:10], Y[:10], epochs=1, batch_size=10, shuffle=False, optimizer=SGD(0.1))
    assert some.history["loss"] == pytest.approx(first.history["loss"], rel=1e-12)
    for name, value in net.parameters().items():
        np.testing.assert_allclose(value, alone.parameters()[name], rtol=1e-12)


@pytest.mark.parametrize(
    "form", [{0: 2.0, 2: 0.5}, [2.0, 1.0, 0.5], np.array([2.0, 1.0, 0.5])], ids=["dict", "list", "array"]
)
def test_class_weights_are_the_weights_of_their_rows(form: object) -> None:
    by_class, by_row = network(), network()
    a = fit(by_class, X, Y, epochs=2, class_weight=form)
    b = fit(by_row, X, Y, epochs=2, sample_weight=np.array([2.0, 1.0, 0.5])[Y])
    assert same(values(by_class), values(by_row))
    assert a.history == b.history


def test_balanced_is_scikit_learns() -> None:
    compute = pytest.importorskip("sklearn.utils.class_weight").compute_sample_weight
    labels = np.where(np.arange(50) < 40, 0, Y)
    by_name, by_row = network(), network()
    fit(by_name, X, labels, epochs=2, class_weight="balanced")
    fit(by_row, X, labels, epochs=2, sample_weight=compute("balanced", labels))
    assert same(values(by_name), values(by_row))


def test_class_weights_multiply_sample_weights() -> None:
    both, product = network(), network()
    fit(both, X, Y, epochs=2, class_weight={1: 3.0}, sample_weight=WEIGHT)
    fit(product, X, Y, epochs=2, sample_weight=WEIGHT * np.where(Y == 1, 3.0, 1.0))
    assert same(values(both), values(product))


def test_soft_labels_have_the_expected_weight() -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))
    soft, weighted = network(), network()
    fit(soft, X, shares, epochs=2, class_weight=[1, 2, 0.5])
    fit(weighted, X, shares, epochs=2, sample_weight=shares @ [1, 2, 0.5])
    for name, value in soft.parameters().items():
        np.testing.assert_allclose(value, weighted.parameters()[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-36, 1e30])
def test_the_scale_of_weights_means_nothing(scale: float) -> None:
    one, other = network(), network()
    weight = 1.0 + np.arange(len(X)) % 3
    runs = [fit(net, X, Y, epochs=2, sample_weight=w) for net, w in ((one, weight), (other, weight * scale))]
    assert runs[0].history["loss"] == pytest.approx(runs[1].history["loss"], rel=1e-12)
    for name, value in one.parameters().items():
        np.testing.assert_allclose(value, other.parameters()[name], rtol=1e-9, atol=1e-12)


def test_one_hot_rows_and_yes_or_no_have_classes_too() -> None:
    hot, labels = network(), network()
    fit(hot, X, np.eye(3)[Y], epochs=2, class_weight=[1, 2, 3])
    fit(labels, X, Y, epochs=2, class_weight=[1, 2, 3])
    for name, value in hot.parameters().items():
        np.testing.assert_allclose(value, labels.parameters()[name], rtol=1e-9, atol=1e-12)
    a, b = (network(outputs=1, output_activation="sigmoid") for _ in range(2))
    fit(a, X, Y == 1, epochs=2, class_weight={1: 4.0})
    fit(b, X, Y == 1, epochs=2, sample_weight=np.where(Y == 1, 4.0, 1.0))
    assert same(values(a), values(b))


def test_class_weights_need_classes() -> None:
    with pytest.raises(
        ArgumentError, match="class_weight needs classes, but loss 'mean_squared_error' has none here; use"
    ):
        fit(nnkit.FeedForward(3, 1), X, Y.astype(float), class_weight="balanced")


def test_a_validation_split_takes_its_weights_along() -> None:
    net = network()
    run = fit(net, X, Y, epochs=2, validation_split=0.3, sample_weight=WEIGHT)
    rows = np.array(run.record.data["validation_indices"])
    exact = net.test(X[rows], Y[rows], sample_weight=WEIGHT[rows])
    assert run.history["val_loss"][-1] == pytest.approx(exact.loss, rel=1e-12)


@pytest.mark.parametrize(("part", "first"), [("training", 0.0), ("validation", 1.0)])
def test_a_part_that_weighs_nothing_is_refused(part: str, first: float) -> None:
    weight = np.where(np.arange(50) < 40, first, 1.0 - first)
    net = network()
    before = values(net)
    with pytest.raises(
        DataError, match=f"rows of the {part} data weigh 0 after the split, so their loss means nothing"
    ):
        fit(net, X, Y, validation_split=0.2, shuffle=False, sample_weight=weight)
    assert same(values(net), before)
