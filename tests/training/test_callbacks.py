"""Callbacks: when they are called, early stopping whichever way training ends, errors that leave the network whole."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import nnkit
from nnkit import EarlyStopping
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.optimizers import SGD
from nnkit.training.callbacks import JSONLog
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(50)


class Diary(nnkit.Callback):
    """Notes every call."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, training: Any) -> None:
        self.lines.append(f"begin {training.epoch}/{training.epochs} {list(training.history)}")

    def epoch(self, training: Any) -> None:
        self.lines.append(f"epoch {training.epoch} of {len(training.history['loss'])}")

    def end(self, training: Any) -> None:
        self.lines.append(f"end {training.epoch}")


def test_they_are_called_at_their_moments() -> None:
    diary, epochs = Diary(), []
    fit(network(), X, Y, epochs=2, callbacks=[diary, lambda training: epochs.append(training.epoch)])
    assert diary.lines == ["begin 0/2 ['loss', 'accuracy']", "epoch 1 of 1", "epoch 2 of 2", "end 2"]
    assert epochs == [1, 2]


@pytest.mark.parametrize("callbacks", [Diary(), (Diary(),), iter([Diary()])], ids=["alone", "tuple", "iterator"])
def test_one_alone_or_several(callbacks: Any) -> None:
    assert fit(network(), X, Y, epochs=1, callbacks=callbacks).stopped is None


def test_none_is_no_callback() -> None:
    assert fit(network(), X, Y, epochs=1, callbacks=None).stopped is None


def test_the_way_of_keras_to_stop_is_refused() -> None:
    def stop(training: Any) -> None:
        training.stop_training = True

    with pytest.raises(
        ArgumentError, match=r"training\.stop_training = True is how Keras .* here it is training\.stop\("
    ):
        fit(network(), X, Y, epochs=2, callbacks=stop)


@pytest.mark.parametrize("wrong", [5, 1.5])
def test_what_is_no_list_is_refused(wrong: object) -> None:
    with pytest.raises(
        ArgumentError, match=r"callbacks is .*; expected a list of nnkit\.Callback objects or functions"
    ):
        fit(network(), X, Y, callbacks=wrong)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            "on_epoch_end",
            "Mine has a method 'on_epoch_end', which nothing calls: rename it to 'epoch'; the moments",
        ),
        ("on_train_begin", "rename it to 'begin'"),
        ("on_batch_end", "rename it to 'due', as often as 'every' says, or 'epoch'; the moments are begin, due, epoch"),
        ("due", "Mine has a method 'due', but does not say how often: set every = '100 steps'"),
    ],
)
def test_a_method_that_nothing_would_call_is_refused(method: str, message: str) -> None:
    mine = type("Mine", (nnkit.Callback,), {method: lambda self, training: None})
    net = network()
    before = values(net)
    with pytest.raises(ArgumentError, match=message):
        fit(net, X, Y, callbacks=mine())
    assert same(values(net), before)


