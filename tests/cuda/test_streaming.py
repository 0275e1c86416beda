"""Data that the device has no room for: training on them gives what it gives with all of them there, to the bit."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.callbacks import Callback
from nnkit.errors import DeviceError, NnkitWarning
from nnkit.training.programs import Epoch
from nnkit.training.space import SHARE
from nnkit.training.streaming import Streamed
from nnkit_cupy.device import CupyBackend
from tests.cuda.stand_in import selected

ROWS, FEATURES, BATCH = 1209, 40, 16
DRAW = np.random.default_rng(0)
Y = DRAW.integers(0, 3, ROWS)
X = DRAW.normal(size=(ROWS, FEATURES)) + np.eye(3, FEATURES)[Y]
TIGHT, TIGHTER = 113_000, 0
"""Bytes for data beyond the least that they take: chunks are some batches, or a single one."""

Tight = Callable[..., None]


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("nnkit-rows", "nnkit-gat"))]


@pytest.fixture
def elsewhere(device: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> CupyBackend:
    """What ``device="cuda"`` selects."""
    selected(monkeypatch, device)
    return device


@pytest.fixture
def tight(elsewhere: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> Tight:
    """Sets how many bytes are free: as many as there are, or the least for a training and so many more."""
    true = elsewhere._runtime.free_bytes

    def free(spare: int | None, net: nnkit.Network | None = None, *data: Any, **options: Any) -> None:
        monkeypatch.setattr(elsewhere._runtime, "free_bytes", true)
        if spare is not None:
            there = spare + least(network() if net is None else net, *data, **options)
            monkeypatch.setattr(elsewhere._runtime, "free_bytes", lambda: there)

    return free


def least(net: nnkit.Network, x: Any = X, y: Any = Y, **options: Any) -> int:
    """Free bytes with which ``fit`` still trains."""
    found = net.check(x, y, **({"epochs": 3, "batch_size": BATCH} | options))
    assert found.device is not None
    return int((found.device.least_bytes - found.lasting_bytes) / SHARE) + found.lasting_bytes + 1


def network(**options: Any) -> nnkit.Network:
    layers = [nn.Dense(6, "tanh"), nn.Dropout(0.2), nn.BatchNorm(), nn.Dense(3, "softmax")]
    return nnkit.Sequential(layers, (FEATURES,), **({"device": "cuda", "dtype": "float32", "seed": 4} | options))


def fit(net: nnkit.Network, x: Any = X, y: Any = Y, **options: Any) -> Any:
    return net.fit(x, y, **({"epochs": 3, "batch_size": BATCH, "progress": False} | options))


def rows_at_a_time(run: Any) -> int:
    """Rows of a chunk, as the record tells."""
    said = run.record.training["data_on_device"]
    assert said.startswith("streamed, "), said
    return int(said.split()[1].replace(",", ""))


def same(a: nnkit.Network, b: nnkit.Network) -> None:
    for path, value in a._model.values().items():
        assert value.tobytes() == b._model.values()[path].tobytes(), path


class Rates(Callback):
    """Looks at the network, and changes a setting, between two steps."""

    every = "3 steps"

    def __init__(self) -> None:
        self.seen: list[float] = []

    def due(self, training: Any) -> None:
        self.seen += [training.values["loss"], float(next(iter(training.snapshot().values())).sum())]
        training.set(learning_rate=0.01 / (1 + training.step))


SCENARIOS: dict[str, dict[str, Any]] = {
    "shuffled": {},
    "in order": {"shuffle": False},
    "no rest": {"batch_size": 13},
    "validation split": {"validation_split": 0.2},
    "validation data": {"validation_data": (X[:450] + 1, Y[:450])},
    "weights": {"sample_weight": np.arange(ROWS) % 3 + 0.5, "validation_split": 0.1},
    "one batch": {"batch_size": 2000, "validation_data": (np.tile(X, (8, 1)) + 1, np.tile(Y, 8))},
    "metrics": {"metrics": ["top_2_accuracy", "auc"], "validation_split": 0.2},
}


# Each in one of two sizes of memory, and by hand in the other.
EACH = [
    pytest.param(name, spare, marks=() if number % 2 == place else pytest.mark.slow, id=f"{name}-{spare}")
    for number, name in enumerate(SCENARIOS)
    for place, spare in enumerate((TIGHT, TIGHTER))
]


@pytest.mark.parametrize(("name", "spare"), EACH)
def test_streamed_training_is_resident_training(tight: Tight, name: str, spare: int) -> None:
    nets, runs = [network(), network()], []
    if spare and "validation_split" in SCENARIOS[name]:  # whose two batches are a large part of the data
        spare = 80_000
    for net, more in zip(nets, (None, spare), strict=True):
        tight(more, **SCENARIOS[name])
        runs.append(fit(net, **SCENARIOS[name]))
    assert runs[0].record.training["data_on_device"] == "resident"
    batch = runs[1].record.training["batch_size"]
    assert rows_at_a_time(runs[1]) % min(batch, ROWS) == 0
    if name != "one batch":
        assert (rows_at_a_time(runs[1]) > batch) == (spare > TIGHTER)
    same(*nets)
    assert runs[0].history == runs[1].history
    assert runs[0].record.result["validation"] == runs[1].record.result["validation"]


def test_callbacks_between_steps_see_the_same(tight: Tight) -> None:
    seen, nets = [], []
    for nbytes in (None, TIGHT, TIGHTER):
        tight(nbytes)
        seen.append(Rates())
        nets.append(network())
        fit(nets[-1], callbacks=[seen[-1]])
    assert len(seen[0].seen) == 2 * (3 * 76 // 3)
    assert seen[0].seen == seen[1].seen == seen[2].seen
    same(nets[0], nets[1])
    same(nets[0], nets[2])


def test_targets_that_are_numbers_and_arrays_in_any_order(tight: Tight) -> None:
    runs = []
    y = np.asfortranarray(X[:, :4] * 2)
    for nbytes in (None, TIGHT):
        net = nnkit.FeedForward(FEATURES, 4, [5], device="cuda", seed=2)
        tight(nbytes, net, X, y)
        runs.append(fit(net, np.asfortranarray(X), y))
    assert rows_at_a_time(runs[1]) > BATCH
    assert runs[0].history == runs[1].history


def test_a_step_that_diverges_in_a_later_chunk_is_named(tight: Tight) -> None:
    x, found = X.copy(), []
    for nbytes in (None, TIGHT):
        x[200] = 1e30
        net = nnkit.FeedForward(FEATURES, 3, [5], activation="relu", device="cuda", seed=1)
        tight(nbytes, net, X, X[:, :3], optimizer="sgd")
        with pytest.warns(NnkitWarning):
            run = fit(net, x, X[:, :3], optimizer="sgd", shuffle=True)
        found.append((run.stopped.split(";")[0], run.record.failure.step.rows, net))
    assert 200 in found[0][1]
    assert found[0][:2] == found[1][:2]
    same(found[0][2], found[1][2])


def test_what_is_streamed_counts_as_copied(tight: Tight) -> None:
    found = []
    for spare in (None, TIGHT):
        tight(spare)
        found.append(fit(network()).resources["device"]["copied_bytes"])
    rows = X.astype("float32").nbytes + Y.astype("int32").nbytes
    assert found[0] >= rows + 8 * ROWS
    assert found[1] >= 3 * rows + 8 * ROWS


@pytest.mark.parametrize("step", [2, 8, 30])
def test_an_interrupt_ends_it_after_the_same_step(tight: Tight, step: int) -> None:
    class Press(Callback):
        every = "1 step"

        def due(self, training: Any) -> None:
            if training.step == step:
                os.kill(os.getpid(), signal.SIGINT)

    nets = []
    for nbytes in (None, 80_000):
        tight(nbytes, validation_split=0.1)
        nets.append(network())
        run = fit(nets[-1], callbacks=[Press()], validation_split=0.1)
        assert run.interrupted
        assert nets[-1]._model.steps_done == step
    same(*nets)
    for nbytes, net in zip((None, TIGHT), nets, strict=True):
        tight(nbytes)
        fit(net, epochs=1)
    same(*nets)


def test_an_error_of_a_callback_ends_the_threads(tight: Tight) -> None:
    class Fails(Callback):
        every = "5 steps"

        def due(self, training: Any) -> None:
            raise ZeroDivisionError("mine")

    tight(TIGHT)
    net = network()
    with pytest.raises(ZeroDivisionError, match="mine"):
        fit(net, callbacks=[Fails()])
    assert net._model.steps_done == 5


@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_error_of_a_copy_reaches_the_caller(
    tight: Tight, elsewhere: CupyBackend, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    send, count = elsewhere._runtime.send, [0]

    def failing(pairs: Any, after: Any) -> Any:
        count[0] += 1
        if count[0] == number:
            raise OSError("the bus is on strike")
        return send(pairs, after)

    tight(TIGHT)
    net = network()
    with monkeypatch.context() as patch:
        patch.setattr(elsewhere._runtime, "send", failing)
        with pytest.raises(OSError, match="the bus is on strike"):
            fit(net)
    assert (net._model.steps_done == 0) == (number == 1)
    fit(net, epochs=1)


def test_what_comes_next_is_on_its_way_before_steps_are_asked_for(
    tight: Tight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here no chunk's steps begin before the next chunk was sent and the one after it was gathered."""
    enter, ahead, chunks = Streamed.enter, [], set()

    def patient(self: Streamed, row: int) -> None:
        enter(self, row)
        chunks.add(self._at)
        for later, waiting in ((1, self._sent), (2, self._gathered)):
            if (self._at + later) * self._chunk < len(self._order):
                waiting[self._at + later].result(timeout=30)
                ahead.append((self._at, later))

    monkeypatch.setattr(Streamed, "enter", patient)
    tight(TIGHT)
    run = fit(network(), epochs=1)
    last = max(chunks)
    assert last == (ROWS - 1) // rows_at_a_time(run)
    assert last >= 3
    assert set(ahead) == {(k, 1) for k in range(last)} | {(k, 2) for k in range(last - 1)}


