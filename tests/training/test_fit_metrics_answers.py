"""Metrics of answers of yes or no: several in a row, and those that a loss decides by the sign of a score."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.errors import NnkitWarning, UndefinedMetricError
from nnkit.metrics import Weighted
from tests.peers import peer
from tests.training.small import fit

AVERAGED = [f"{name}_{how}" for name in ("precision", "recall", "f1", "f2") for how in ("macro", "micro", "weighted")]


@pytest.mark.parametrize("weighted", [False, True])
def test_averages_over_several_answers_of_yes_or_no(weighted: bool) -> None:
    peers = peer("sklearn.metrics")
    draw = np.random.default_rng(5)
    x, y = draw.normal(size=(90, 3)), draw.random(size=(90, 3)) < [0.2, 0.5, 0.8]
    net = nnkit.FeedForward(3, 3, output_activation="sigmoid", dtype="float64", seed=0)
    guess = net.predict(x) > 0.5
    weight = draw.uniform(0.5, 2.0, 90) if weighted else None
    asked = [Weighted(name) for name in AVERAGED] if weighted else AVERAGED
    found = net.test(x, y, metrics=asked, sample_weight=weight).metrics
    for name in AVERAGED:
        kind, how = name.split("_")
        options = {"average": how, "sample_weight": weight} | ({"beta": 2.0} if kind == "f2" else {})
        theirs = getattr(peers, "fbeta_score" if kind == "f2" else f"{kind}_score")(y, guess, **options)
        assert found[f"weighted_{name}" if weighted else name] == pytest.approx(theirs, rel=1e-12)


def test_an_answer_that_is_never_yes_counts_as_0_in_a_mean() -> None:
    net = nnkit.FeedForward(2, 2, output_activation="sigmoid", seed=0)
    net.set_parameters({"layers.0.weight": np.eye(2) * 9, "layers.0.bias": [0.0, -99.0]})
    x, y = np.array([[1.0, 1], [-1, 1]]), np.array([[1, 1], [0, 1]])
    with pytest.warns(
        NnkitWarning, match="answer 1: metric 'precision': class 1 is never predicted, so it would be 0/0"
    ):
        assert net.test(x, y, metrics="precision_macro").metrics["precision_macro"] == 0.5
    with pytest.raises(UndefinedMetricError, match="metric 'recall': no answer is yes in any row, so that there is"):
        net.test(x, y * 0, metrics="recall_weighted")


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_metrics_of_scores_decide_at_zero_as_the_loss_does(loss: str, outputs: int) -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(200, 2))
    y = (x[:, :outputs] + draw.normal(size=(200, outputs)) > 0).astype(int)
    net = nnkit.FeedForward(2, outputs, dtype="float64", seed=3)
    names = ["accuracy", "f1", "precision", "roc_auc", "weighted_accuracy"]
    run = fit(net, x, y, loss=loss, epochs=2, learning_rate=0.0, metrics=names, validation_data=(x + 1e-9, y))
    scores, plain = net.test(x, y, metrics=names), net.test(x, y)
    chosen = net.predict(x) > 0
    assert 0.05 < np.mean(chosen != (net.predict(x) > 0.5)) < 0.95  # else it would not matter
    right = np.mean(chosen == y)
    assert scores.accuracy == plain.accuracy == pytest.approx(right, rel=1e-12)
    assert (scores.f1, scores.precision) == (plain.f1, plain.precision)
    for name in ("accuracy", "weighted_accuracy", "val_accuracy", "val_weighted_accuracy"):
        assert run.history[name][-1] == pytest.approx(right, rel=1e-12)
    assert run.history["val_f1"][-1] == pytest.approx(plain.f1, rel=1e-12)
    auc = peer("sklearn.metrics").roc_auc_score(y.ravel(), net.predict(x).ravel())
    assert scores.metrics["roc_auc"] == pytest.approx(auc, rel=1e-12)
