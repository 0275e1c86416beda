"""Networks through pickle and as copies: they predict and train on as the original does."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.data import Preprocessing
from nnkit.optimizers import SGD, Adam
from tests.training.small import blobs, fit, same, values

X, Y = blobs(40)


def network() -> nnkit.Network:
    layers = [nnkit.nn.Dense(6, "tanh"), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.2), nnkit.nn.Dense(3, "softmax")]
    return nnkit.Sequential(layers, (3,), seed=4, dtype="float64")


def pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy])
@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.05, momentum=0.9)], ids=lambda made: made.name)
def test_a_copy_goes_on_to_the_bit(copied: Any, optimizer: Any) -> None:
    net = network()
    fit(net, X, Y, epochs=3, batch_size=16, optimizer=optimizer)
    twin, its = copied((net, optimizer))  # together, since the optimiser is the one that has moments in the network
    assert (twin.predict(X) == net.predict(X)).all()
    assert twin.test(X, Y).loss == net.test(X, Y).loss
    before = values(net)
    fit(twin, X, Y, epochs=2, batch_size=16, optimizer=its)
    assert same(values(net), before)
    fit(net, X, Y, epochs=2, batch_size=16, optimizer=optimizer)
    assert same(values(twin), values(net))
    fit(twin, X, Y, epochs=1, optimizer=SGD(0.1))
    fit(net, X, Y, epochs=1, optimizer=SGD(0.1))
    assert same(values(twin), values(net))


def test_a_copy_of_a_network_that_was_not_trained() -> None:
    net = network()
    net.classes, net.preprocessing = ("a", "b", "c"), Preprocessing(target="kind")
    twin = pickled(net)
    assert repr(twin) == repr(net)
    assert (twin.classes, twin.preprocessing, twin.seed) == (net.classes, net.preprocessing, 4)
    assert same(values(twin), values(net))
    fit(twin, X, Y, epochs=1)
    fit(net, X, Y, epochs=1)
    assert same(values(twin), values(net))


def test_a_copy_is_saved_as_the_original(tmp_path: Any) -> None:
    net = network()
    fit(net, X, Y, epochs=1, loss=nnkit.losses.CrossEntropy(label_smoothing=0.1))
    for name, each in (("one", net), ("two", pickled(net))):
        each.save(tmp_path / name)
    one, two = (nnkit.load(tmp_path / name) for name in ("one", "two"))
    assert (one.predict(X) == two.predict(X)).all()
    assert one.test(X, Y).loss == two.test(X, Y).loss == net.test(X, Y).loss


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "identity"])
def test_what_comes_before_the_output_activation(activation: str) -> None:
    net = nnkit.FeedForward(inputs=3, outputs=2, hidden=[4], output_activation=activation, seed=0, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2500, 3))
    before = net._evaluator.predict(x, "off", bare=True)
    function = nnkit.nn.activations.ACTIVATIONS[activation].function
    np.testing.assert_allclose(function(before), net.predict(x), rtol=1e-12)
    again = net._evaluator.predict(x[:5], "off", bare=True)
    np.testing.assert_allclose(again, before[:5], rtol=1e-12)
