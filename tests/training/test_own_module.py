"""A module of one's own goes through the same fit, program, prediction and file as the layers that come with nnkit."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit import nn, ops
from nnkit.errors import ArgumentError
from nnkit.gradient_check import check_graph
from nnkit.training.layout import Layout
from tests.nn.calling import Called
from tests.training.steps import Job


class Branches(nn.Module):
    """Two branches that share a weight, an expression of its own, a moving state, batch norm and dropout."""

    def __init__(self):
        self.shared = nn.Parameter(("inputs", 6), initializer="glorot_uniform")
        self.slope = nn.Parameter((6,), initializer="ones")
        self.norm = nn.BatchNorm()
        self.drop = nn.Dropout(0.25)
        self.heads = {"mean": nn.Dense(3), "gate": [nn.Dense(3, "sigmoid")]}
        self.seen = nn.State((), 0.0)
        self.level = nn.State((6,), 1.0)

    def __call__(self, x, run):
        xp = ops.namespace(x)
        left = x @ self.shared
        right = xp.flip(x, axis=1) @ self.shared
        if run.training:
            run.update(self, seen=self.seen + 1.0, level=self.level * 0.9 + 0.1 * xp.mean(xp.square(left), axis=0))
        wave = xp.sin(left * self.slope) * xp.exp(-xp.square(right)) / xp.sqrt(self.level + 1.0)
        hidden = self.drop(self.norm(wave, run), run)
        return self.heads["mean"](hidden, run) * self.heads["gate"][0](hidden, run)


PATHS = [
    "shared",
    "slope",
    "norm.weight",
    "norm.bias",
    "heads.mean.weight",
    "heads.mean.bias",
    "heads.gate.0.weight",
    "heads.gate.0.bias",
]


def data(rows=60):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 5))
    return x, np.stack([np.sin(x[:, 0]), x[:, 1] * x[:, 2] / 2, np.tanh(x[:, 3])], axis=1)


def trained(epochs=30, seed=3):
    net = nnkit.Network(Branches(), input_shape=(5,), dtype="float64", seed=seed)
    run = net.fit(*data(), epochs=epochs, batch_size=8, learning_rate=0.01, progress=False)
    return net, run


@pytest.mark.parametrize("training", [True, False])
def test_its_derivatives(training):
    called = Called(Branches(), (4, 5), training=training, slopes=True)
    check_graph(called.graph, "total", called.values, called.floats(), rtol=1e-5)


def test_its_step_is_the_interpreters():
    bench = Job(Branches(), (5,), "auto", nnkit.optimizers.Adam(0.01), rows=40).bench(7)
    for _ in range(4):
        expected = bench.expected_bits()
        for name, value in bench.step().items():
            np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_it_learns():
    net, run = trained()
    assert list(net.parameters()) == PATHS
    assert run.history["loss"][-1] < 0.5 * run.history["loss"][0]
    steps = 30 * 8
    assert net._model.values()["seen"] == steps


def test_it_learns_the_same_twice_and_otherwise_with_another_seed():
    first, second, other = trained(5)[0].parameters(), trained(5)[0].parameters(), trained(5, seed=4)[0].parameters()
    assert all((first[path] == second[path]).all() for path in PATHS)
    assert not any((first[path] == other[path]).all() for path in ("shared", "heads.mean.weight"))


def test_it_is_saved_and_loaded(tmp_path):
    net, _ = trained(5)
    net.save(tmp_path / "own.h5")
    again = nnkit.load(tmp_path / "own.h5", into=Branches())
    x, y = data()
    np.testing.assert_array_equal(again.predict(x), net.predict(x))
    for path, value in net._model.values().items():
        np.testing.assert_array_equal(again._model.values()[path], value)
    assert again.fit(x, y, epochs=1, progress=False).history["loss"][0] > 0.0


def test_a_custom_output_needs_no_name():
    class Positive(nn.Module):
        def __init__(self):
            self.layer = nn.Dense(2)

        def __call__(self, x, run):
            return ops.softplus(self.layer(x, run))

    net = nnkit.Network(Positive(), input_shape=(3,))
    run = net.fit(np.ones((8, 3)), np.ones((8, 2)), epochs=2, loss="huber", progress=False)
    assert np.isfinite(run.history["loss"]).all()
    # What a module of one's own ends with is not known, so that no loss is refused for it.
    run = net.fit(np.ones((8, 3)), np.zeros(8, dtype=int), loss="cross_entropy", epochs=2, progress=False)
    assert np.isfinite(run.history["loss"]).all()


def test_the_loss_of_a_module_that_ends_in_softmax_is_taken_from_its_probabilities():
    class Probabilities(nn.Module):
        def __init__(self):
            self.layer = nn.Dense(3)

        def __call__(self, x, run):
            return ops.softmax(self.layer(x, run))

    class Named(Probabilities):
        def output_activation(self):
            return "softmax"  # without without_output_activation: it must not be applied twice

    x = np.random.default_rng(0).normal(size=(20, 4))
    y = np.arange(20) % 3
    expected = nnkit.FeedForward(inputs=4, outputs=3, output_activation="softmax")
    for kind in (Probabilities, Named):
        net = nnkit.Network(kind(), input_shape=(4,))
        values = list(net.parameters().values())
        expected.set_parameters(dict(zip(expected.parameters(), values, strict=True)))
        loss = net.test(x, y, loss="cross_entropy").loss
        assert loss == pytest.approx(expected.test(x, y).loss, rel=1e-5)


def inside(**members):
    """A module with one inner module that has these members."""

    class Part(nn.Module):
        def __init__(self):
            vars(self).update(members)

        def __call__(self, x, run):
            return x

    return Part()


NAMES = [
    ("parameter", {"parameter": nn.Parameter((3,))}),
    ("x", {"x": nn.State((3,))}),
    ("weight", {"weight": nn.State((3,))}),
    ("counter.step", {"counter": inside(step=nn.Parameter((3,)))}),
    ("metric.loss", {"metric": inside(loss=nn.State(()))}),
    ("moment.first", {"moment": inside(first=nn.Parameter((3,)))}),
    ("setting.rate", {"setting": [nn.Dense(3)], "name": "setting.0.weight"}),
]


@pytest.mark.parametrize(("path", "members"), NAMES, ids=[path for path, _ in NAMES])
def test_names_of_the_step_itself_are_refused(path, members):
    path = members.pop("name", path)
    module = inside(**members)
    with pytest.raises(
        ArgumentError, match=rf"leaf '{path}'.*; give the attribute another name|leaf '{path}' is declared, but"
    ):
        Layout.of(module, (3,), "float32")


def test_other_names_are_free():
    module = inside(weight=nn.Parameter((3,)), counter=nn.State(()), state=nn.State((3,)), x=nn.Parameter((2,)))
    assert list(Layout.of(module, (3,), "float32").shapes) == ["weight", "counter", "state", "x"]


def test_networks_without_parameters_predict_and_refuse_to_train():
    for module, shape in ((nn.Flatten(), (2, 3)), (nn.Activation("relu"), (6,)), (nn.Sequential([]), (6,))):
        net = nnkit.Network(module, input_shape=shape)
        x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
        assert net.predict(x).shape == (4, 6)
        assert net.test(x, x.reshape(4, 6)).loss >= 0.0
        with pytest.raises(ArgumentError, match="the network has no parameters to train; add a Dense layer"):
            net.fit(x, x.reshape(4, 6), progress=False)