def test_a_log_of_the_library_need_not_say_how_often(tmp_path: Any) -> None:
    class Mine(JSONLog):
        """One of somebody's own."""

    fit(network(), X, Y, epochs=1, callbacks=[Mine(tmp_path / "log.jsonl")])
    assert (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize("wrong", [[EarlyStopping], EarlyStopping, "a", [None]])
def test_what_is_no_callback_is_refused(wrong: object) -> None:
    with pytest.raises(
        ArgumentError, match=r"callbacks\[0\] is .*; expected a nnkit\.Callback object or a function of one"
    ):
        fit(network(), X, Y, callbacks=wrong)


@pytest.mark.parametrize("reason", ["enough", ""])
def test_a_function_can_stop(reason: str) -> None:
    run = fit(network(), X, Y, epochs=9, callbacks=lambda t: t.epoch == 3 and t.stop(reason))
    assert len(run.history["loss"]) == 3
    assert run.stopped == (reason or "a callback stopped it")
    assert run.to_dict()["stopped"] == run.stopped
    assert not run.interrupted


def test_a_callback_that_stops_before_the_first_epoch() -> None:
    class Never(nnkit.Callback):
        def begin(self, training: Any) -> None:
            training.stop()

    net = network()
    before = values(net)
    assert fit(net, X, Y, epochs=3, callbacks=Never()).stopped == "a callback stopped it"
    assert same(values(net), before)


def test_stopping_after_the_last_epoch_stops_nothing() -> None:
    run = fit(network(), X, Y, epochs=2, callbacks=lambda t: t.epoch == 2 and t.stop("late"))
    assert run.stopped is None


def test_a_snapshot_can_be_put_back() -> None:
    net = network()
    kept = []

    def back(training: Any) -> None:
        if training.epoch == 1:
            kept.append(training.snapshot())
        else:
            training.restore(kept[0])

    fit(net, X, Y, epochs=2, callbacks=back)
    assert same(values(net), kept[0])


# --- early stopping


def drifting(losses: list[float]) -> Callable[[Any], None]:
    """Makes history say these losses, whatever they were."""

    def say(training: Any) -> None:
        training.history["loss"][-1] = losses[training.epoch - 1]

    return say


def followed(losses: list[float], stopping: EarlyStopping, **options: Any) -> tuple[Any, list[Any], nnkit.Network]:
    """A run in which the losses were these, and the values after each of its epochs."""
    net, after = network(**options.pop("network", {})), []
    callbacks = [drifting(losses), stopping, lambda _: after.append(values(net)), *options.pop("more", [])]
    run = fit(net, X, Y, **({"epochs": len(losses), "callbacks": callbacks} | options))
    return run, after, net


def test_patience_ends_it_and_the_best_weights_are_back() -> None:
    stopping = EarlyStopping("loss", patience=2)
    run, after, net = followed([3, 1, 2, 2, 2, 2], stopping)
    assert len(run.history["loss"]) == 4
    assert run.stopped == "early stopping: loss has not improved for 2 epochs; the weights of epoch 2 are back"
    assert (stopping.best, stopping.best_epoch) == (1, 2)
    assert same(values(net), after[1])
    assert not same(values(net), after[3])


def test_the_last_epoch_ends_it() -> None:
    run, after, net = followed([3, 1, 2], EarlyStopping("loss", patience=9))
    assert run.stopped is None
    assert same(values(net), after[1])


def test_another_callback_ends_it() -> None:
    run, after, net = followed([1, 2, 3, 4], EarlyStopping("loss"), more=[lambda t: t.epoch == 3 and t.stop("enough")])
    assert run.stopped == "enough"
    assert same(values(net), after[0])


def test_an_error_ends_it() -> None:
    net, after = network(), []

    def fail(training: Any) -> None:
        after.append(values(net))
        if training.epoch == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fit(net, X, Y, epochs=5, callbacks=[drifting([2, 1, 3]), EarlyStopping("loss"), fail])
    assert same(values(net), after[1])


def test_divergence_in_the_middle_of_an_epoch_ends_it() -> None:
    """The best epoch was the last whole one, and the next one moved the weights before it failed."""
    net, after = network(activation="identity"), []

    def explode(training: Any) -> None:
        after.append(values(net))
        if training.epoch == 2:
            net._model.store.write({"setting.optimizer.learning_rate": 1e200})

    callbacks = [drifting([2, 1]), EarlyStopping("loss"), explode]
    with pytest.warns(NnkitWarning, match="the loss or a gradient became NaN or infinite in epoch 3"):
        run = fit(net, X, Y, epochs=5, batch_size=5, optimizer=SGD(0.01), callbacks=callbacks, shuffle=False)
    assert len(run.history["loss"]) == 2
    assert net._model.steps_done > 20
    assert same(values(net), after[1])


@pytest.mark.parametrize(
    ("monitor", "mode", "series", "best"),
    [
        ("loss", "auto", [2, 1, 3], 2),
        ("loss", "max", [2, 1, 3], 3),
        ("accuracy", "auto", [0.5, 0.9, 0.7], 2),
        ("accuracy", "min", [0.5, 0.9, 0.7], 1),
    ],
)
def test_what_counts_as_better(monitor: str, mode: str, series: list[float], best: int) -> None:
    def say(training: Any) -> None:
        training.history[monitor][-1] = series[training.epoch - 1]

    stopping = EarlyStopping(monitor, mode=mode)
    fit(network(), X, Y, epochs=3, callbacks=[say, stopping])
    assert stopping.best_epoch == best
    assert stopping.best == series[best - 1]


def test_small_improvements_do_not_count() -> None:
    stopping = EarlyStopping("loss", patience=2, min_delta=0.5)
    run, after, net = followed([3.0, 2.0, 1.9, 1.8, 0.1], stopping)
    assert len(run.history["loss"]) == 4
    assert stopping.best_epoch == 2
    assert same(values(net), after[1])


def test_nan_is_never_the_best() -> None:
    nan = float("nan")
    stopping = EarlyStopping("loss", patience=3)
    _, after, net = followed([nan, 2, nan, 1, 3], stopping)
    assert stopping.best_epoch == 4
    assert same(values(net), after[3])
    run, after, net = followed([nan] * 5, EarlyStopping("loss", patience=3))
    assert run.stopped == "early stopping: loss has not improved for 3 epochs; it never was finite"
    assert same(values(net), after[2])


def test_it_serves_several_trainings() -> None:
    stopping = EarlyStopping("loss", patience=2)
    followed([0.1, 2, 2], stopping)
    run, after, net = followed([5, 4, 3], stopping)
    assert len(run.history["loss"]) == 3
    assert stopping.best_epoch == 3
    assert same(values(net), after[2])


def test_the_states_come_back_too() -> None:
    net = nnkit.Sequential([nnkit.nn.Dense(4), nnkit.nn.BatchNorm(), nnkit.nn.Dense(3, "softmax")], (3,), seed=0)
    after = []
    callbacks = [drifting([1, 2]), EarlyStopping("loss"), lambda _: after.append(values(net))]
    fit(net, X, Y, epochs=2, callbacks=callbacks)
    assert "layers.1.mean" in after[0]
    assert not same(after[0], after[1])
    assert same(values(net), after[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "EarlyStopping: patience must be a whole number of epochs from 1, got 0"),
        ({"patience": 1.5}, "EarlyStopping: patience must be a whole number of epochs from 1, got 1.5"),
        ({"min_delta": -1}, "EarlyStopping: min_delta must be a number that is not negative, got -1"),
        ({"min_delta": "x"}, "EarlyStopping: min_delta must be a number that is not negative, got 'x'"),
        ({"mode": "down"}, "EarlyStopping: mode must be 'auto', 'min' or 'max', got 'down'"),
        ({"monitor": None}, "EarlyStopping: monitor must be a name such as 'val_loss', got None"),
    ],
)
def test_arguments_that_cannot_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        EarlyStopping(**options)


