"""Every optimiser in ``fit``: compiled and not, in one training and in parts, saved, and counted against the limit."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit import optimizers
from nnkit.errors import ArgumentError
from nnkit.optimizers import (
    SGD,
    Accumulate,
    Adam,
    ClipByNorm,
    ExponentialMovingAverage,
    Muon,
    Optimizer,
    ScheduleFreeAdamW,
    WeightDecay,
)
from nnkit.optimizers.schedules import Constant, Cosine
from nnkit.training.layout import lasting_bytes
from tests.optimizers.cases import ADAPTIVE, CASES
from tests.training.small import blobs, fit, network, same, values
from tests.training.steps import Job, check_compiled

X, Y = blobs(50)
KINDS = {made.name: made(0.02) for made in optimizers.OPTIMIZERS.values()} | {
    "amsgrad": Adam(0.02, amsgrad=True),
    "momentum": SGD(0.05, momentum=Cosine(0.9, minimum=0.1)),
    "muon, sgd": Muon(0.02, others=SGD(0.05, momentum=0.9)),
    "averaged accumulation": ExponentialMovingAverage(Accumulate(Adam(0.02), 3), 0.9),
    "everything": Accumulate(ExponentialMovingAverage(ClipByNorm(WeightDecay(Muon(0.02)), 0.5), 0.9), 2),
    **{name: CASES[name] for name in optimizers.WRAPPERS},
}
EVERY = pytest.mark.parametrize("kind", KINDS)


@EVERY
def test_compiled_steps_are_those_of_the_reference(kind: str) -> None:
    """More of them than accumulation waits for."""
    job = Job(network(outputs=2, output_activation="identity").module, (3,), "mse", KINDS[kind], rows=50)
    check_compiled(job, batch=10, steps=4)


@pytest.mark.parametrize("kind", ["momentum", "adam", "schedule_free_adamw", "everything"])
def test_compiled_and_not_are_equal_to_rounding(kind: str) -> None:
    """In ``fit``, whole epochs with a smaller batch at their end, and the weights that the network then has."""
    nets = [nnkit.FeedForward(3, 3, output_activation="softmax", dtype="float64", seed=5) for _ in range(2)]
    for net, mode in zip(nets, ("off", "first"), strict=True):
        run = fit(net, X, Y, epochs=2, batch_size=8, optimizer=KINDS[kind], compile=mode)
        assert run.to_dict()["training"]["program"]["kind"] == ("native" if mode == "first" else "plain")
    plain, native = map(values, nets)
    for name, value in plain.items():
        np.testing.assert_allclose(native[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


@EVERY
def test_going_on_with_the_same_object_is_one_training(kind: str) -> None:
    whole, parts = network(), network()
    optimizer = KINDS[kind].resolved(49)
    fit(whole, X, Y, epochs=7, batch_size=8, optimizer=optimizer)
    for epochs in (3, 4):
        fit(parts, X, Y, epochs=epochs, batch_size=8, optimizer=optimizer)
        parts.predict(X)
    assert same(values(whole), values(parts))


@EVERY
def test_the_loss_falls_in_single_precision(kind: str) -> None:
    net = network(dtype="float32")
    before = net.test(X, Y).loss
    fit(net, X, Y, epochs=20, batch_size=5, optimizer=KINDS[kind])
    assert net.test(X, Y).loss < before
    assert {value.dtype for value in values(net).values()} == {np.dtype("float32")}


@EVERY
def test_a_file_keeps_it(kind: str, tmp_path: object) -> None:
    net, path = network(), f"{tmp_path}/net.h5"
    run = fit(net, X, Y, epochs=1, optimizer=KINDS[kind])
    net.save(path)
    loaded = nnkit.load(path)
    assert loaded._optimizer == KINDS[kind]
    assert same(values(loaded), values(net))
    assert optimizers.from_config(run.to_dict()["training"]["optimizer"]) == KINDS[kind]


@EVERY
def test_the_limit_counts_its_moments(kind: str) -> None:
    net = network()
    fit(net, X, Y, epochs=1, optimizer=KINDS[kind])
    resolved = KINDS[kind].resolved(10)
    assert lasting_bytes(net._model.layout, resolved) == net._model.store.nbytes()
    for name, shape in resolved.moment_shapes(net._model.layout.parts).items():
        assert net._model.store.array(f"moment.{name}").shape == shape


def test_adafactor_keeps_less_than_one_number_for_a_weight() -> None:
    net = nnkit.FeedForward(100, 100)
    kept = {name: lasting_bytes(net._model.layout, optimizers.get(name)) for name in ("sgd", "adafactor", "adam")}
    assert kept["adafactor"] - kept["sgd"] < 4 * 100 * 4
    assert kept["adam"] - kept["sgd"] > 2 * 4 * 100 * 100


@pytest.mark.parametrize("kind", [name for name in ADAPTIVE if "," not in name])
def test_a_learning_rate_of_zero_moves_nothing(kind: str) -> None:
    """But for Rprop, whose smallest step is not 0."""
    if kind == "rprop":
        return
    net, optimizer = network(), optimizers.get(kind, 0.0)
    optimizer = optimizer if kind != "muon" else Muon(0.0, others=Adam(0.0))
    before = values(net)
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    for name, value in values(net).items():
        np.testing.assert_allclose(value, before[name], rtol=1e-12, atol=1e-15)


# -- the weights at the end that are others than those that are trained

ENDS = {
    "average": lambda: ExponentialMovingAverage(SGD(0.1, momentum=0.9), 0.9),
    "schedule free": lambda: ScheduleFreeAdamW(Constant(0.05, warmup=3)),
    "inside": lambda: Accumulate(ExponentialMovingAverage(Adam(0.05), 0.9), 2),
}
EVERY_END = pytest.mark.parametrize("end", ENDS)


def test_the_average_is_that_of_the_parameters_after_each_update() -> None:
    """One step an epoch: what plain training has after each is what the average is made of."""
    went = []
    plain, averaged = network(), network()
    inner = SGD(0.1, momentum=0.9)
    options = {"epochs": 6, "batch_size": 50}
    fit(plain, X, Y, optimizer=inner, callbacks=lambda _: went.append(values(plain)), **options)
    fit(averaged, X, Y, optimizer=ExponentialMovingAverage(inner, 0.8), **options)
    for name, value in values(averaged).items():
        mean = np.average([each[name] for each in went], axis=0, weights=0.8 ** np.arange(5, -1, -1.0))
        np.testing.assert_allclose(value, mean, rtol=1e-12)


@EVERY_END
def test_who_looks_on_sees_the_weights_that_the_network_would_have(end: str) -> None:
    """After every epoch they are those of a training that ends there; and the validation is theirs."""
    seen, scores = [], []
    net = network()

    def look(_: object) -> None:
        seen.append(values(net))
        scores.append(net.test(-X, Y).loss)

    data = {"validation_data": (-X, Y), "batch_size": 8}
    run = fit(net, X, Y, epochs=4, optimizer=ENDS[end](), callbacks=look, **data)
    np.testing.assert_allclose(run.history["val_loss"], scores, rtol=1e-12)
    assert run.result.validation["loss"] == pytest.approx(scores[-1], rel=1e-12)
    for epochs in range(1, 5):
        other = network()
        fit(other, X, Y, epochs=epochs, optimizer=ENDS[end](), batch_size=8)
        assert same(values(other), seen[epochs - 1])


@EVERY_END
def test_the_best_weights_that_come_back_are_what_was_validated(end: str) -> None:
    net, best = network(), {}

    def look(training: object) -> None:
        best[training.history["val_loss"][-1]] = values(net)  # type: ignore[attr-defined]

    stopping = nnkit.EarlyStopping(patience=2)
    options = {"validation_data": (-X, Y), "callbacks": [look, stopping]}
    fit(net, X, Y, epochs=20, batch_size=8, optimizer=ENDS[end](), **options)
    assert same(values(net), best[min(best)])


@EVERY_END
def test_going_on_is_from_parameters_that_were_set_meanwhile(end: str) -> None:
    net, optimizer = network(), ENDS[end]()
    fit(net, X, Y, epochs=2, batch_size=8, optimizer=optimizer)
    given = {name: value + 5.0 for name, value in values(net).items()}
    net.set_parameters(given)
    fit(net, X, Y, epochs=1, batch_size=50, optimizer=optimizer)
    left = net._model.left
    assert left is not None
    for name, value in given.items():
        assert np.abs(left.trained[name] - value).max() < 1.0  # one step from there


@EVERY_END
def test_no_step_leaves_the_weights_as_they_are(end: str) -> None:
    net = network()
    before = values(net)
    fit(net, X, Y, epochs=0, optimizer=ENDS[end]())
    assert same(values(net), before)
    fit(net, X, Y, epochs=1, batch_size=50, optimizer=Accumulate(ENDS[end](), 2))
    assert same(values(net), before)  # the gradient waits for its second half


@EVERY_END
def test_a_refused_fit_in_between_is_no_trace(end: str) -> None:
    nets, optimizer = (network(), network()), ENDS[end]()
    for net in nets:
        fit(net, X, Y, epochs=2, batch_size=8, optimizer=optimizer)
    with pytest.raises(ArgumentError, match="EarlyStopping watches"):
        fit(nets[0], X, Y, optimizer=Adam(0.1), callbacks=nnkit.EarlyStopping())
    for net in nets:
        fit(net, X, Y, epochs=2, batch_size=8, optimizer=optimizer)
    assert same(values(nets[0]), values(nets[1]))


@EVERY_END
def test_a_training_that_diverges_keeps_the_weights_of_its_last_good_step(end: str) -> None:
    """In the middle of an epoch, from the loss of a row that float32 does not hold."""
    x, y = np.asarray([[1.0], [2.0], [3.0], [4.0]]), np.asarray([0.0, 0.0, 0.0, 1e30])
    nets = [nnkit.FeedForward(1, 1, seed=0) for _ in range(2)]
    with pytest.warns(nnkit.errors.NnkitWarning):
        fit(nets[0], x, y, epochs=1, batch_size=1, optimizer=ENDS[end](), shuffle=False)
    fit(nets[1], x[:3], y[:3], epochs=1, batch_size=1, optimizer=ENDS[end](), shuffle=False)
    assert same(values(nets[0]), values(nets[1]))


def test_another_optimizer_goes_on_from_what_the_network_is() -> None:
    nets = network(), network()
    fit(nets[0], X, Y, epochs=2, optimizer=ENDS["average"]())
    nets[1].set_parameters(values(nets[0]))
    nets[1]._model.epochs_done = nets[0]._model.epochs_done
    for net in nets:
        fit(net, X, Y, epochs=2, optimizer=Adam(0.1))
    assert nets[0]._model.left is None
    assert same(values(nets[0]), values(nets[1]))


def test_an_optimizer_of_the_users_own_needs_one_method() -> None:
    from dataclasses import dataclass
    from typing import Any, ClassVar

    @dataclass(frozen=True)
    class Sign(Optimizer):
        learning_rate: float = 0.1
        name: ClassVar[str] = "sign"
        moments: ClassVar[tuple[str, ...]] = ()

        def settings(self) -> dict[str, float]:
            return {"learning_rate": self.learning_rate}

        def update(self, parameter: Any, gradient: Any, moments: Any, settings: Any, step: Any) -> Any:
            xp = gradient.__array_namespace__()
            return parameter - xp.sign(gradient) * settings["learning_rate"], {}

    net, before = network(), network()
    fit(net, X, Y, epochs=1, batch_size=50, optimizer=ClipByNorm(Sign(), 1.0))
    for name, value in values(before).items():
        np.testing.assert_allclose(np.abs(values(net)[name] - value), 0.1)