def test_whoever_does_not_wait_for_copies_gets_something_else(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnkit.training.model.select", lambda name: stand_in)
    nets = [network(), network()]
    there = least(nets[0]) + TIGHT
    monkeypatch.setattr(stand_in._runtime, "free_bytes", lambda: there)
    fit(nets[0])
    monkeypatch.setattr(stand_in._runtime, "hold", lambda mark: None)
    fit(nets[1])
    with pytest.raises(AssertionError, match="layers"):
        same(*nets)


def test_all_rows_in_one_step_have_to_fit(tight: Tight) -> None:
    def net() -> nnkit.Network:
        return nnkit.FeedForward(FEATURES, 3, [5], output_activation="softmax", device="cuda", seed=1)

    ahead = net()
    before = ahead.parameters()
    tight(-50_000, ahead, optimizer="lbfgs")
    message = (
        r"the training needs [\d.]+ kB of device 'cuda.*' \(.*, 208 kB for the data, .* can be used; use an optimizer "
        r"that works in batches, such as 'adam', for which data need not fit, or fewer rows"
    )
    with pytest.raises(DeviceError, match=message):
        fit(ahead, optimizer="lbfgs")
    assert all((value == ahead.parameters()[path]).all() for path, value in before.items())
    runs = []
    many = (np.tile(X, (8, 1)) + 1, np.tile(Y, 8))
    for spare in (None, 0):
        tight(spare, net(), optimizer="lbfgs", validation_data=many)
        runs.append(fit(net(), optimizer="lbfgs", validation_data=many))
        assert runs[-1].record.training["data_on_device"] == "resident"
    assert runs[0].history == runs[1].history


def test_an_epoch_can_begin_again_in_the_middle(tight: Tight, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a training that is paused, or whose validation is cut short, may leave it."""
    start, run, begun = Epoch.start, Epoch.run, [0]

    def twice(self: Epoch, order: Any = None, *more: Any) -> None:
        before = self._model.values() | self._model.store.read(["counter.step", "counter.update"])
        moments = self._model.moments()[1]
        start(self, order, *more)
        for _ in range(3):
            run(self, 5)
        begun[0] += 1
        self._model.store.write(before | moments)
        start(self, order, *more)

    tight(None)
    nets = [network(), network()]
    fit(nets[0])
    monkeypatch.setattr(Epoch, "start", twice)
    tight(TIGHT)
    assert rows_at_a_time(fit(nets[1])) > BATCH
    assert begun == [3]
    same(*nets)
