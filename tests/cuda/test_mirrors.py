"""Weights as halves, which the update writes: the same training as with a conversion in each step, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.callbacks import Callback
from nnkit.graph import Graph, Trace
from nnkit.optimizers import SGD, Adam, LossScale
from nnkit.plan.planner import plan
from nnkit.training.planning import training_plan
from nnkit_cupy.device import TARGET, CupyBackend
from nnkit_cupy.source import launches
from nnkit_cupy.source.launches import module
from nnkit_cupy.source.mirrors import Mirrored, alone, mirrored
from tests.cuda.stand_in import HostRuntime, selected
from tests.plan.running import Bench, same_bits

DATA = nnkit.data.load("moons")
Values = dict[str, np.ndarray]
Pair = Callable[[Callable[[], Values]], None]


@pytest.fixture
def same(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Does something with what is kept, and with a conversion in each step, and compares what it gave."""

    def check(work: Callable[[], Values]) -> None:
        found: list[Values] = []
        for kept in (True, False):
            device, given = CupyBackend("cuda", HostRuntime()), []

            def chosen(made: Any, kept: bool = kept, given: list[Mirrored] = given) -> Mirrored:
                given.append(mirrored(made) if kept else Mirrored(made, frozenset(), ()))
                return given[-1]

            with monkeypatch.context() as patch:
                selected(patch, device)
                patch.setattr(launches, "mirrored", chosen)
                found.append(work())
            assert any(each.states == ("parameter",) for each in given) == kept
        assert found[0].keys() == found[1].keys()
        for name, value in found[0].items():
            np.testing.assert_array_equal(value, found[1][name], err_msg=name)

    return check


def fit(net: nnkit.Network, **options: Any) -> Any:
    given = {"epochs": 2, "batch_size": 48, "precision": "mixed_bfloat16", "progress": False} | options
    return net.fit(DATA.x_train, DATA.y_train, **given)


def network() -> nnkit.Network:
    layers = [nn.Dense(24, "relu"), nn.BatchNorm(), nn.Dense(16, "tanh"), nn.Dense(2, "softmax")]
    return nnkit.Sequential(layers, (2,), device="cuda", seed=3)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.1, momentum=0.9)])
def test_trainings_with_a_last_batch_of_another_size(same: Pair, precision: str, optimizer: Any) -> None:
    """Two programs write the weights in turns, and a third one reads them."""

    def work() -> Values:
        net = network()
        fit(net, epochs=3, batch_size=50, optimizer=optimizer, precision=precision, validation_split=0.2)
        return net.parameters()

    same(work)


def test_weights_that_are_set_between_trainings(same: Pair) -> None:
    def work() -> Values:
        net = network()
        fit(net)
        net.set_parameters({name: 0.5 * value for name, value in net.parameters().items()})
        fit(net)
        return net.parameters()

    same(work)


class GoBack(Callback):
    """Goes back to the weights after the first epoch, after each of the others."""

    def __init__(self) -> None:
        self.kept: Any = None

    def epoch(self, training: Any) -> None:
        if self.kept is None:
            self.kept = training.snapshot()
        else:
            training.restore(self.kept)


def test_weights_that_a_callback_brings_back(same: Pair) -> None:
    def work() -> Values:
        net = network()
        fit(net, epochs=4, callbacks=[GoBack()])
        return net.parameters()

    same(work)


