"""L-BFGS in ``fit``: one update an epoch on all rows, beside scikit-learn and scipy, and what it cannot do."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.callbacks import EarlyStopping
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.optimizers import LBFGS, Adam, ClipByNorm, Muon, from_config, get
from nnkit.training.programs import Epoch
from tests.training.small import blobs

X, Y = blobs(90)
DIGITS = nnkit.data.load("digits")


def network(**more: Any) -> nnkit.Network:
    options = {"output_activation": "softmax", "activation": "tanh", "dtype": "float64", "seed": 0} | more
    return nnkit.FeedForward(3, 3, [8], **options)


def fitted(net: Any = None, x: Any = X, y: Any = Y, **options: Any) -> Any:
    return (net or network()).fit(x, y, **{"epochs": 20, "optimizer": "lbfgs", "progress": False} | options)


def test_the_history_is_exact_and_falls() -> None:
    run = fitted()
    losses = run.history["loss"]
    assert len(losses) == 20
    assert all(after <= before + 1e-12 for before, after in pairwise(losses))
    assert losses[-1] < 0.5 * losses[0]
    scores = run.network.test(X, Y)
    assert losses[-1] == pytest.approx(scores.loss, rel=1e-12)
    assert run.history["accuracy"][-1] == scores.accuracy
    assert run.record.training["batch_size"] == 90
    assert run.record.training["learning_rate"] == 1.0


def test_it_is_the_method_itself_on_the_same_function() -> None:
    """Value and gradient from PyTorch, in double."""
    torch = pytest.importorskip("torch")
    net = network()
    first = [torch.asarray(value.copy()) for value in net.parameters().values()]
    sizes = [value.numel() for value in first]

    def objective(flat: Any) -> Any:
        parts = [
            part.reshape(value.shape).requires_grad_()
            for part, value in zip(torch.split(torch.asarray(flat.copy()), sizes), first, strict=True)
        ]
        a, b, c, d = parts
        out = torch.tanh(torch.asarray(X, dtype=torch.float64) @ a + b) @ c + d
        loss = torch.nn.functional.cross_entropy(out, torch.asarray(Y).long())
        found = torch.autograd.grad(loss, parts)
        return loss.item(), torch.cat([slope.ravel() for slope in found]).numpy()

    steps = LBFGS().minimizer(objective, np.concatenate([value.numpy().ravel() for value in first]))
    for _ in range(6):
        steps.update()
    run = fitted(net, epochs=6)
    flat = np.concatenate([value.ravel() for value in net.parameters().values()])
    np.testing.assert_allclose(flat, steps.parameter, rtol=1e-6, atol=1e-8)
    assert run.history["loss"][-1] == pytest.approx(steps.value, rel=1e-8)


def test_as_good_as_scipy_in_as_many_updates() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    found: dict[str, Any] = {}

    class Seen(LBFGS):
        def minimizer(self, objective: Any, start: Any) -> Any:
            found.update(objective=objective, start=start.copy())
            return super().minimizer(objective, start)

    net = nnkit.FeedForward(64, 10, [16], output_activation="softmax", dtype="float64", seed=0)
    run = fitted(net, DIGITS.x_train, DIGITS.y_train, epochs=30, optimizer=Seen())
    options = {"maxiter": 30, "maxcor": 10}
    theirs = optimize.minimize(found["objective"], found["start"], jac=True, method="L-BFGS-B", options=options)
    assert run.history["loss"][-1] < 1.2 * theirs.fun


def test_float32_learns_too() -> None:
    net = nnkit.FeedForward(64, 10, [32], output_activation="softmax", seed=0)
    run = fitted(net, DIGITS.x_train, DIGITS.y_train, epochs=40, validation_split=0.1)
    assert run.history["loss"][-1] < 0.05
    assert {value.dtype for value in net.parameters().values()} == {np.dtype("float32")}
    assert net.test(DIGITS.x_test, DIGITS.y_test).accuracy > 0.94
    assert [finding.name for finding in run.doctor() if "rate" in finding.name] == []


def test_compiled_and_plain_take_the_same_way() -> None:
    pytest.importorskip("llvmlite")
    ends = [fitted(epochs=5, compile=mode).history["loss"] for mode in ("off", "first")]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-7)


def test_weights_penalties_and_validation_count() -> None:
    weight = np.linspace(0.1, 2.0, 90)
    net = network(l2=0.01)
    run = fitted(net, sample_weight=weight, epochs=60)
    assert run.history["loss"][-1] == pytest.approx(net.test(X, Y, sample_weight=weight).loss, rel=1e-9)
    other = network(l2=0.01)
    fitted(other, sample_weight=weight, epochs=60, optimizer=Adam(0.02), batch_size=90)
    assert run.history["loss"][-1] <= other.test(X, Y, sample_weight=weight).loss


def test_further_metrics_are_exact_too_after_each_update() -> None:
    """Also where a search ends at another point than the last that it looked at."""
    net, weight = network(), np.linspace(0.1, 2.0, 90)
    metrics = ["log_loss", "top_2_accuracy", "weighted_brier"]
    seen: list[Any] = []

    def score(training: Any) -> None:
        seen.append(net.test(X, Y, sample_weight=weight, metrics=metrics).to_dict())

    method = LBFGS(32.0, evaluations=4)
    run = fitted(net, epochs=12, optimizer=method, sample_weight=weight, metrics=metrics, callbacks=score)
    for name in ("loss", "accuracy", *metrics):
        np.testing.assert_allclose(run.history[name], [scores[name] for scores in seen], rtol=1e-10)
    assert len(set(run.history["loss"])) > 8


def test_metrics_of_numbers_and_of_the_validation() -> None:
    net = nnkit.FeedForward(3, 2, [4], activation="tanh", dtype="float64", seed=0)
    run = fitted(net, X, X[:, :2] ** 2, epochs=3, metrics=["mae", "r2"], validation_split=0.5)
    assert run.history["mae"][-1] == pytest.approx(run.result.train.mae, rel=1e-10)
    assert run.history["val_mae"][-1] == run.result.validation.mae
    assert "r2" not in run.history
    assert run.history["val_r2"][-1] > run.history["val_r2"][0]


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 0.3), ("history", 1), ("evaluations", 1)])
def test_what_is_set_between_epochs_reaches_the_search(name: str, value: Any) -> None:
    found: dict[str, Any] = {}

    class Seen(LBFGS):
        def minimizer(self, objective: Any, start: Any) -> Any:
            found.update(objective=objective, start=start.copy())
            return super().minimizer(objective, start)

    def change(training: Any) -> None:
        if training.epoch == 2:
            training.set(**{name: value})

    method = Seen(8.0, evaluations=6)
    run = fitted(epochs=6, optimizer=method, callbacks=change)
    steps = LBFGS(8.0, evaluations=6).minimizer(found["objective"], found["start"])
    losses = []
    for epoch in range(6):
        steps.method = LBFGS(**{"learning_rate": 8.0, "evaluations": 6} | ({name: value} if epoch > 1 else {}))
        steps.update()
        losses.append(steps.value)
    np.testing.assert_allclose(run.history["loss"], losses, rtol=1e-12)
    assert run.history["loss"][:2] == fitted(epochs=2, optimizer=LBFGS(8.0, evaluations=6)).history["loss"]
    assert run.history["loss"] != fitted(epochs=6, optimizer=LBFGS(8.0, evaluations=6)).history["loss"]


def test_a_rate_that_cannot_be_is_refused_when_it_is_set() -> None:
    with pytest.raises(ArgumentError, match="LBFGS: learning_rate"):
        fitted(callbacks=lambda training: training.set(learning_rate=0.0))


def test_weights_that_a_callback_puts_back_are_where_it_goes_on() -> None:
    kept: list[Any] = []

    def back(training: Any) -> None:
        kept.append(training.snapshot())
        if training.epoch == 4:
            training.restore(kept[0])

    run = fitted(epochs=6, callbacks=back)
    assert run.history["loss"][3] < run.history["loss"][4] < run.history["loss"][0]


def test_callbacks_see_each_update_and_may_stop() -> None:
    run = fitted(epochs=200, callbacks=[EarlyStopping("loss", patience=3, min_delta=1e-9)])
    assert len(run.history["loss"]) < 200
    seen: list[int] = []
    fitted(epochs=4, callbacks=lambda training: seen.append(training.step))
    assert seen == [1, 2, 3, 4]


def test_a_start_that_is_not_finite_says_where() -> None:
    net = nnkit.FeedForward(3, 3, [8], output_activation="softmax", seed=0)
    before = net.parameters()
    x = X.copy()
    x[7] = 3e38
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        run = fitted(net, x, Y)
    assert issubclass(seen[-1].category, NnkitWarning)
    assert "(row 7 of the data)" in str(seen[-1].message)
    assert run.history["loss"] == []
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(value, before[path])


def test_a_second_fit_goes_on_from_there() -> None:
    net = network()
    first = fitted(net, epochs=5).history["loss"][-1]
    assert fitted(net, epochs=5).history["loss"][0] <= first


def test_by_name_and_as_data() -> None:
    assert get("lbfgs") == get("L-BFGS") == LBFGS()
    assert from_config(LBFGS(0.5, history=3).config()) == LBFGS(0.5, history=3)
    assert fitted(learning_rate=0.5, epochs=1).record.training["learning_rate"] == 0.5


def test_it_is_saved_and_loaded(tmp_path: Any) -> None:
    net = network()
    fitted(net, epochs=2, optimizer=LBFGS(history=4))
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert again._optimizer == LBFGS(history=4)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Dropout(0.2)], "this network draws random numbers in each step: leave out Dropout"),
        (
            [nn.BatchNorm()],
            r"that count along in each step: leave out BatchNorm and the like \(LayerNorm is fine",
        ),
        (
            [nn.Dense(4, constraint="max_norm")],
            "'layers.0.weight' has the constraint 'max_norm': leave it out",
        ),
    ],
)
def test_what_it_cannot_do(layers: Any, message: str) -> None:
    net = nnkit.Sequential([*layers, nn.Dense(3, "softmax")], (3,), seed=0)
    for refuses in (fitted, lambda net: net.check(X, Y, optimizer="lbfgs")):
        with pytest.raises(ArgumentError, match=message):
            refuses(net)
    fitted(net, optimizer="adam", epochs=1)


@pytest.mark.parametrize("mode", ["off", "first"])
def test_the_check_plans_what_then_runs(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == "first":
        pytest.importorskip("llvmlite")
    options: dict[str, Any] = {"optimizer": "lbfgs", "epochs": 3, "compile": mode, "metrics": ["log_loss"]}
    net, bound = network(), []
    monkeypatch.setattr(
        "nnkit.training.programs.Epoch._bound",
        lambda self, chosen, data, own=Epoch._bound: bound.append(chosen[0]) or own(self, chosen, data),
    )
    found = net.check(X, Y, validation_split=0.1, **options)
    run = net.fit(X, Y, validation_split=0.1, progress=False, **options)
    plan, validation = bound
    assert (found.steps, found.rows, found.epochs) == (1, 81, 3)
    assert found.lasting_bytes == net._model.store.nbytes()
    assert found.arena_bytes == plan.arena_bytes + validation.arena_bytes
    assert found.epoch_s == 2 * plan.cost.seconds + validation.cost.seconds
    assert found.step_s == run.record.resources["plan"]["predicted_step_s"] == 2 * plan.cost.seconds
    assert "moment" not in net.explain(optimizer="lbfgs")
    assert plan.fingerprint == run.record.training["program"]["fingerprint"]


def test_memory_that_does_not_suffice_is_not_put_down_to_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    for call in (network().check, network().fit):
        with pytest.raises(ArgumentError, match=r"in batches of 90 needs at least [\d,]+ bytes.* in batches, or use"):
            call(X, Y, optimizer="lbfgs", memory_limit=1000)
    monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: 1000)
    with pytest.warns(NnkitWarning, match="are free; use an optimizer that works in batches, or memory_limit="):
        network().check(X, Y, optimizer="lbfgs")


def test_it_stands_alone() -> None:
    with pytest.raises(ArgumentError, match=r"ClipByNorm: LBFGS\(.*\) searches for its own steps; use it alone"):
        ClipByNorm(LBFGS(), 1.0)
    with pytest.raises(ArgumentError, match=r"Muon: others is LBFGS\(.*\), which works on all parameters at once"):
        Muon(others=LBFGS())
