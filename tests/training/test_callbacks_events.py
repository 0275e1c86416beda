"""When callbacks are due, and what they may stop and change."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.callbacks import EarlyStopping, Every, JSONLog, PeriodicCheckpoint, TimeLimit
from nnkit.errors import ArgumentError
from nnkit.optimizers import SGD, Adam, ClipByGlobalNorm
from nnkit.optimizers.schedules import Cosine
from nnkit.training.callbacks.period import Period
from nnkit.training.programs import Epoch
from nnkit.training.settings import changed, learning_rate
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(50)


def noting(every: str, **options: Any) -> list[tuple[int, int]]:
    """(step, epoch) whenever it is due; 7 steps in an epoch."""
    seen: list[tuple[int, int]] = []
    given = {"epochs": 3, "batch_size": 8} | options
    fit(network(), X, Y, callbacks=Every(every, lambda t: seen.append((t.step, t.epoch))), **given)
    return seen


# --- when they are due


@pytest.mark.parametrize("every", [1, 2, 3, 5, 7, 10, 21, 22])
def test_steps(every: int) -> None:
    expected = [(step, step // 7 if step % 7 else step // 7 - 1) for step in range(every, 22, every)]
    assert noting(f"{every} steps") == expected


@pytest.mark.parametrize(("every", "expected"), [("1 epoch", [1, 2, 3]), ("2 epochs", [2]), ("4 epochs", [])])
def test_epochs(every: str, expected: list[int]) -> None:
    assert noting(every) == [(7 * epoch, epoch) for epoch in expected]


def test_time() -> None:
    moments: list[float] = []
    callbacks = [Every("100 ms", lambda _: moments.append(time.perf_counter())), TimeLimit(1.0)]
    fit(network(), X, Y, epochs=10**6, callbacks=callbacks, compile="off")
    assert 3 <= len(moments) <= 10
    assert min(np.diff(moments)) >= 0.099


def test_several_at_once_and_with_each_its_own_steps() -> None:
    seen: list[tuple[str, int]] = []
    callbacks = [Every(f"{n} steps", lambda t, n=n: seen.append((f"{n}", t.step))) for n in (3, 5)]
    fit(network(), X, Y, epochs=2, batch_size=8, callbacks=callbacks)
    assert seen == [("3", 3), ("5", 5), ("3", 6), ("3", 9), ("5", 10), ("3", 12)]


def test_cuts_change_no_bit() -> None:
    free, cut = network(), network()
    fit(free, X, Y, epochs=5, batch_size=4)
    fit(cut, X, Y, epochs=5, batch_size=4, callbacks=[Every("3 steps", lambda _: None), Every("1 ms", lambda _: None)])
    assert same(values(free), values(cut))


def test_nothing_is_cut_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    run = Epoch.run

    def noted(self: Epoch, steps: int) -> int:
        asked.append(steps)
        return run(self, steps)

    monkeypatch.setattr(Epoch, "run", noted)
    fit(network(), X, Y, epochs=30, batch_size=5, callbacks=lambda _: None)
    whole = list(asked)
    asked.clear()
    fit(network(), X, Y, epochs=30, batch_size=5, callbacks=Every("3 steps", lambda _: None))
    assert max(whole) == 10  # a whole epoch
    assert max(asked) == 3


def test_the_latest_values_are_running_means() -> None:
    seen: list[dict[str, float]] = []

    def note(training: Any) -> None:
        seen.append(dict(training.values))

    run = fit(network(), X, Y, epochs=2, batch_size=10, validation_split=0.2, callbacks=[Every("1 step", note), note])
    assert [sorted(figures) for figures in seen[:5]] == [["accuracy", "loss"]] * 4 + [
        ["accuracy", "loss", "val_accuracy", "val_loss"]
    ]
    assert seen[3]["loss"] == seen[4]["loss"] == run.history["loss"][0]
    assert seen[0]["loss"] != seen[1]["loss"]


class Due(nnkit.Callback):
    def __init__(self, every: Any) -> None:
        self.every = every


WORDS = "expected text such as '1 epoch', '500 steps' or '10 min'"


@pytest.mark.parametrize("every", ["", "500", "0 steps", "-1 steps", "1.5 epochs", "10 parsecs", 10, 1.0, True, "0 s"])
def test_what_is_no_period_is_refused(every: Any) -> None:
    with pytest.raises(ArgumentError, match=f"Due: every is {every!r}, {WORDS}"):
        fit(network(), X, Y, callbacks=Due(every))
    for make in (lambda: Every(every, print), lambda: PeriodicCheckpoint("a", every), lambda: JSONLog("a", every)):
        with pytest.raises(ArgumentError, match=WORDS):
            make()


def test_periods_as_people_write_them() -> None:
    found = [Period.of("a", text) for text in ("1 epoch", "2 Epochs", "500steps", "1 step", "90 s", "1.5 h", "2 days")]
    assert found == [
        (1, "epoch"), (2, "epoch"), (500, "step"), (1, "step"), (90, "second"), (5400, "second"), (172800, "second"),
    ]  # fmt: skip


@pytest.mark.parametrize("function", [None, 3, EarlyStopping])
def test_every_needs_a_function(function: Any) -> None:
    with pytest.raises(ArgumentError, match=r"Every: function is .*, expected a function of one argument"):
        Every("1 step", function)


# --- stopping


def test_a_stop_in_the_middle_of_an_epoch_keeps_that_step() -> None:
    net, expected = network(), network()
    run = fit(net, X, Y, epochs=9, batch_size=8, callbacks=Every("10 steps", lambda t: t.stop("enough")))
    assert run.stopped == "enough"
    assert (net._model.steps_done, len(run.history["loss"])) == (10, 1)
    fit(expected, X, Y, epochs=9, batch_size=8, callbacks=Every("1 step", lambda t: t.step == 10 and t.stop()))
    assert same(values(net), values(expected))
    assert nnkit.measure.check_layout(run.to_dict()) == []


def test_a_stop_at_the_last_step_of_an_epoch_completes_it() -> None:
    run = fit(network(), X, Y, epochs=9, batch_size=8, validation_split=0.2, callbacks=Every("5 steps", stop := Stop()))
    assert stop.at == [5]
    assert [len(series) for series in run.history.values()] == [1, 1, 1, 1]


class Stop:
    def __init__(self) -> None:
        self.at: list[int] = []

    def __call__(self, training: Any) -> None:
        self.at.append(training.step)
        training.stop()


@pytest.mark.parametrize("progress", [False, True])
def test_the_time_limit_ends_it_within_a_block(progress: bool) -> None:
    x, y = blobs(20_000)
    for _ in range(3):  # a machine that others use stands still for a second now and then
        net = network()
        began = time.perf_counter()
        run = net.fit(x, y, epochs=10**6, batch_size=16, callbacks=TimeLimit(0.5), progress=progress, compile="off")
        took_s = time.perf_counter() - began
        if took_s < 1.0 and run.elapsed_s < 0.7:
            break
    assert 0.5 <= run.elapsed_s < 0.7
    assert took_s < 1.0
    assert run.stopped == run.to_dict()["stopped"] == "the time limit of 500 ms is reached"
    assert run.history["loss"] == [] or len(run.history["loss"]) < 10
    assert not run.interrupted
    assert net._model.steps_done > 0
    assert run.result.train == net.test(x, y).to_dict()


@pytest.mark.parametrize("limit", [0, -1, "soon", None, True, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(limit: Any) -> None:
    with pytest.raises(ArgumentError, match="TimeLimit: limit must be a number of seconds above 0, or text such as"):
        TimeLimit(limit)


# --- settings


def per_epoch(rates: list[float], **options: Any) -> nnkit.Network:
    """Trained epoch by epoch with these rates by plain SGD, each a training of its own."""
    net = network()
    for rate in rates:
        fit(net, X, Y, epochs=1, optimizer=SGD(rate), **options)
    return net


def test_the_learning_rate_can_be_set() -> None:
    net, rates = network(), [0.1, 0.05, 0.2]
    seen = []

    def change(training: Any) -> None:
        seen.append(training.learning_rate)
        if training.epoch < 3:
            training.set(learning_rate=rates[training.epoch])

    run = fit(net, X, Y, epochs=3, optimizer=SGD(0.1), callbacks=change)
    assert seen == rates
    assert same(values(net), values(per_epoch(rates)))
    assert run.record.training["learning_rate"] == 0.1  # as it was asked for


def test_nothing_is_compiled_or_planned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    fit(net, X, Y, epochs=1)
    monkeypatch.setattr("nnkit.training.model.planned", lambda *_: pytest.fail("planned again"))
    fit(net, X, Y, epochs=3, callbacks=lambda t: t.set(learning_rate=0.1 / t.epoch))


def test_the_next_training_has_the_rate_of_the_optimizer_again() -> None:
    optimizer, seen = SGD(0.1), []
    net = network()
    fit(net, X, Y, epochs=2, optimizer=optimizer, callbacks=lambda t: t.set(learning_rate=0.001))
    fit(net, X, Y, epochs=1, optimizer=optimizer, callbacks=lambda t: seen.append(t.learning_rate))
    assert seen == [0.1]


def test_other_hyper_parameters_and_those_inside() -> None:
    seen = []

    def change(training: Any) -> None:
        training.set(betas=(0.5, 0.9), max_norm=0.5, learning_rate=0.02)
        seen.append(training.base_learning_rate)

    net, expected = network(), network()
    run = fit(net, X, Y, epochs=1, optimizer=ClipByGlobalNorm(Adam(0.01), 1.0), callbacks=Before(change))
    fit(expected, X, Y, epochs=1, optimizer=ClipByGlobalNorm(Adam(0.02, betas=(0.5, 0.9)), 0.5))
    assert run.stopped is None
    assert seen == [0.02]
    assert same(values(net), values(expected))


class Before(nnkit.Callback):
    """Calls a function before the first step."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        self.function = function

    def begin(self, training: Any) -> None:
        self.function(training)