@pytest.mark.parametrize(
    ("monitor", "message"),
    [
        ("val_loss", r"records loss, accuracy; pass validation_split=0\.1 or validation_data="),
        ("los", r"EarlyStopping watches 'los', but training records loss, accuracy$"),
        ("acc", r"EarlyStopping watches 'acc', but training records loss, accuracy; did you mean 'accuracy'\?$"),
    ],
)
def test_a_name_that_is_not_recorded_is_refused_before_the_first_step(monitor: str, message: str) -> None:
    net = network()
    before = values(net)
    with pytest.raises(ArgumentError, match=message):
        fit(net, X, Y, epochs=3, callbacks=EarlyStopping(monitor))
    assert same(values(net), before)
    assert net._model.steps_done == 0


# --- errors


class Failing(nnkit.Callback):
    """Raises at one of its moments."""

    def __init__(self, moment: str) -> None:
        self.moment = moment

    def begin(self, training: Any) -> None:
        self._fail("begin")

    def epoch(self, training: Any) -> None:
        self._fail("epoch")

    def end(self, training: Any) -> None:
        self._fail("end")

    def _fail(self, moment: str) -> None:
        if moment == self.moment:
            raise RuntimeError(f"no {moment}")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("moment", "epochs"), [("begin", 0), ("epoch", 1), ("end", 2)])
def test_an_error_propagates_and_leaves_everything_whole(
    moment: str, epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    diary, net, expected = Diary(), network(), network()
    with pytest.raises(RuntimeError, match=f"no {moment}"):
        net.fit(X, Y, epochs=2, callbacks=[Failing(moment), diary])
    assert diary.lines[-1] == f"end {epochs}"  # the others come to their end all the same
    assert terminal.getvalue().endswith("\n")  # the line is closed
    assert not [thread for thread in threading.enumerate() if thread.name == "nnkit-probe"]
    if epochs:
        fit(expected, X, Y, epochs=epochs)
    assert same(values(net), values(expected))
    assert net._model.epochs_done == epochs
    fit(net, X, Y, epochs=1)  # it can be trained on
    fit(expected, X, Y, epochs=1)
    assert same(values(net), values(expected))


def test_an_error_at_the_beginning_keeps_the_moments_of_the_former_optimizer() -> None:
    net, expected = network(), network()
    ours, theirs = nnkit.optimizers.Adam(0.01), nnkit.optimizers.Adam(0.01)
    fit(net, X, Y, epochs=2, optimizer=ours)
    fit(expected, X, Y, epochs=2, optimizer=theirs)
    for other in (SGD(0.1, momentum=0.9), SGD(0.1), nnkit.optimizers.RMSprop()):
        with pytest.raises(RuntimeError, match="no begin"):
            fit(net, X, Y, epochs=2, optimizer=other, callbacks=Failing("begin"))
    fit(net, X, Y, epochs=2, optimizer=ours)
    fit(expected, X, Y, epochs=2, optimizer=theirs)
    assert same(values(net), values(expected))


def test_training_a_network_inside_its_own_training_is_refused() -> None:
    net = network()
    with pytest.raises(
        ArgumentError, match="this network is being trained already, by another thread or by the fit that"
    ):
        fit(net, X, Y, epochs=2, callbacks=lambda _: fit(net, X, Y, epochs=1))
    assert net._model.epochs_done == 1
    fit(net, X, Y, epochs=1, callbacks=lambda _: fit(network(), X, Y, epochs=1))  # another one may


def test_the_validation_scores_are_those_of_the_weights_that_came_back() -> None:
    net = network()
    run = fit(net, X, Y, epochs=30, learning_rate=0.5, validation_split=0.3, callbacks=[EarlyStopping(patience=2)])
    rows = run.record.data["validation_indices"]
    scores = net.test(X[rows], Y[rows])
    assert run.stopped is not None
    assert run.result.validation.loss == pytest.approx(scores.loss, rel=1e-5)
    assert run.result.validation.accuracy == scores.accuracy
    assert run.result.validation.loss == pytest.approx(min(run.history["val_loss"]), rel=1e-5)
