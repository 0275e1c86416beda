"""``metrics=`` where there is no value, and where it cannot be meant: a reason, and no trace of a refused call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError, NnkitWarning, UndefinedMetricError
from tests.training.small import blobs, fit, network, same, values
from tests.training.test_fit_metrics import NUMBERS, regression, share_of_class_two

X, Y = blobs(240)


# --- no value


def test_in_training_what_has_no_value_is_nan_with_one_warning() -> None:
    only = Y != 2
    given = (X[only][:30] + 0.1, Y[only][:30])
    net = network()
    message = "val_auc after epoch 1: metric 'roc_auc': class 2 without rows; it needs rows of every class"
    with pytest.warns(NnkitWarning, match=message) as caught:
        run = fit(net, X, Y, epochs=4, validation_data=given, metrics=["auc", "log_loss"])
    assert len(caught) == 1
    assert caught[0].filename == __file__.replace("test_fit_metrics_undefined", "small")  # where fit was called
    assert all(math.isnan(value) for value in run.history["val_auc"])
    assert np.isfinite(run.history["val_log_loss"]).all()
    record = run.to_dict()
    assert record["history"]["val_auc"] == [None] * 4
    assert record["resources"]["reasons"]["history.val_auc"].startswith("entry 1 was nan")
    assert "class 2 without rows" in record["resources"]["reasons"]["history.val_auc"]
    assert record["result"]["validation"]["auc"] is None
    assert np.isfinite(run.result.train.auc)


def test_in_test_it_is_an_error_that_names_the_metric() -> None:
    with pytest.raises(UndefinedMetricError, match="metric 'roc_auc': classes 1 and 2 without rows"):
        network().test(X[Y == 0], Y[Y == 0], metrics=["log_loss", "auc"])
    with pytest.raises(UndefinedMetricError, match="metric 'r2': all targets of output 0 are equal"):
        regression().test(X[:1], NUMBERS[:1], metrics="r2")


def test_a_part_of_a_mean_that_is_nothing_is_named_in_training_and_in_test() -> None:
    net = network()
    net.set_parameters({"layers.1.bias": np.asarray([50.0, 0.0, 0.0])})
    message = "metric 'precision': classes 1 and 2 never predicted, so the value there would be 0/0; it counts as 0"
    with (
        pytest.warns(NnkitWarning, match=message) as told,
        pytest.warns(NnkitWarning, match="1, 2 are never predicted"),
    ):
        scores = net.test(X, Y, metrics="precision_macro")
    assert told[0].filename == __file__
    assert scores.precision_macro == scores.precision > 0
    with pytest.warns(NnkitWarning, match=f"val_precision_macro after epoch 1: {message}") as caught:
        fit(net, X, Y, epochs=3, validation_split=0.2, metrics="precision_macro")
    assert len(caught) == 1


def test_no_rows_at_all() -> None:
    with pytest.raises(DataError, match="validation x is empty"):
        fit(network(), X, Y, validation_data=(X[:0], Y[:0]), metrics="auc")
    with pytest.raises(DataError, match="x is empty"):
        network().test(X[:0], Y[:0], metrics="auc")


def test_a_training_set_of_one_class_has_no_auc_and_all_other_scores() -> None:
    one = Y == 1
    run = fit(network(), X[one], Y[one], epochs=1, validation_data=(X + 0.1, Y), metrics="auc")
    assert math.isnan(run.result.train.auc)
    assert run.result.train.accuracy >= 0
    record = run.to_dict()
    assert record["result"]["train"]["auc"] is None
    assert record["resources"]["reasons"]["result.train.auc"] == "it was nan"


def test_a_share_of_a_target_of_zero_is_visible() -> None:
    y = NUMBERS.copy()
    y[3, 0] = 0.0
    run = fit(regression(), X, y, epochs=2, metrics=["mape", "mae"])
    assert run.history["mape"] == [math.inf] * 2
    assert np.isfinite(run.history["mae"]).all()


# --- what cannot be meant

IN_FIT: dict[str, tuple[Any, str]] = {
    "unknown": (["acuracy"], "unknown metric 'acuracy'. Did you mean 'accuracy'"),
    "no metric": ([5], "metric 5 is neither a name"),
    "no list": (5, r"metrics is 5; expected a list of names, nnkit\.metrics\.Metric objects or functions"),
    "twice": (["mae", "MAE"], "metrics has 'mae' twice; give each another name, or leave one out"),
    "of numbers": (
        ["log_loss", "rmse"],
        "metric 'rmse' is for numbers or yes and no, but the targets of loss 'cross_entropy' are classes; use acc",
    ),
    "too many": (["top_3_accuracy"], "metric 'top_3_accuracy' needs 4 classes or more, the network has 3"),
    "whole": (
        ["log_loss", "auc"],
        r"metric 'auc' needs all rows at once, so training has it for validation data only: pass validation_split=0\.1 "
        r"or validation_data=, or call net\.test\(x, y, metrics=\['auc'\]\) after it",
    ),
    "own": ([share_of_class_two], "metric 'share_of_class_two' needs all rows at once"),
}


@pytest.mark.parametrize(("asked", "message"), IN_FIT.values(), ids=IN_FIT)
def test_a_refused_fit_leaves_no_trace(asked: Any, message: str) -> None:
    net = network()
    before = values(net)
    with pytest.raises(ArgumentError, match=message):
        fit(net, X, Y, metrics=asked)
    assert same(values(net), before)
    assert net._model.steps_done == 0


def test_log_probabilities_are_no_probabilities() -> None:
    net = network(output_activation="log_softmax")
    assert net.test(X, Y, metrics="auc").auc > 0
    for name in ("log_loss", "brier"):
        with pytest.raises(
            ArgumentError, match=f"metric '{name}' needs probabilities, but the output activation is 'log"
        ):
            fit(net, X, Y, metrics=name)


class Doubled(nnkit.nn.Module):
    """Of which nobody knows that its outputs are no probabilities."""

    def __init__(self) -> None:
        self.dense = nnkit.nn.Dense(3, "softmax")

    def __call__(self, x: Any, run: Any) -> Any:
        return self.dense(x, run) * 2.0


def test_what_turns_out_to_be_no_probability() -> None:
    net = nnkit.Network(Doubled(), (3,), dtype="float64")
    options = {"loss": "cross_entropy", "epochs": 2, "validation_split": 0.2, "metrics": "brier"}
    with pytest.warns(NnkitWarning, match="val_brier after epoch 1: metric 'brier' needs probabilities, from 0 to 1"):
        run = fit(net, X, Y, **options)
    assert all(math.isnan(value) for value in run.history["val_brier"])
    with pytest.raises(DataError, match="metric 'brier' needs probabilities"):
        net.test(X, Y, metrics="brier")


def test_numbers_are_no_classes() -> None:
    message = (
        "metric 'auc' is for classes or yes and no, but the targets of loss 'mean_squared_error' are numbers; use mse"
    )
    with pytest.raises(ArgumentError, match=message):
        regression().test(X, NUMBERS, metrics="auc")


@pytest.mark.parametrize("name", ["loss", "accuracy", "rows", "val_mine", "confusion", "metrics"])
def test_a_name_that_is_taken(name: str) -> None:
    def mine(target: Any, prediction: Any) -> float:
        return 0.0

    mine.__name__ = name
    with pytest.raises(ArgumentError, match=f"a metric of your own is named '{name}', which is taken; give it another"):
        network().test(X, Y, metrics=[mine])


def test_scores_name_what_they_lack() -> None:
    with pytest.raises(AttributeError, match=r"scores have no 'auc'; ask for it: net\.test\(x, y, metrics=\['auc'\]\)"):
        _ = network().test(X, Y).auc
    with pytest.raises(
        AttributeError, match=r"scores have no 'plot'; run\.plot\(scores\) draws their confusion matrix$"
    ):
        _ = network().test(X, Y).plot
    with pytest.raises(AttributeError, match=r"scores have no 'layers'$"):
        _ = network().test(X, Y).layers
    with pytest.raises(AttributeError, match=r"ask for it: net\.test\(x, y, metrics=\['top_2_accuracy'\]\)"):
        _ = network().test(X, Y).top_2_accuracy
    assert not hasattr(network().test(X, Y), "__array__")
    assert nnkit.network.Scores(0.5, 3).to_dict() == {"loss": 0.5}


def test_a_leaf_may_not_have_the_name_of_a_sum() -> None:
    class Inner(nnkit.nn.Module):
        def __init__(self) -> None:
            self.mae = nnkit.nn.Parameter((1,))

        def __call__(self, x: Any, run: Any) -> Any:
            return x * self.mae

    class Outer(nnkit.nn.Module):
        def __init__(self) -> None:
            self.metric = nnkit.nn.Sequential([])
            self.metric.mean = Inner()

        def __call__(self, x: Any, run: Any) -> Any:
            return self.metric.mean(x, run)

    with pytest.raises(ArgumentError, match="the training step has a value of that name; give the attribute another"):
        nnkit.Network(Outer(), (1,))


@pytest.mark.parametrize("name", ["loss", "prediction", "penalty", "gradient", "x"])
def test_a_state_may_not_have_the_name_of_what_a_step_gives_out(name: str) -> None:
    class Own(nnkit.nn.Module):
        def __init__(self) -> None:
            setattr(self, name, nnkit.nn.State((1,), "zeros"))

        def __call__(self, x: Any, run: Any) -> Any:
            return x + getattr(self, name)

    with pytest.raises(ArgumentError, match=f"leaf '{name}': the training step has a value of that name"):
        nnkit.Network(Own(), (1,))
