"""Callbacks that decide by a figure: the same decisions as Keras and PyTorch make on the same sequences."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.callbacks import EarlyStopping, LearningRateSchedule, ReduceOnPlateau
from nnkit.errors import ArgumentError
from nnkit.optimizers import SGD, ClipByGlobalNorm
from nnkit.optimizers.schedules import Exponential
from nnkit.training.callbacks.monitor import Monitor
from tests.peers import peer
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(20)
SEEDS = range(12)


def series(seed: int, length: int = 40) -> list[float]:
    """A figure that falls, jumps, stays and repeats itself; one value is NaN."""
    rng = np.random.default_rng(seed)
    falling = np.cumsum(rng.choice([-0.3, -0.01, 0.0, 0.0, 0.02, 0.3], size=length)) + 5.0
    falling[rng.integers(8, length)] = math.nan  # not the first that counts: Keras would take it for the best
    return [float(value) for value in falling]


def saying(figures: list[float], name: str = "loss") -> Any:
    """Makes the history say these figures, whatever they were."""

    def say(training: Any) -> None:
        training.history[name][-1] = figures[training.epoch - 1]

    return say


# --- which way is better


@pytest.mark.parametrize(
    ("name", "mode", "sign"),
    [
        ("loss", "auto", 1), ("val_loss", "auto", 1), ("accuracy", "auto", -1), ("val_accuracy", "auto", -1),
        ("val_f1", "auto", -1), ("auc", "auto", -1), ("r2", "auto", -1), ("mae", "auto", 1), ("rmse", "auto", 1),
        ("accuracy", "min", 1), ("loss", "max", -1),
    ],
)  # fmt: skip
def test_one_place_knows_which_way_is_better(name: str, mode: str, sign: int) -> None:
    assert Monitor("a", name, mode).sign == sign


@pytest.mark.parametrize("mode", ["min", "max"])
def test_nothing_is_better_by_chance(mode: str) -> None:
    monitor = Monitor("a", "loss", mode)
    assert monitor.better(1.0, monitor.worst)
    assert not monitor.better(math.nan, monitor.worst)
    assert not monitor.better(1.0, 1.0)
    assert not monitor.better(1.0, 1.0 - 0.1 * monitor.sign, 0.1)


# --- early stopping beside Keras


def keras_callbacks() -> Any:
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # what other libraries warn of is theirs
        patch.setenv("KERAS_BACKEND", "jax")
        return peer("keras").callbacks


class Stub:
    """What a Keras callback asks of its model."""

    stop_training = False

    def get_weights(self) -> list[Any]:
        return []

    def set_weights(self, weights: list[Any]) -> None:
        pass


def by_keras(figures: list[float], **options: Any) -> tuple[int, float]:
    """After how many epochs Keras stops, and its best."""
    stopping = keras_callbacks().EarlyStopping(monitor="loss", **options)
    stopping.set_model(model := Stub())
    stopping.on_train_begin()
    for epoch, value in enumerate(figures):
        stopping.on_epoch_end(epoch, {"loss": value})
        if model.stop_training:
            break
    return epoch + 1, float(stopping.best)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 3},
        {"patience": 5, "min_delta": 0.05},
        {"patience": 4, "baseline": 4.5},
        {"patience": 12, "baseline": 3.0, "min_delta": 0.05},
        {"patience": 3, "start_from_epoch": 7},
        {"patience": 6, "start_from_epoch": 3, "baseline": 5.0, "mode": "max"},
    ],
    ids=str,
)
def test_it_stops_where_keras_stops(seed: int, options: dict[str, Any]) -> None:
    figures = series(seed)
    epochs, best = by_keras(figures, **options)
    stopping = EarlyStopping("loss", **options)
    run = fit(network(), X, Y, epochs=len(figures), callbacks=[saying(figures), stopping])
    assert len(run.history["loss"]) == epochs
    assert stopping.best == best


def test_the_reason_names_the_baseline() -> None:
    stopping = EarlyStopping("loss", patience=2, baseline=0.5)
    run = fit(network(), X, Y, epochs=9, callbacks=[saying([3.0, 2.0, 2.0, 2.0]), stopping])
    assert run.stopped == (
        "early stopping: loss has not improved past the baseline 0.5 for 2 epochs; the weights of epoch 2 are back"
    )


def test_epochs_before_the_start_are_never_the_best() -> None:
    net, after = network(), []
    stopping = EarlyStopping("loss", patience=2, start_from_epoch=2)
    callbacks = [saying([0.1, 0.2, 3.0, 2.0, 2.5]), stopping, lambda _: after.append(values(net))]
    fit(net, X, Y, epochs=5, callbacks=callbacks)
    assert stopping.best_epoch == 4
    assert same(values(net), after[3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": math.nan}, r"EarlyStopping: baseline is nan, expected a number in \(-inf, inf\)"),
        ({"start_from_epoch": -1}, "EarlyStopping: start_from_epoch is -1, expected a whole number from 0 up"),
    ],
)
def test_early_stopping_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        EarlyStopping(**options)


# --- a plateau beside PyTorch


def by_torch(figures: list[float], rate: float, **options: Any) -> list[float]:
    """The learning rate after each epoch."""
    torch = peer("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for value in figures:
        scheduler.step(value)
        rates.append(float(optimizer.param_groups[0]["lr"]))
    return rates


PLATEAUS = {
    "plain": {"factor": 0.5, "patience": 2},
    "at once": {"factor": 0.1, "patience": 0},
    "cooldown": {"factor": 0.3, "patience": 1, "cooldown": 3},
    "smallest": {"factor": 0.1, "patience": 1, "min_lr": 3e-3},
    "absolute": {"factor": 0.5, "patience": 2, "threshold": 0.05, "threshold_mode": "abs"},
    "relative": {"factor": 0.5, "patience": 2, "threshold": 0.1},
    "more is better": {"factor": 0.5, "patience": 3, "mode": "max", "cooldown": 1},
    "more, absolute": {"factor": 0.5, "patience": 1, "mode": "max", "threshold": 0.2, "threshold_mode": "abs"},
    "tiny": {"factor": 1e-4, "patience": 0},
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", PLATEAUS)
def test_a_plateau_is_where_torch_sees_one(kind: str, seed: int) -> None:
    figures = series(seed)
    options = dict(PLATEAUS[kind])
    expected = by_torch(figures, 0.1, **options)
    options["min_learning_rate"] = options.pop("min_lr", 0.0)
    rates: list[float] = []
    plateau = ReduceOnPlateau("loss", **options)
    note = lambda training: rates.append(training.learning_rate)  # noqa: E731
    fit(network(), X, Y, epochs=len(figures), optimizer=SGD(0.1), callbacks=[saying(figures), plateau, note])
    assert rates == expected
    assert len(set(expected)) > 1


def test_it_begins_anew_in_every_training() -> None:
    plateau, rates = ReduceOnPlateau("loss", factor=0.5, patience=0), []
    for _ in range(2):
        callbacks = [saying([2.0, 3.0, 1.0]), plateau, lambda t: rates.append(t.learning_rate)]
        fit(network(), X, Y, epochs=3, optimizer=SGD(0.1), callbacks=callbacks)
    assert rates == [0.1, 0.05, 0.05] * 2


def test_it_reduces_what_a_schedule_starts_from() -> None:
    optimizer = ClipByGlobalNorm(SGD(Exponential(0.1, factor=0.9)), max_norm=5.0)
    rates: list[float] = []
    callbacks = [saying([2.0, 3.0]), ReduceOnPlateau("loss", factor=0.5, patience=0)]
    fit(
        network(),
        X,
        Y,
        epochs=2,
        batch_size=20,
        optimizer=optimizer,
        callbacks=[*callbacks, lambda t: rates.append(t.learning_rate)],
    )
    assert rates == pytest.approx([0.1, 0.1 * 0.9 * 0.5], rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, r"ReduceOnPlateau: factor is 1\.0, expected a number in \(0, 1\)"),
        ({"patience": -1}, "ReduceOnPlateau: patience is -1, expected a whole number from 0 up"),
        ({"min_learning_rate": -1}, r"ReduceOnPlateau: min_learning_rate is -1, expected a number in \[0, inf\)"),
        ({"cooldown": 0.5}, r"ReduceOnPlateau: cooldown is 0\.5, expected a whole number from 0 up"),
        ({"threshold": math.inf}, r"ReduceOnPlateau: threshold is inf, expected a number in \[0, inf\)"),
        ({"threshold_mode": "percent"}, "unknown threshold_mode 'percent'"),
        ({"mode": "up"}, "ReduceOnPlateau: mode must be 'auto', 'min' or 'max', got 'up'"),
    ],
)
def test_a_plateau_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ReduceOnPlateau("loss", **options)


# --- a function of the epoch


def test_a_function_of_the_epoch() -> None:
    net, expected = network(), network()
    fit(net, X, Y, epochs=3, optimizer=SGD(9.0), callbacks=LearningRateSchedule(lambda epoch: 0.1 / epoch))
    for epoch in (1, 2, 3):
        fit(expected, X, Y, epochs=1, optimizer=SGD(0.1 / epoch))
    assert same(values(net), values(expected))


@pytest.mark.parametrize("wrong", [None, "0.1", True])
def test_a_function_that_gives_no_number(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match=r"LearningRateSchedule: the function gave .* for epoch 1, not a number"):
        fit(network(), X, Y, epochs=3, callbacks=LearningRateSchedule(lambda epoch: wrong))


@pytest.mark.parametrize("wrong", [None, 0.1, EarlyStopping])
def test_what_is_no_function(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="LearningRateSchedule: expected a function of the epoch, got"):
        LearningRateSchedule(wrong)


@pytest.mark.parametrize("callback", [ReduceOnPlateau("loss"), LearningRateSchedule(lambda epoch: 0.1)])
def test_an_optimizer_without_a_learning_rate_is_refused(callback: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.training.loop.base_learning_rate", lambda optimizer: None)
    name = type(callback).__name__
    with pytest.raises(
        ArgumentError, match=f"{name} changes the learning rate, and the optimizer of this training has"
    ):
        fit(network(), X, Y, epochs=3, callbacks=callback)


@pytest.mark.parametrize("make", [ReduceOnPlateau, lambda name: nnkit.callbacks.BestCheckpoint("a.h5", name)])
def test_a_figure_that_is_not_recorded(make: Any) -> None:
    with pytest.raises(
        ArgumentError, match="watches 'val_loss', but training records loss, accuracy; pass validation_"
    ):
        fit(network(), X, Y, epochs=3, callbacks=make("val_loss"))
