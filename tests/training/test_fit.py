"""What ``fit`` computes, against training written out by hand, and what it promises about bits."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nnkit
from nnkit.optimizers import SGD, Adam, schedules
from tests.training.small import Replica, blobs, fit, network, same, values


def test_history_holds_the_running_means_of_training_by_hand() -> None:
    x, y = blobs(50)  # batches of 16, 16, 16 and 2
    net = network()
    replica = Replica(net.parameters())
    expected = [replica.epoch(x, y, rate=0.1, batch=16) for _ in range(3)]
    run = fit(net, x, y, epochs=3, batch_size=16, optimizer=SGD(0.1))
    assert list(run.history) == ["loss", "accuracy"]
    np.testing.assert_allclose(run.history["loss"], [loss for loss, _ in expected], rtol=1e-12)
    assert run.history["accuracy"] == [accuracy for _, accuracy in expected]
    for name, value in net.parameters().items():
        np.testing.assert_allclose(value, replica.values[name], rtol=1e-10, atol=1e-13)


def test_history_is_python_floats() -> None:
    x, y = blobs(20)
    run = fit(network(), x, y, epochs=1, validation_split=0.2)
    assert {type(value) for values in run.history.values() for value in values} == {float}
    assert list(run.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.02), (0.01, 0.02)])
def test_penalties_are_in_the_loss_and_in_the_gradient(l1: float, l2: float) -> None:
    x, y = blobs(40)
    net = network(l1=l1, l2=l2)
    replica = Replica(net.parameters(), l1=l1, l2=l2)
    expected = [replica.epoch(x, y, rate=0.1, batch=8)[0] for _ in range(2)]
    run = fit(net, x, y, epochs=2, batch_size=8, optimizer=SGD(0.1), validation_data=(x + 1e-9, y))
    np.testing.assert_allclose(run.history["loss"], expected, rtol=1e-12)
    plain = network()
    plain.set_parameters(net.parameters())
    weights = [value for name, value in net.parameters().items() if name.endswith("weight")]
    penalty = sum(l1 * np.abs(w).sum() + l2 * (w**2).sum() for w in weights)
    assert net.test(x, y).loss == pytest.approx(plain.test(x, y).loss + penalty, rel=1e-12)
    assert run.history["val_loss"][-1] == pytest.approx(net.test(x, y).loss, rel=1e-6)


def test_a_batch_larger_than_the_data_is_the_data() -> None:
    x, y = blobs(10)
    a, b = network(), network()
    fit(a, x, y, epochs=3, batch_size=10)
    run = fit(b, x, y, epochs=3, batch_size=10**12)
    assert same(values(a), values(b))
    assert run.record.training["batch_size"] == 10**12


def test_one_row_is_enough() -> None:
    net = network()
    run = fit(net, [[0.5, 1.0, -1.0]], [2], epochs=30, learning_rate=0.1)
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert run.history["accuracy"][-1] == 1.0
    assert net.predict([[0.5, 1.0, -1.0]]).argmax() == 2


def test_no_epochs_change_nothing() -> None:
    x, y = blobs(20)
    net, never = network(), network()
    run = fit(net, x, y, epochs=0, validation_split=0.2)
    assert same(values(net), values(never))
    assert run.history == {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    assert run.samples_per_s is None
    assert not run.interrupted
    assert run.stopped is None
    assert run.result.validation is None
    assert run.record.time["step_median_s"] is None
    assert re.fullmatch(r"<run: 0 epochs in \d+\.\d\d s>", repr(run))
    fit(net, x, y, epochs=2, validation_split=0.2)
    fit(never, x, y, epochs=2, validation_split=0.2)
    assert same(values(net), values(never))


def dropping() -> nnkit.Network:
    """A network with everything that has a memory: batch normalisation, and dropout's random numbers."""
    layers = [
        nnkit.nn.Dense(8, activation="relu"),
        nnkit.nn.BatchNorm(),
        nnkit.nn.Dropout(0.3),
        nnkit.nn.Dense(3, "softmax"),
    ]
    return nnkit.Sequential(layers, input_shape=(3,), seed=7)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(0.01),
        lambda: SGD(0.05, momentum=0.9, nesterov=True),
        lambda: nnkit.optimizers.ClipByGlobalNorm(Adam(schedules.Cosine(0.01, steps=70, warmup=5)), 0.5),
    ],
    ids=["adam", "nesterov", "clipped, with a schedule"],
)
def test_going_on_with_the_same_optimizer_object_is_one_training(make: object) -> None:
    x, y = blobs(50)
    whole, parts = dropping(), dropping()
    options = {"batch_size": 8, "validation_split": 0.2}
    once = fit(whole, x, y, epochs=10, optimizer=make(), **options)
    optimizer = make()
    first = fit(parts, x, y, epochs=4, optimizer=optimizer, **options)
    parts.predict(x)  # looking on changes nothing
    parts.test(x, y)
    second = fit(parts, x, y, epochs=6, optimizer=optimizer, **options)
    assert same(values(whole), values(parts))
    for name, history in once.history.items():
        assert history == first.history[name] + second.history[name]


