"""The exact figures after training: what they equal, when they are computed, and with which weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.training.evaluation import Evaluator
from tests.training.small import blobs, fit, network

X, Y = blobs(1100, seed=1)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of rows that were scored, call by call."""
    calls: list[int] = []
    score = Evaluator.score

    def counted(self: Evaluator, goal: Any, x: Any, y: Any, weight: Any) -> Any:
        calls.append(len(x))
        return score(self, goal, x, y, weight)

    monkeypatch.setattr(Evaluator, "score", counted)
    return calls


def figures(scores: nnkit.network.Scores) -> dict[str, float]:
    return scores.to_dict()


def test_it_equals_test_on_the_same_data_to_the_bit() -> None:
    net = network(dtype="float32", l2=0.01)
    run = fit(net, X, Y, epochs=2)
    assert run.result.train == figures(net.test(X, Y))
    assert run.result.train.accuracy == net.test(X, Y).accuracy
    assert run.result.train.loss != run.history["loss"][-1]  # that one is a mean over the epoch
    assert set(run.result.train) == {"loss", "accuracy", "precision", "recall", "f1"}


def test_it_is_computed_once_and_not_before_it_is_read(scored: list[int]) -> None:
    run = fit(network(), X, Y, epochs=1, validation_split=0.1)
    assert scored == []
    repr(run), run.history, run.elapsed_s, run.resources, run.result.validation, run.result.test
    assert scored == []
    first = run.result.train
    assert scored == [990]
    assert run.result.train == first
    run.to_dict()
    assert scored == [990]


def test_it_belongs_to_the_weights_that_training_ended_with() -> None:
    net = network()
    run = fit(net, X, Y, epochs=1)
    expected = figures(net.test(X, Y))
    fit(net, X, Y, epochs=3, learning_rate=0.05)
    net.set_parameters({"layers.0.bias": np.zeros(4)})
    assert run.result.train == expected
    assert figures(net.test(X, Y)) != expected
    assert run.network is net


def test_it_has_the_states_of_that_moment_too() -> None:
    net = nnkit.Sequential([nnkit.nn.Dense(4), nnkit.nn.BatchNorm(), nnkit.nn.Dense(3, "softmax")], (3,), seed=0)
    run = fit(net, X, Y, epochs=1)
    expected = figures(net.test(X, Y))
    fit(net, 2.0 * X + 1.0, Y, epochs=2)
    assert run.result.train == expected


def test_it_is_that_of_the_best_weights_when_they_come_back() -> None:
    net = network()
    stopping = nnkit.EarlyStopping("loss", patience=1, mode="max")
    run = fit(net, X, Y, epochs=5, callbacks=stopping)
    assert stopping.best_epoch == 1
    assert run.result.train == figures(net.test(X, Y))


def test_it_keeps_the_loss_that_it_was_trained_for() -> None:
    net = nnkit.FeedForward(3, 1, [4], seed=0)
    target = X.sum(axis=1)
    first = fit(net, X, target, epochs=1, loss="huber")
    assert first.result.train.loss == net.test(X, target).loss
    expected = net.test(X, target, loss="huber").loss
    second = fit(net, X, target, epochs=0, loss="mae")
    assert second.result.train.loss == net.test(X, target).loss == net.test(X, target, loss="mae").loss
    assert net.test(X, target, loss="huber").loss == expected == first.result.train.loss


def test_validation_figures_are_those_of_the_rows_that_were_split_off() -> None:
    net = network()
    seen: list[dict[str, np.ndarray]] = []
    run = fit(net, X, Y, epochs=3, validation_split=0.25, callbacks=lambda _: seen.append(net.parameters()))
    rows = run.record.data["validation_indices"]
    for epoch, then in enumerate(seen):
        net.set_parameters(then)
        exact = net.test(X[rows], Y[rows])
        assert run.history["val_loss"][epoch] == pytest.approx(exact.loss, rel=1e-12)
        assert run.history["val_accuracy"][epoch] == exact.accuracy
    assert run.result.validation == {"loss": run.history["val_loss"][-1], "accuracy": run.history["val_accuracy"][-1]}


def test_validation_data_of_more_than_one_batch_and_with_weights() -> None:
    x, y = blobs(2500, seed=2)
    weight = np.random.default_rng(0).uniform(0, 2, 2500)
    net = network()
    run = fit(net, X, Y, epochs=2, validation_data=(x, y, weight))
    exact = net.test(x, y, sample_weight=weight)
    assert run.history["val_loss"][-1] == pytest.approx(exact.loss, rel=1e-12)
    assert run.history["val_accuracy"][-1] == exact.accuracy
    assert exact.loss != pytest.approx(net.test(x, y).loss, rel=1e-6)


def test_validation_is_without_dropout() -> None:
    net = nnkit.Sequential([nnkit.nn.Dropout(0.9), nnkit.nn.Dense(3, "softmax")], (3,), dtype="float64", seed=0)
    run = fit(net, X, Y, epochs=1, validation_data=(X[:200] + 1e-9, Y[:200]))
    assert run.history["val_loss"][-1] == pytest.approx(net.test(X[:200] + 1e-9, Y[:200]).loss, rel=1e-12)


def test_accuracy_is_correct_over_total_as_a_python_float() -> None:
    net = network()
    scores = net.test(X, Y)
    correct = int((net.predict(X).argmax(axis=1) == Y).sum())
    assert type(scores.accuracy) is float
    assert scores.accuracy == correct / len(X)
    assert type(scores.loss) is float
    assert scores.confusion.sum() == len(X)
    assert scores.rows == len(X)
    assert scores.elapsed_s > 0
    assert str(scores).endswith("(1100 rows)")


def test_scores_that_do_not_apply_are_none_and_attributes_that_do_not_exist_are_named() -> None:
    run = fit(network(), X, Y, epochs=1)
    scores = run.network.test(X, Y)
    assert scores.r2 is scores.mae is scores.rmse is None
    with pytest.raises(AttributeError, match="there is no 'r2' here; there are: loss, accuracy, precision, recall, f1"):
        _ = run.result.train.r2


def test_test_scores_enter_the_record() -> None:
    net = network()
    run = fit(net, X, Y, epochs=1)
    assert run.result.test is None
    run.add_test(net.test(*blobs(50, seed=9)))
    assert run.result.test.accuracy == net.test(*blobs(50, seed=9)).accuracy
    assert run.to_dict()["result"]["test"]["accuracy"] == run.result.test.accuracy