def test_steps_that_are_refused(same: Pair) -> None:
    """Neither the weights nor their halves change."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(32, 6)).astype(np.float32)
    y = 1000.0 * x @ draw.normal(size=(6, 1))

    def work() -> Values:
        net = nnkit.FeedForward(6, 1, [8], activation="relu", output_activation="identity", device="cuda", seed=0)
        options = {"precision": "mixed_float16", "optimizer": LossScale(Adam(0.1)), "progress": False}
        run = net.fit(x, y, epochs=12, batch_size=32, **options)
        assert 0 < run.record.training["loss_scale"]["skipped"] < 12
        return net.parameters()

    same(work)


HALVES = replace(TARGET, products="bfloat16")
DRAW = np.random.default_rng(0)
VALUES = {"weights": DRAW.normal(size=136).astype(np.float32), "x": DRAW.normal(size=(16, 16)).astype(np.float32)}


def step(name: str = "weights") -> Graph:
    """One that reads most of its state in a product, and moves all of it by the result."""
    trace = Trace()
    xp = trace.namespace
    weights = trace.input("weights", "state", (136,), "float32")
    x = trace.input("x", "data", (16, 16), "float32")
    y = xp.matmul(x, xp.reshape(weights[:128], (16, 8)))
    return trace.graph({name: xp.sum(y) * 1e-3 + weights})


def test_the_conversion_is_no_launch_of_a_step() -> None:
    code = module(plan(step(), HALVES))
    (conversion,) = code.first
    assert code.mirrored == ("weights",)
    assert conversion.step not in {launch.step for launch in code.launches}


def test_a_state_that_no_step_writes_is_converted_in_each() -> None:
    code = module(plan(step("moved"), HALVES))
    assert (code.first, code.mirrored) == ((), ())


def test_a_bias_that_is_a_state_of_its_own(stand_in: CupyBackend) -> None:
    """And no part of a vector: it is rounded by itself."""
    trace = Trace()
    xp = trace.namespace
    shapes = {"weights": (16, 8), "bias": (8,), "last": (8, 8)}
    weights, bias, last = (trace.input(name, "state", shape, "float32") for name, shape in shapes.items())
    x = trace.input("x", "data", (16, 16), "float32")
    hidden = xp.maximum(xp.matmul(x, weights) + bias, 0.0)
    graph = trace.graph({"bias": bias + xp.sum(xp.matmul(hidden, last)) * 1e-3})
    values = {name: DRAW.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    found = Bench(graph, values | {"x": VALUES["x"]}, target=HALVES, backend=stand_in).step()["bias"]
    exact = np.maximum(VALUES["x"] @ values["weights"] + values["bias"], 0) @ values["last"]
    np.testing.assert_allclose(found, values["bias"] + exact.sum() * 1e-3, rtol=1e-2, atol=1e-2)


def test_a_stopwatch_leaves_the_halves_as_the_weights_are(stand_in: CupyBackend) -> None:
    """Kernels are timed on the states of the program, which then come back."""
    timed, plain = (Bench(step(), VALUES, target=HALVES, backend=stand_in) for _ in range(2))
    timed.program.step_seconds(2)
    plain.step()
    same_bits(timed.step(), plain.step())


def test_a_run_that_fails_has_written_its_weights(stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that another program converts them again; here one on the same store, whose rows differ."""
    first = Bench(step(), VALUES, target=HALVES, backend=stand_in)
    other = stand_in.compile(first.plan).bind(first.store, first.program._data)
    other.run(1)
    replayed = HostReplay()
    monkeypatch.setattr(first.program, "_recorded", lambda count: replayed)
    with pytest.raises(RuntimeError, match="gone"):
        first.program.run(2)  # the first is run kernel by kernel
    version = first.store.version("weights")
    assert other._known != [version]


class HostReplay:
    """A graph that cannot be run."""

    def launch(self) -> None:
        raise RuntimeError("gone")


def test_weights_written_from_outside_are_converted_again(stand_in: CupyBackend) -> None:
    written, fresh = (Bench(step(), VALUES, target=HALVES, backend=stand_in) for _ in range(2))
    written.step()
    other = {"weights": VALUES["weights"][::-1].copy()}
    for each in (written, fresh):
        each.store.write(other)
    same_bits(written.step(), fresh.step())


def test_memory_that_is_used_again_is_not_kept() -> None:
    """Under a limit the arena has other values where the halves were."""
    net = nnkit.FeedForward(64, 64, [64] * 4, output_activation="softmax", seed=0)
    graph = training_plan(net._model, 32, "adam", "auto").graph
    free = plan(graph, HALVES)
    tight = plan(graph, HALVES, memory_limit=int(0.7 * free.arena_bytes))
    assert module(free).mirrored == ("parameter",)
    assert module(tight).mirrored == ()
    assert any(not alone(tight, i) for i, node in tight.graph if node.dtype == "bfloat16" and i in tight.slots)
