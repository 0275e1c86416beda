"""The sweep of learning rates: the loss of each step, the suggestions, and a network that nothing happened to."""

from __future__ import annotations

import math
import os
import re
import signal
import sys
import time
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.data.splits import epoch_order
from nnkit.errors import MissingExtraError, NnkitError
from nnkit.optimizers import SGD, Adam
from nnkit.optimizers.schedules import Cosine
from nnkit.training.rate_finder import RateSweep, Sweeping, local_lines, running_means
from tests.peers import peer
from tests.training.small import Replica, blobs, fit, network, same, values

X, Y = blobs(50)


def rates(lowest: float, highest: float, steps: int) -> list[float]:
    return [float(rate) for rate in np.geomspace(lowest, highest, steps)]


def everything(net: nnkit.Network) -> dict[str, Any]:
    """All that a store holds, moments and counters too."""
    return net._model.store.read(leaf.name for leaf in net._model.store.leaves())


def test_the_losses_are_those_of_the_steps() -> None:
    """Written out by hand: 7 batches of an epoch, the last of 2 rows, with a rate for each."""
    net, replica = network(), Replica(values(network()))
    sweep = nnkit.find_learning_rate(net, X, Y, lowest=1e-4, highest=0.1, steps=20, batch_size=8, optimizer="sgd")
    assert sweep.rates == pytest.approx(rates(1e-4, 0.1, 20), rel=1e-12)
    assert re.fullmatch(r"<sweep of learning rates: 20 steps, suggestion \S+>", repr(sweep))
    expected = []
    for step, rate in enumerate(sweep.rates):
        epoch, batch = divmod(step, 7)
        rows = epoch_order(np.arange(50), 5, epoch)[8 * batch : 8 * batch + 8]
        loss, _, gradients = replica.step(X[rows], Y[rows], np.ones(len(rows)))
        expected.append(loss)
        for name, gradient in gradients.items():
            replica.values[name] -= rate * gradient
    assert sweep.losses == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", SGD(0.3, momentum=0.9), Adam(Cosine(0.1))])
def test_nothing_happened_to_the_network(optimizer: Any) -> None:
    net, expected = network(), network()
    shared = Adam(0.01)
    for each in (net, expected):
        fit(each, X, Y, epochs=2, optimizer=shared)
    before, state = everything(net), dict(vars(net._model), _plans=None, store=None)
    nnkit.find_learning_rate(net, X, Y, optimizer=optimizer)
    assert same(everything(net), before)
    assert {**vars(net._model), "_plans": None, "store": None} == state
    fit(net, X, Y, epochs=2, optimizer=shared)  # its moments go on
    fit(expected, X, Y, epochs=2, optimizer=shared)
    assert same(values(net), values(expected))


def test_the_same_sweep_twice() -> None:
    net = network()
    assert nnkit.find_learning_rate(net, X, Y) == nnkit.find_learning_rate(net, X, Y)


def test_the_suggestion_trains() -> None:
    data = nnkit.data.load("moons", seed=0)
    net = nnkit.FeedForward(inputs=2, hidden=[16, 16], outputs=2, output_activation="softmax", seed=0)
    sweep = nnkit.find_learning_rate(net, data.x_train, data.y_train)
    assert sweep.suggestion is not None
    fit(net, data.x_train, data.y_train, epochs=20, learning_rate=sweep.suggestion)
    assert net.test(data.x_test, data.y_test).accuracy > 0.9


def test_it_ends_when_the_loss_rises() -> None:
    net = network(activation="identity")
    sweep = nnkit.find_learning_rate(net, X, Y, highest=1e5, optimizer="sgd")
    assert len(sweep.rates) < 100
    assert sweep.ended == "the loss had risen to more than 4 times its smallest"
    assert sweep.ended in str(sweep)


def test_a_step_that_diverges_ends_it_without_a_warning() -> None:
    net = network(activation="identity", outputs=1, output_activation="identity")
    sweep = nnkit.find_learning_rate(net, X, X[:, 0], lowest=1.0, highest=1e300, steps=10, optimizer="sgd")
    assert sweep.ended == "the next step would have been NaN or infinite"
    assert all(math.isfinite(loss) for loss in sweep.losses)


