"""Every kind of task learns on small synthetic data, and its scores are those of scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import NnkitWarning
from tests.peers import peer
from tests.training.small import fit

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 4))
W = np.array([[1.0, -0.5], [0.3, 0.8], [-0.7, 0.2], [0.0, 0.4]])
SIGNAL = X @ W


@pytest.fixture
def metrics() -> Any:
    return peer("sklearn.metrics")


def trained(outputs: int, activation: str, y: Any, hidden: int = 16, **options: Any) -> tuple[nnkit.Network, Any]:
    net = nnkit.FeedForward(4, outputs, [hidden], activation="tanh", output_activation=activation, seed=2)
    run = fit(net, X, y, **({"epochs": 30, "learning_rate": 0.01} | options))
    assert run.history["loss"][-1] < run.history["loss"][0]
    return net, run


@pytest.mark.parametrize("loss", ["auto", "mean_squared_error", "mae", "huber"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_regression(outputs: int, loss: str, metrics: Any) -> None:
    y = SIGNAL[:, :outputs] + 0.05 * RNG.normal(size=(300, outputs))
    net, run = trained(outputs, "identity", y if outputs > 1 else y[:, 0], loss=loss)
    scores, p = net.test(X, y), net.predict(X).astype(np.float64)
    assert scores.r2 > 0.9
    assert scores.r2 == pytest.approx(metrics.r2_score(y, p), rel=1e-5)
    assert scores.mae == pytest.approx(metrics.mean_absolute_error(y, p), rel=1e-5)
    assert scores.rmse == pytest.approx(metrics.root_mean_squared_error(y, p), rel=1e-5)
    distance = np.abs(p - y)
    by_hand = {
        "mae": distance.mean(),
        "huber": np.where(distance < 1, distance**2 / 2, distance - 0.5).mean(),
    }
    assert scores.loss == pytest.approx(by_hand.get(loss, (distance**2).mean()), rel=1e-4)
    assert scores.accuracy is scores.confusion is scores.f1 is None
    assert list(run.history) == ["loss"]
    assert set(run.result.train) == {"loss", "r2", "mae", "rmse"}


@pytest.mark.parametrize("kind", [bool, int, float])
def test_one_answer_of_yes_or_no(kind: type, metrics: Any) -> None:
    y = SIGNAL[:, 0] > 0
    net, run = trained(1, "sigmoid", y.astype(kind))
    scores, p = net.test(X, y), net.predict(X)[:, 0].astype(np.float64)
    guess = p > 0.5
    assert scores.accuracy == metrics.accuracy_score(y, guess) > 0.93
    assert scores.precision == pytest.approx(metrics.precision_score(y, guess))
    assert scores.recall == pytest.approx(metrics.recall_score(y, guess))
    assert scores.f1 == pytest.approx(metrics.f1_score(y, guess))
    assert (scores.confusion == metrics.confusion_matrix(y, guess)).all()
    assert scores.loss == pytest.approx(metrics.log_loss(y, p), rel=1e-4)
    assert run.history["accuracy"][-1] > 0.9
    assert run.record.data["classes"] == 2


def test_several_answers_of_yes_or_no(metrics: Any) -> None:
    y = SIGNAL > 0
    net, run = trained(2, "sigmoid", y)
    scores, guess = net.test(X, y), net.predict(X) > 0.5
    assert scores.accuracy == metrics.accuracy_score(y.ravel(), guess.ravel()) > 0.93
    assert scores.f1 == pytest.approx(metrics.f1_score(y.ravel(), guess.ravel()))
    assert 0.9 < run.history["accuracy"][-1] <= 1.0
    assert run.record.data["classes"] is None
    last = fit(net, X, y, epochs=1, learning_rate=0, batch_size=300)
    assert last.history["accuracy"][0] == scores.accuracy  # each answer counts, in both


@pytest.mark.parametrize("one_hot", [False, True])
def test_classes(one_hot: bool, metrics: Any) -> None:
    y = np.digitize(SIGNAL[:, 0], [-0.7, 0.7])
    net, run = trained(3, "softmax", np.eye(3)[y] if one_hot else y)
    for target in (y, np.eye(3)[y]):
        scores, p = net.test(X, target), net.predict(X).astype(np.float64)
        guess = p.argmax(axis=1)
        p /= p.sum(axis=1, keepdims=True)
        assert scores.accuracy == metrics.accuracy_score(y, guess) > 0.9
        assert scores.precision == pytest.approx(metrics.precision_score(y, guess, average="macro"))
        assert scores.recall == pytest.approx(metrics.recall_score(y, guess, average="macro"))
        assert scores.f1 == pytest.approx(metrics.f1_score(y, guess, average="macro"))
        assert (scores.confusion == metrics.confusion_matrix(y, guess)).all()
        assert scores.loss == pytest.approx(metrics.log_loss(y, p), rel=1e-4)
    assert run.record.data["classes"] == 3


def test_soft_labels() -> None:
    scores = np.exp(SIGNAL)
    soft = scores / scores.sum(axis=1, keepdims=True)
    net, _ = trained(2, "softmax", soft)
    assert np.abs(net.predict(X) - soft).mean() < 0.03


@pytest.mark.parametrize("activation", ["exponential", "softplus"])
def test_counts(activation: str, metrics: Any) -> None:
    mean = np.exp(0.5 * SIGNAL[:, 0])
    y = np.random.default_rng(0).poisson(mean)
    net, run = trained(1, activation, y, loss="poisson" if activation == "softplus" else "auto", epochs=40)
    p = net.predict(X)[:, 0].astype(np.float64)
    assert (p > 0).all()
    assert metrics.mean_poisson_deviance(y, p) < metrics.mean_poisson_deviance(y, np.full(300, y.mean())) * 0.8
    assert run.record.training["loss"]["name"] == "poisson"
    assert net.test(X, y, loss="poisson").loss == pytest.approx((p - y * np.log(p)).mean(), rel=1e-4)


def test_label_smoothing_stays_in_the_reported_loss() -> None:
    y = (SIGNAL[:, 0] > 0).astype(int)
    net, _ = trained(2, "softmax", y, loss=nnkit.losses.CrossEntropy(label_smoothing=0.1))
    log_p = np.log(net.predict(X).astype(np.float64))
    by_hand = -(0.9 * log_p[np.arange(300), y] + 0.1 * log_p.mean(axis=1)).mean()
    assert net.test(X, y).loss == pytest.approx(by_hand, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_every_optimizer_by_name(optimizer: str) -> None:
    y = (SIGNAL[:, 0] > 0).astype(int)
    rate = 0.3 if optimizer == "sgd" else 0.01
    net, _ = trained(2, "softmax", y, optimizer=optimizer, learning_rate=rate, epochs=15)
    assert net.test(X, y).accuracy > 0.93


@pytest.mark.parametrize(
    ("activation", "y", "message"),
    [
        (
            "relu",
            -SIGNAL,
            r"y goes to -\d.*, and the output activation 'relu' gives nothing below 0; use output_activation",
        ),
        ("tanh", SIGNAL * 10, r"the output activation 'tanh' gives nothing below -1"),
        ("sigmoid", abs(SIGNAL) * 10, "y goes to .*, and the output activation 'sigmoid' gives nothing above 1"),
    ],
)
def test_numbers_that_the_output_never_gives(activation: str, y: Any, message: str) -> None:
    net = nnkit.FeedForward(4, 2, output_activation=activation)
    with pytest.warns(NnkitWarning, match=message) as seen:
        fit(net, X, y, epochs=1, loss="mse")
    assert [warning.filename.endswith("small.py") for warning in seen] == [True]  # where net.fit stands


@pytest.mark.parametrize(("activation", "y"), [("relu", abs(SIGNAL)), ("tanh", np.sign(SIGNAL)), ("identity", SIGNAL)])
def test_numbers_that_it_gives_are_not_remarked(activation: str, y: Any) -> None:
    layers = [nnkit.nn.Dense(2, activation), nnkit.nn.Rescaling(100.0)]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fit(nnkit.FeedForward(4, 2, output_activation=activation), X, y, epochs=1, loss="mse")
        fit(nnkit.Sequential(layers, input_shape=(4,)), X, y * 50, epochs=1, loss="mse")
    assert not seen
