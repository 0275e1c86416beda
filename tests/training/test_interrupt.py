"""Ctrl-C: real signals, the last completed step, and the handler that was there before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.data.splits import epoch_order
from nnkit.optimizers import Adam
from nnkit.training.interrupt import Interruption
from nnkit.training.programs import Epoch
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(64)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _default_handler() -> Iterator[None]:
    """Every test begins with Python's own handler, and must leave it there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def press_after(seconds: float) -> None:
    threading.Timer(seconds, press).start()


def replayed(make: Callable[[], nnkit.Network], steps: int, batch: int) -> nnkit.Network:
    """A network that was trained for so many steps, a step for every call of ``fit``."""
    net, optimizer, per_epoch = make(), Adam(0.001), -(-len(X) // batch)
    for step in range(steps):
        epoch, position = divmod(step, per_epoch)
        rows = epoch_order(np.arange(len(X)), net.seed, epoch)[position * batch : (position + 1) * batch]
        fit(net, X[rows], Y[rows], epochs=1, batch_size=batch, shuffle=False, optimizer=optimizer)
    return net


def dropping() -> nnkit.Network:
    return nnkit.Sequential([nnkit.nn.Dense(8), nnkit.nn.Dropout(0.2), nnkit.nn.Dense(3, "softmax")], (3,), seed=3)


def press_in_step(press_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presses Ctrl-C while a certain step of the training runs."""
    run, count = Epoch.run, [0]

    def stepwise(self: Epoch, steps: int) -> int:
        committed = run(self, 1)
        count[0] += 1
        if count[0] == press_at:
            press()
            time.sleep(0.001)
        return committed

    monkeypatch.setattr(Epoch, "run", stepwise)
    monkeypatch.setattr(Epoch, "ahead", lambda self, steps: 1)


@pytest.mark.parametrize("at", [1, 5, 8, 11])  # of 4 steps in an epoch
def test_the_network_keeps_the_last_completed_step(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = replayed(dropping, at, 16)
    net = dropping()
    with monkeypatch.context() as patch:
        press_in_step(at, patch)
        run = fit(net, X, Y, epochs=50, batch_size=16)
    assert run.interrupted
    assert run.stopped is None
    assert net._model.steps_done == at
    assert same(values(net), values(expected))
    assert len(run.history["loss"]) == at // 4
    record = run.to_dict()
    assert record["interrupted"]
    assert record["time"]["samples_per_s"] > 0
    assert nnkit.measure.check_layout(record) == []


def test_a_timer_ends_a_long_training_soon() -> None:
    net = network()
    press_after(0.3)
    began = time.perf_counter()
    run = fit(net, X, Y, epochs=10**7, compile="off")  # so that the timer finds it training
    assert time.perf_counter() - began < 3.0
    assert run.interrupted
    assert run.elapsed_s > 0.1
    assert run.result.train == net.test(X, Y).to_dict()
    assert run.samples_per_s > 0


def test_training_goes_on_afterwards() -> None:
    net = network()
    run = fit(net, X, Y, epochs=50, callbacks=lambda t: t.epoch == 2 and press())
    assert run.interrupted
    assert len(run.history["loss"]) == 2
    again = fit(net, X, Y, epochs=2)
    assert not again.interrupted
    assert len(again.history["loss"]) == 2


def test_early_stopping_brings_the_best_weights_back() -> None:
    net, after = network(), []

    def note(training: Any) -> None:
        training.history["loss"][-1] = [3.0, 1.0, 2.0][training.epoch - 1]
        if training.epoch == 3:
            press()

    callbacks = [note, nnkit.EarlyStopping("loss"), lambda _: after.append(values(net))]
    run = fit(net, X, Y, epochs=50, callbacks=callbacks)
    assert run.interrupted
    assert same(values(net), after[1])


def test_in_the_last_epoch_it_is_told_all_the_same() -> None:
    run = fit(network(), X, Y, epochs=2, callbacks=lambda t: t.epoch == 2 and press())
    assert run.interrupted
    assert len(run.history["loss"]) == 2


def test_the_former_handler_is_back_after_an_error() -> None:
    called = []

    def own(number: int, frame: object) -> None:
        called.append(number)

    signal.signal(signal.SIGINT, own)
    with pytest.raises(ZeroDivisionError):
        fit(network(), X, Y, epochs=1, callbacks=lambda _: 1 / 0)
    assert signal.getsignal(signal.SIGINT) is own
    press()
    assert called == [signal.SIGINT]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_where_it_is_ignored_it_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run = fit(network(), X, Y, epochs=3, callbacks=lambda t: t.epoch == 1 and press())
    assert not run.interrupted
    assert len(run.history["loss"]) == 3
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_second_one_ends_a_callback_that_hangs() -> None:
    net, expected = network(), network()

    def hang(training: Any) -> None:
        press()
        press_after(0.1)
        time.sleep(60)

    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        fit(net, X, Y, epochs=5, callbacks=hang)
    assert time.perf_counter() - began < 10
    fit(expected, X, Y, epochs=1)
    assert same(values(net), values(expected))


def test_a_second_one_never_breaks_a_step_or_the_end() -> None:
    with Interruption() as interruption:
        press()
        press()
        assert interruption.wanted
        with pytest.raises(KeyboardInterrupt), interruption.outside():
            press()


def test_in_another_thread_nothing_is_touched() -> None:
    runs: list[Any] = []
    net, expected = network(), network()
    thread = threading.Thread(target=lambda: runs.append(fit(net, X, Y, epochs=3)))
    thread.start()
    thread.join()
    assert not runs[0].interrupted
    fit(expected, X, Y, epochs=3)
    assert same(values(net), values(expected))


PROGRAM = """
import os, signal, sys, time
import numpy as np, nnkit
signal.signal(signal.SIGINT, signal.default_int_handler)
x = np.random.default_rng(0).normal(size=(2000, 20)).astype("float32")
net = nnkit.FeedForward(20, 2, [64], output_activation="softmax")
def say(training):
    if training.epoch == 1:
        print("ready", flush=True)
run = net.fit(x, (x[:, 0] > 0).astype(int), epochs=10**7, compile="off", callbacks=[say])
print("interrupted" if run.interrupted else "whole", len(run.history["loss"]) > 0, flush=True)
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("default handler")
"""


def test_from_outside() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")])}
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    finally:
        child.kill()
    assert out.split("\n")[:2] == ["interrupted True", "default handler"]
    assert child.returncode == 0
    assert err.endswith("interrupted\n")