def test_an_interrupt_ends_it_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    due = Sweeping.due

    def press(self: Sweeping, training: Any) -> None:
        due(self, training)
        if training.step == 15:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    monkeypatch.setattr(Sweeping, "due", press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sweep = nnkit.find_learning_rate(network(), X, Y)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(sweep.rates) == 15
    assert "it was interrupted" in str(sweep)


def test_an_error_in_the_sweep_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sweeping, "due", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nnkit.find_learning_rate(network(), X, Y)


# --- what it suggests


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_steepest_and_the_smallest_are_found(noise: float) -> None:
    """A loss that falls like a logistic function of log rate around 1e-3, and rises again from 1."""
    sweep_rates = rates(1e-7, 10, 100)
    draw = np.random.default_rng(0).normal(scale=noise, size=100)
    losses = [
        2 - 1.5 / (1 + (1e-3 / r) ** 0.5) + max(0.0, math.log10(r)) ** 2 + d
        for r, d in zip(sweep_rates, draw, strict=True)
    ]
    sweep = RateSweep(sweep_rates, losses, 32)
    assert sweep.suggestion == sweep.steepest
    assert sweep.steepest is not None
    assert sweep.tenth is not None
    assert abs(math.log10(sweep.steepest) + 3) < 0.5
    assert abs(math.log10(sweep.tenth) + 1) < 0.5
    assert f"{sweep.steepest:.2g}  where the loss falls fastest: the suggestion" in str(sweep)


@pytest.mark.parametrize("losses", [[], [1.0], [1.0] * 5, [float(k) for k in range(1, 101)]])
def test_a_loss_that_never_fell_suggests_nothing(losses: list[float]) -> None:
    sweep = RateSweep(rates(1e-7, 10, 100)[: len(losses)], losses, 32)
    assert sweep.suggestion is sweep.steepest is sweep.tenth is None
    assert "no suggestion: the loss never fell" in str(sweep)


def test_lines_are_those_of_weighted_least_squares() -> None:
    y = np.random.default_rng(1).normal(size=60).cumsum() + 30
    y = np.minimum(y, y[: y.argmin() + 1].max())
    level, slope = local_lines(y.tolist())
    for k in (0, 1, 7, 30, 58, 59):
        away = np.arange(60) - k
        weight = np.exp(-0.5 * (away / 2.4) ** 2) * (abs(away) <= int(4 * 2.4))
        slope_k, level_k = np.polyfit(away, y, 1, w=np.sqrt(weight))
        assert (level[k], slope[k]) == pytest.approx((level_k, slope_k), rel=1e-9, abs=1e-12)


def test_running_means_have_no_bias() -> None:
    means = running_means([1.0, 3.0])
    assert means == pytest.approx([1.0, (0.9 * 1 + 3) / 1.9], rel=1e-12)


# --- the picture


def test_it_is_drawn() -> None:
    matplotlib = peer("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    sweep = nnkit.find_learning_rate(network(), X, Y)
    axes = sweep.plot()
    assert axes.get_xscale() == "log"
    assert list(axes.lines[0].get_ydata()) == sweep.losses
    assert sweep.plot(axes) is axes
    pyplot.close("all")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'to plot the sweep takes Matplotlib: pip install "nnkit\[plot\]"'):
        RateSweep([0.1], [1.0], 32).plot()


# --- what is refused


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lowest": 0}, r"find_learning_rate: lowest is 0, expected a number in \(0, inf\)"),
        ({"highest": math.inf}, r"find_learning_rate: highest is inf, expected a number in \(0, inf\)"),
        ({"lowest": 1.0, "highest": 1.0}, r"find_learning_rate: highest is 1\.0, expected more than lowest, 1\.0"),
        ({"steps": 9}, "find_learning_rate: steps is 9, expected a whole number from 10 up"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1, got 0"),
        ({"optimizer": "adamm"}, "unknown optimizer 'adamm'. Did you mean 'adam'"),
        ({"highest": 1e60, "steps": 10}, r"becomes inf in float32; choose a moderate number"),
    ],
)
def test_arguments_that_cannot_work(wrong: dict[str, Any], message: str) -> None:
    net = network(dtype="float32")
    with pytest.raises(NnkitError, match=message):
        nnkit.find_learning_rate(net, X * 0, Y, **wrong)
