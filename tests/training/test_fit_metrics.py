"""``metrics=`` in ``fit`` and ``test``: what is recorded, that it is exact, what has no value."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import EarlyStopping
from nnkit.errors import ArgumentError
from nnkit.metrics import METRICS, FBeta, Metric, Running, TopK, Weighted
from nnkit.optimizers import SGD
from nnkit.training.graphs import training_graph
from nnkit.training.means import Means
from tests.peers import peer
from tests.training.small import blobs, fit, network, same, values
from tests.training.steps import Job

X, Y = blobs(240)
WEIGHT = np.random.default_rng(1).uniform(0.1, 2.0, 240)
NUMBERS = np.stack([X[:, 0] * 2 + 9.0, X[:, 1] - X[:, 2] + 12.0], axis=1)
RUNNING = ["top_1_accuracy", "top_2_accuracy", "log_loss", "brier"]
WHOLE = ["auc", "pr_auc", "f1", "mcc", "kappa", "balanced_accuracy"]
SUMS = ["mse", "rmse", "mae", "mape"]


def share_of_class_two(target: np.ndarray, prediction: np.ndarray) -> float:
    return float(np.mean(prediction[:, 2]))


def regression(**options: Any) -> nnkit.Network:
    return network(outputs=2, output_activation="identity", **options)


# --- what is recorded


def test_the_history_has_running_means_and_exact_values_under_names_of_their_own() -> None:
    run = fit(network(), X, Y, epochs=3, validation_split=0.25, metrics=[*RUNNING, "auc", share_of_class_two])
    names = [*RUNNING, "auc", "share_of_class_two"]
    validated = [f"val_{name}" for name in ("loss", "accuracy", *names)]
    assert list(run.history) == ["loss", "accuracy", *RUNNING, *validated]
    assert {len(series) for series in run.history.values()} == {3}
    assert list(run.result.validation) == ["loss", "accuracy", *names]
    assert run.result.validation.auc == run.history["val_auc"][-1]
    assert "val_auc" in json.dumps(run.to_dict()["history"])


def test_running_means_are_those_of_the_steps() -> None:
    """Loss and accuracy of the same steps are known already."""
    run = fit(network(), X, Y, epochs=3, batch_size=7, metrics=RUNNING)
    assert run.history["log_loss"] == pytest.approx(run.history["loss"], rel=1e-12)
    assert run.history["top_1_accuracy"] == run.history["accuracy"]
    run = fit(regression(), X, NUMBERS, epochs=3, batch_size=7, metrics=SUMS)
    assert run.history["mse"] == pytest.approx(run.history["loss"], rel=1e-12)
    run = fit(regression(), X, NUMBERS, epochs=3, batch_size=7, loss="mae", metrics="mae")
    assert run.history["mae"] == pytest.approx(run.history["loss"], rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_movement_they_are_the_exact_values(dtype: str) -> None:
    close = {"rel": 2e-6 if dtype == "float32" else 1e-12}
    net = network(dtype=dtype)
    run = fit(net, X, Y, epochs=1, batch_size=32, learning_rate=0, metrics=[*RUNNING, "acc"])
    for name in (*RUNNING, "acc"):
        assert run.history[name][0] == pytest.approx(run.result.train[name], **close)
    net = regression(dtype=dtype)
    run = fit(net, X, NUMBERS, epochs=1, learning_rate=0, metrics=SUMS)
    for name in SUMS:
        assert run.history[name][0] == pytest.approx(net.test(X, NUMBERS, metrics=name).to_dict()[name], **close)


@pytest.mark.parametrize("one_hot", [False, True])
def test_the_result_is_that_of_test_to_the_last_bit(one_hot: bool) -> None:
    net, y = network(dtype="float32"), np.eye(3)[Y] if one_hot else Y
    asked = [*RUNNING, *WHOLE, TopK(2), FBeta(2.0, "macro"), share_of_class_two]
    asked.remove("top_2_accuracy")
    run = fit(net, X, y, epochs=2, validation_split=0.3, metrics=asked)
    rows = run.record.data["validation_indices"]
    rest = np.setdiff1d(np.arange(240), rows)
    assert run.result.train == net.test(X[rest], y[rest], metrics=asked).to_dict()
    tested = net.test(X[rows], y[rows], metrics=asked).to_dict()
    names = set(tested) - {"loss", "precision", "recall"}  # the validation's loss comes from its own program
    assert {name: run.result.validation[name] for name in names} == {name: tested[name] for name in names}


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_compiled_and_plain_agree(kind: str) -> None:
    """To rounding: both in double."""
    peer("llvmlite")
    histories = []
    for mode in ("off", "first"):
        net = network() if kind == "classes" else regression()
        y, asked = (Y, [*RUNNING, Weighted("brier")]) if kind == "classes" else (NUMBERS, [*SUMS, Weighted("mae")])
        run = fit(net, X, y, epochs=2, batch_size=50, compile=mode, metrics=asked, sample_weight=WEIGHT)
        assert run.record.training["program"]["kind"] == {"off": "plain", "first": "native"}[mode]
        assert run.record.training["program"]["fallbacks"] == []
        histories.append(run.history)
    plain, native = histories
    assert plain.keys() == native.keys()
    for name, series in plain.items():
        assert native[name] == pytest.approx(series, rel=1e-10), name


def test_the_weights_of_the_network_do_not_depend_on_what_is_measured() -> None:
    alone, measured = network(), network()
    fit(alone, X, Y, epochs=3, batch_size=32)
    run = fit(measured, X, Y, epochs=3, batch_size=32, metrics=RUNNING)
    assert same(values(alone), values(measured))
    assert not [leaf for leaf in alone._model.store.leaves() if "mean" in leaf.name]
    fit(measured, X, Y, epochs=1)
    assert not [leaf for leaf in measured._model.store.leaves() if "mean" in leaf.name]
    assert len(run.history["brier"]) == 3


def test_nothing_asked_costs_nothing() -> None:
    job = Job(nnkit.nn.Dense(3, "softmax"), (4,), "auto", SGD(0.1), "classes", weighted=True)
    plain = job.graph(5)
    assert not [name for name in plain.inputs if name.startswith("metric.mean")]
    assert fit(network(), X, Y, epochs=1, metrics=None).history.keys() == {"loss", "accuracy"}
    for asked in ((), (METRICS["roc_auc"], METRICS["f1"])):
        means = Means(tuple(metric for metric in asked if metric.running), "classes", 3)
        graph = training_graph(job.layout, job.objective, job.optimizer, ((), "int32"), 5, True, means)
        assert graph == plain
        assert graph.fingerprint == plain.fingerprint
    runs = [fit(network(), X, Y, epochs=1, validation_split=0.2, metrics=asked) for asked in ((), "auc")]
    first, second = (run.record.training["program"]["fingerprint"] for run in runs)
    assert first == second
    assert list(runs[0].history) == ["loss", "accuracy", "val_loss", "val_accuracy"]


# --- exactness


def test_values_of_validation_are_those_of_scikit_learn() -> None:
    peers = peer("sklearn.metrics")
    net = network()
    run = fit(net, X[:180], Y[:180], epochs=2, validation_data=(X[180:], Y[180:]), metrics=[*WHOLE, "log_loss"])
    p, y = net.predict(X[180:]), Y[180:]
    guess = p.argmax(axis=1)
    expected = {
        "auc": peers.roc_auc_score(y, p, multi_class="ovr"),
        "pr_auc": peers.average_precision_score(y, p),
        "f1": peers.f1_score(y, guess, average="macro"),
        "mcc": peers.matthews_corrcoef(y, guess),
        "kappa": peers.cohen_kappa_score(y, guess),
        "balanced_accuracy": peers.balanced_accuracy_score(y, guess),
        "log_loss": peers.log_loss(y, p),
    }
    assert {name: run.history[f"val_{name}"][-1] for name in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("outputs", [1, 2])
def test_yes_and_no(outputs: int) -> None:
    """Of several answers in a row every one counts, as in the accuracy."""
    peers = peer("sklearn.metrics")
    y = (NUMBERS.mean(axis=0) < NUMBERS)[:, :outputs]
    net = network(outputs=outputs, output_activation="sigmoid")
    asked = ["auc", "pr_auc", "precision", "brier", "acc", "mae", Weighted("auc")]
    run = fit(net, X, y, epochs=2, validation_split=0.3, metrics=asked)
    assert list(run.history)[2:6] == ["brier", "acc", "mae", "val_loss"]
    assert run.history["acc"] == pytest.approx(run.history["accuracy"], rel=1e-14)
    scores = net.test(X, y, metrics=asked, sample_weight=WEIGHT)
    t, p, w = y.ravel(), net.predict(X).ravel(), np.repeat(WEIGHT, outputs)
    assert scores.auc == pytest.approx(peers.roc_auc_score(t, p), rel=1e-12)
    assert scores.weighted_auc == pytest.approx(peers.roc_auc_score(t, p, sample_weight=w), rel=1e-12)
    assert scores.pr_auc == pytest.approx(peers.average_precision_score(t, p), rel=1e-12)
    assert scores.precision == pytest.approx(peers.precision_score(t, p > 0.5), rel=1e-12)
    assert scores.brier == pytest.approx(np.mean((p - t) ** 2), rel=1e-12)
    assert scores.mae == pytest.approx(np.mean(np.abs(p - t)), rel=1e-12)
    assert scores.acc == scores.accuracy


def test_numbers() -> None:
    peers, stats = peer("sklearn.metrics"), peer("scipy.stats")
    net = regression()
    asked = [*SUMS, "r2", "explained_variance", "pearson", "spearman"]
    run = fit(net, X, NUMBERS, epochs=2, validation_split=0.3, metrics=asked)
    p = net.predict(X)
    scores = net.test(X, NUMBERS, metrics=asked)
    assert scores.mape == pytest.approx(peers.mean_absolute_percentage_error(NUMBERS, p), rel=1e-12)
    assert scores.spearman == pytest.approx(
        np.mean([stats.spearmanr(NUMBERS[:, i], p[:, i]).statistic for i in (0, 1)]), rel=1e-12
    )
    assert scores.rmse == pytest.approx(peers.root_mean_squared_error(NUMBERS, p), rel=1e-12)
    assert set(run.result.train) == {"loss", *asked}
    assert f"spearman {scores.spearman:.4f}" in str(scores)


def test_soft_targets_stay_soft_where_they_can() -> None:
    soft = np.random.default_rng(0).dirichlet(np.ones(3), 240)
    net = network()
    scores = net.test(X, soft, metrics=["log_loss", "brier", "auc"])
    p = net.predict(X)
    assert scores.log_loss == pytest.approx(-(soft * np.log(p)).sum(axis=1).mean(), rel=1e-12)
    assert scores.log_loss == pytest.approx(scores.loss, rel=1e-10)
    assert scores.brier == pytest.approx(np.square(soft - p).sum(axis=1).mean(), rel=1e-12)
    assert scores.auc == METRICS["roc_auc"](soft.argmax(axis=1), p)
    run = fit(net, X, soft, epochs=1, metrics=["log_loss", "brier"])
    assert run.history["log_loss"] == pytest.approx(run.history["loss"], rel=1e-12)


def test_sample_weights_are_for_those_that_ask_for_them() -> None:
    asked = ["log_loss", Weighted("log_loss"), "weighted_auc", "auc"]
    net = network()
    run = fit(net, X, Y, epochs=2, sample_weight=WEIGHT, validation_split=0.3, metrics=asked)
    assert run.history["weighted_log_loss"] == pytest.approx(run.history["loss"], rel=1e-12)
    assert run.history["log_loss"] != pytest.approx(run.history["loss"], rel=1e-6)
    assert run.history["val_weighted_log_loss"] == pytest.approx(run.history["val_loss"], rel=1e-12)
    scores, p = net.test(X, Y, sample_weight=WEIGHT, metrics=asked), net.predict(X)
    assert scores.weighted_auc == METRICS["roc_auc"](Y, p, WEIGHT)
    assert scores.auc == METRICS["roc_auc"](Y, p)
    without = net.test(X, Y, metrics=asked)
    assert without.weighted_auc == without.auc
    plain = fit(network(), X, Y, epochs=1, metrics=[Weighted("brier"), "brier"])
    assert plain.history["weighted_brier"] == plain.history["brier"]


# --- functions of one's own


def test_a_function_gets_arrays_that_it_may_spoil() -> None:
    seen: list[Any] = []

    def spoil(target: np.ndarray, prediction: np.ndarray) -> float:
        seen.append((target.copy(), prediction.copy()))
        target[:], prediction[:] = 0, 0
        return 1.0

    y = NUMBERS[:, 0]
    net = network(outputs=1, output_activation="identity")
    scores = net.test(X, y, metrics=[spoil, "mae", peer("sklearn.metrics").max_error])
    ((target, prediction),) = seen
    assert target.shape == prediction.shape == (240,)
    assert (target == y).all()
    assert scores.mae == np.abs(target - prediction).mean()
    assert scores.max_error == np.abs(target - prediction).max()
    assert scores.spoil == 1.0
    net = network()
    net.test(X, Y, metrics=spoil)
    assert (seen[-1][0] == Y).all()
    assert (seen[-1][1] == net.predict(X)).all()


def test_a_metric_of_ones_own_with_a_direction() -> None:
    bias = Metric("bias", lambda t, p, w: np.abs((p - t).mean()), ("numbers",), more_is_better=False, form="numbers")
    stopping = EarlyStopping("val_bias", patience=3)
    run = fit(regression(), X, NUMBERS, epochs=5, validation_split=0.3, metrics=[bias], callbacks=stopping)
    assert stopping.best == min(run.history["val_bias"])


def test_a_sum_over_rows_of_ones_own_has_a_running_mean() -> None:
    def surprise(targets: str, target: Any, prediction: Any) -> Any:
        xp = nnkit.ops.namespace(prediction)
        return -xp.log(xp.max(prediction, axis=-1))

    sure = Metric(
        "doubt", lambda t, p, w: -np.log(p.max(axis=1)).mean(), ("classes",), False, running=Running(surprise)
    )
    net = network()
    run = fit(net, X, Y, epochs=2, learning_rate=0, validation_split=0.3, metrics=[sure])
    assert run.history["doubt"][-1] == pytest.approx(run.result.train.doubt, rel=1e-12)
    assert run.history["val_doubt"][-1] == run.result.validation.doubt


def test_what_a_function_raises_passes_through() -> None:
    def broken(target: Any, prediction: Any) -> float:
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError, match="not today"):
        network().test(X, Y, metrics=broken)
    with pytest.raises(RuntimeError, match="not today"):
        fit(network(), X, Y, validation_split=0.2, metrics=broken)


def nothing(target: Any, prediction: Any) -> Any:
    return None


def text(target: Any, prediction: Any) -> Any:
    return "1.0"


@pytest.mark.parametrize(("function", "value"), [(nothing, "None"), (text, "'1.0'")])
def test_what_is_no_number_is_refused(function: Any, value: str) -> None:
    with pytest.raises(ArgumentError, match=f"metric '{function.__name__}' returned {value}; expected a number"):
        network().test(X, Y, metrics=[function])


def errors(target: Any, prediction: Any) -> Any:
    return np.zeros((200, 3))


def test_of_an_array_that_is_no_number_the_beginning_is_shown() -> None:
    with pytest.raises(ArgumentError, match=r"metric 'errors' returned array\(\[\[0") as caught:
        network().test(X, Y, metrics=[errors])
    assert len(str(caught.value)) < 150


# --- early stopping


@pytest.mark.parametrize(
    ("monitor", "upwards"),
    [("val_auc", True), ("val_log_loss", False), ("brier", False), ("top_2_accuracy", True), ("val_f1", True)],
)
def test_early_stopping_knows_which_way_is_up(monitor: str, upwards: bool) -> None:
    stopping = EarlyStopping(monitor, patience=20)
    run = fit(
        network(),
        X,
        Y,
        epochs=6,
        learning_rate=0.05,
        validation_split=0.3,
        metrics=["auc", "log_loss", "brier", "top_2_accuracy", "f1"],
        callbacks=stopping,
    )
    assert stopping.best == (max if upwards else min)(run.history[monitor])
    name = monitor.removeprefix("val_")
    if name != monitor:
        assert run.result.validation[name] == stopping.best  # with the weights that came back, to the bit


def test_every_metric_says_which_way_is_up() -> None:
    assert all(isinstance(row.more_is_better, bool) for row in METRICS.values())
    assert {name for name, row in METRICS.items() if not row.more_is_better} == {
        *("log_loss", "brier", "mse", "rmse", "mae", "mape"),
    }


def test_early_stopping_asks_which_way_is_up_where_nobody_knows() -> None:
    options = {"epochs": 2, "validation_split": 0.3, "metrics": [share_of_class_two]}
    message = r"mode 'auto' does not know whether more of 'val_share_of_class_two' is better; write mode='max' or"
    with pytest.raises(ArgumentError, match=message):
        fit(network(), X, Y, callbacks=EarlyStopping("val_share_of_class_two"), **options)
    fit(network(), X, Y, callbacks=EarlyStopping("val_share_of_class_two", mode="max"), **options)


@pytest.mark.parametrize(
    ("monitor", "options", "message"),
    [
        ("val_auc", {"validation_split": 0.3}, r"val_accuracy; pass metrics=\['auc'\]$"),
        ("val_auc", {}, "records loss, accuracy; pass validation_split=0.1 or validation_data=$"),
        ("mae", {}, r"records loss, accuracy; pass metrics=\['mae'\]$"),
    ],
)
def test_early_stopping_says_how_to_record_it(monitor: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        fit(network(), X, Y, epochs=1, callbacks=EarlyStopping(monitor), **options)


def test_numbers_with_variances_are_measured_by_their_means() -> None:
    x = np.random.default_rng(0).normal(size=(90, 3))
    net = nnkit.FeedForward(3, 4, [8], dtype="float64", seed=0)
    options: dict[str, Any] = {"loss": "gaussian_nll", "metrics": ["mae", "r2"], "validation_split": 0.2}
    run = net.fit(x, x[:, :2], epochs=3, optimizer="lbfgs", progress=False, **options)
    mae = np.abs(net.predict(x)[:, :2] - x[:, :2]).mean()
    assert net.test(x, x[:, :2], metrics="mape").mae == pytest.approx(mae, rel=1e-12)
    assert 0.8 * run.history["mae"][-1] + 0.2 * run.history["val_mae"][-1] == pytest.approx(mae, rel=1e-10)