def test_another_optimizer_object_starts_its_moments_anew() -> None:
    x, y = blobs(40)
    going_on, anew, by_name = network(), network(), network()
    optimizer = Adam(0.01)
    for net in (going_on, anew, by_name):
        fit(net, x, y, epochs=2, optimizer=optimizer)
    fit(going_on, x, y, epochs=2, optimizer=optimizer)
    fit(anew, x, y, epochs=2, optimizer=Adam(0.01))
    fit(by_name, x, y, epochs=2, optimizer="adam", learning_rate=0.01)
    assert same(values(anew), values(by_name))
    assert not same(values(anew), values(going_on))


def test_one_optimizer_object_serves_several_networks() -> None:
    x, y = blobs(40)
    a, b, alone = network(), network(seed=6), network()
    optimizer = Adam(0.01)
    fit(a, x, y, epochs=2, optimizer=optimizer)
    fit(b, x, y, epochs=2, optimizer=optimizer)
    fit(a, x, y, epochs=2, optimizer=optimizer)
    fit(alone, x, y, epochs=4, optimizer=Adam(0.01))
    assert same(values(a), values(alone))


def test_the_seed_alone_decides() -> None:
    x, y = blobs(50)
    runs = {}
    for name, seed in (("one", 1), ("again", 1), ("two", 2), ("huge", 2**64 - 1)):
        net = nnkit.Sequential(
            [nnkit.nn.Dense(8), nnkit.nn.Dropout(0.5), nnkit.nn.Dense(3, "softmax")], (3,), seed=seed
        )
        fit(net, x, y, epochs=3, validation_split=0.2)
        runs[name] = values(net)
    assert same(runs["one"], runs["again"])
    assert not same(runs["one"], runs["two"])
    assert not same(runs["one"], runs["huge"])


def test_the_seed_decides_the_order_of_rows_and_the_dropout_masks_not_only_the_first_weights() -> None:
    x, y = blobs(50)
    start = dropping().parameters()
    results = []
    for seed in (1, 2):
        net = nnkit.Sequential(
            [nnkit.nn.Dense(8), nnkit.nn.Dropout(0.5), nnkit.nn.Dense(3, "softmax")], (3,), seed=seed
        )
        net.set_parameters({"layers.0.weight": start["layers.0.weight"], "layers.2.weight": start["layers.3.weight"]})
        fit(net, x, y, epochs=1, batch_size=50)
        results.append(values(net))
    assert not same(*results)


def test_without_shuffling_rows_come_in_their_order() -> None:
    x, y = blobs(48)
    a, b = network(), network(seed=6)
    b.set_parameters(a.parameters())
    fit(a, x, y, epochs=2, batch_size=16, shuffle=False)
    fit(b, x, y, epochs=2, batch_size=16, shuffle=False)
    assert same(values(a), values(b))  # nothing was drawn
    c = network()
    fit(c, x, y, epochs=2, batch_size=16)
    assert not same(values(a), values(c))


def test_every_epoch_has_another_order() -> None:
    orders = []
    net = network()
    model = net._model
    x, y = blobs(30)

    def note(training: object) -> None:
        orders.append(training.train._rows.tolist())

    fit(net, x, y, epochs=3, callbacks=note)
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert model.epochs_done == 3


def test_predictions_and_tests_during_training_change_nothing() -> None:
    x, y = blobs(50)
    seen = []
    watched, alone = dropping(), dropping()

    def look(training: object) -> None:
        seen.append((watched.predict(x).sum(), watched.test(x, y).loss, watched.parameters()))

    fit(watched, x, y, epochs=4, batch_size=8, validation_split=0.2, callbacks=look)
    fit(alone, x, y, epochs=4, batch_size=8, validation_split=0.2)
    assert same(values(watched), values(alone))
    assert len({loss for _, loss, _ in seen}) == 4


def test_the_data_are_left_as_they_were() -> None:
    x, y = blobs(30)
    weight = np.linspace(0.5, 1.5, 30)
    before = x.copy(), y.copy(), weight.copy()
    fit(network(), x, y, epochs=2, validation_split=0.2, sample_weight=weight)
    for now, then in zip((x, y, weight), before, strict=True):
        assert (now == then).all()


def test_what_parameters_gives_is_a_copy() -> None:
    x, y = blobs(20)
    net = network()
    before = net.parameters()
    kept = {name: value.copy() for name, value in before.items()}
    fit(net, x, y, epochs=1)
    assert same(before, kept)
    before["layers.0.bias"][:] = 99
    assert (net.parameters()["layers.0.bias"] != 99).all()