def test_of_a_schedule_it_is_the_rate_that_it_starts_from() -> None:
    optimizer = SGD(Cosine(0.1, steps=100))
    half = changed(optimizer, {"learning_rate": 0.05})
    assert learning_rate(half, 30) == pytest.approx(learning_rate(optimizer, 30) / 2, rel=1e-12)
    seen = []
    fit(network(), X, Y, epochs=2, batch_size=10, optimizer=optimizer, callbacks=lambda t: seen.append(t.learning_rate))
    assert seen == [optimizer.learning_rate.at(5), optimizer.learning_rate.at(10)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rate": 0.1}, r"set: the optimizer of this training has no 'rate'; it has learning_rate, momentum, nesterov"),
        ({"momentum": 0.9}, r"set: momentum=0\.9 would need another program"),
        ({"learning_rate": -1.0}, r"SGD: learning_rate is -1\.0, expected a number in \[0, inf\)"),
        ({"learning_rate": float("nan")}, r"SGD: learning_rate is nan, expected a number in \[0, inf\)"),
        ({"learning_rate": 1e-60}, r"learning_rate=1e-60 of the optimizer becomes 0 in float32"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], message: str) -> None:
    net = network(dtype="float32")
    with pytest.raises(ArgumentError, match=message):
        fit(net, X, Y, epochs=2, optimizer=SGD(0.1), callbacks=lambda t: t.set(**wrong))


def test_one_order_for_all_and_the_opposite_at_the_end() -> None:
    order: list[str] = []

    class Named(nnkit.Callback):
        def __init__(self, name: str) -> None:
            self.name = name

        def epoch(self, training: Any) -> None:
            order.append(f"{self.name} {training.epoch}")

        def end(self, training: Any) -> None:
            order.append(f"{self.name} end")

    fit(network(), X, Y, epochs=2, callbacks=[Named("a"), Named("b")])
    assert order == ["a 1", "b 1", "a 2", "b 2", "b end", "a end"]


def test_steps_and_rows_are_counted() -> None:
    seen: list[tuple[int, int, int]] = []
    note = Every("1 step", lambda t: seen.append((t.step, t.rows_done, t.steps)))
    fit(network(), X, Y, epochs=2, batch_size=30, callbacks=note)
    assert seen == [(1, 30, 2), (2, 50, 2), (3, 80, 2), (4, 100, 2)]
