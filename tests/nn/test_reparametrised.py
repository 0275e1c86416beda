"""Layers around a layer: where they start, what they promise, and that they are transparent for the rest."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, ShapeError, TraceError
from nnkit.nn import Dense, SpectralNorm, WeightNorm
from nnkit.nn.module import declared
from tests.nn.calling import Called, Custom

X = np.random.default_rng(0).normal(size=(20, 6))
BOTH = pytest.mark.parametrize("around", [WeightNorm, SpectralNorm])


def network(*layers, **options):
    return nnkit.Sequential(list(layers), **({"input_shape": (6,), "dtype": "float64", "seed": 3} | options))


@pytest.mark.parametrize("initializer", [None, "orthogonal", "ones"])
def test_weight_norm_starts_as_the_layer_would(initializer):
    wrapped = network(WeightNorm(Dense(5, "relu", initializer=initializer)))
    values = wrapped.parameters()
    assert list(values) == ["layers.0.module.weight", "layers.0.module.bias", "layers.0.length"]
    weight = values["layers.0.module.weight"]
    np.testing.assert_allclose(values["layers.0.length"], np.linalg.norm(weight, axis=0), rtol=1e-15)
    np.testing.assert_allclose(wrapped.predict(X), np.maximum(X @ weight, 0.0), rtol=1e-13, atol=1e-15)


def test_the_scale_of_the_direction_does_not_matter():
    net = network(WeightNorm(Dense(5)))
    before = net.predict(X)
    net.set_parameters({"layers.0.module.weight": net.parameters()["layers.0.module.weight"] * 7.0})
    np.testing.assert_allclose(net.predict(X), before, rtol=1e-13)


@pytest.mark.parametrize("units", [1, 5, 9])
def test_spectral_norm_starts_and_stays_near_one(units):
    net = network(SpectralNorm(Dense(units, bias=False)))

    def largest():
        return np.linalg.svd(np.linalg.lstsq(X, net.predict(X), rcond=None)[0])[1].max()

    assert largest() == pytest.approx(1.0, abs=0.05)
    net.fit(X, np.sin(X @ np.ones((6, units))), epochs=30, batch_size=5, learning_rate=0.01, progress=False)
    assert largest() == pytest.approx(1.0, abs=0.05)
    states = net._model.values()
    assert np.linalg.norm(states["layers.0.u"]) == pytest.approx(1.0)
    assert np.linalg.norm(states["layers.0.v"]) == pytest.approx(1.0)


def test_weights_of_zeros_stay_finite_under_spectral_norm():
    net = network(SpectralNorm(Dense(3, initializer="zeros")))
    assert (net.predict(X) == 0.0).all()


@BOTH
def test_the_output_activation_can_be_taken_off(around):
    layer = around(Dense(3, "softmax"))
    assert layer.output_activation() == "softmax"
    bare = layer.without_output_activation()
    assert type(bare) is around
    assert bare.output_activation() == "identity"
    assert declared(bare) == declared(layer)
    net = network(layer)
    labels = np.arange(20) % 3
    run = net.fit(X, labels, epochs=20, learning_rate=0.05, progress=False)
    assert run.history["accuracy"][-1] > run.history["accuracy"][0] - 0.2
    assert run.history["loss"][-1] < run.history["loss"][0]


@BOTH
def test_penalties_and_constraints_of_the_layer_are_on_its_own_weight(around):
    net = network(around(Dense(4, "tanh", l2=0.5, constraint="unit_norm")), Dense(1))
    assert list(net._model.layout.penalties) == list(net._model.layout.constraints) == ["layers.0.module.weight"]
    net.fit(X, X[:, :1], epochs=2, progress=False)
    lengths = np.linalg.norm(net.parameters()["layers.0.module.weight"], axis=0)
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-12)


@BOTH
def test_around_a_layer_of_ones_own(around):
    class Bilinear(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(("inputs", 4))

        def __call__(self, x, run):
            return (x @ self.weight) * (x @ self.weight)

    called = Called(around(Bilinear()), (5, 6), slopes=True)
    v = called.values
    w = v["module.weight"]
    if around is WeightNorm:
        w = w / np.linalg.norm(w, axis=0) * v["length"]
    else:
        w = w / (v["v"] @ w @ v["u"])
    np.testing.assert_allclose(called.run()["y"], (v["x"] @ w) ** 2, rtol=1e-12)


def test_a_layer_called_twice_is_replaced_twice_and_is_itself_elsewhere():
    """The layer alone still has its own weight."""
    layer = Dense(6, bias=False)
    module = Custom(
        lambda self, x, run: self.wrapped(self.plain(self.wrapped(x, run), run), run),
        plain=layer,
        wrapped=WeightNorm(layer),
    )
    called = Called(module, (4, 6))
    v = called.values
    w = v["plain.weight"]
    unit = w / np.linalg.norm(w, axis=0) * v["wrapped.length"]
    np.testing.assert_allclose(called.run()["y"], v["x"] @ unit @ w @ unit, rtol=1e-12)


def test_a_spectral_norm_called_twice_goes_on_from_its_first_vectors():
    layer = SpectralNorm(Dense(6, bias=False))
    once = Called(layer, (4, 6), training=True)
    twice = Called(Custom(lambda self, x, run: self.layer(self.layer(x, run), run), layer=layer), (4, 6), training=True)
    first = once.run(x=twice.values["x"], **{p: twice.values[f"layer.{p}"] for p in ("module.weight", "u", "v")})
    second = once.run(
        x=first["y"], **{p: twice.values[f"layer.{p}"] for p in ("module.weight",)}, u=first["u"], v=first["v"]
    )
    got = twice.run()
    np.testing.assert_allclose(got["y"], second["y"], rtol=1e-12)
    np.testing.assert_allclose(got["layer.u"], second["u"], rtol=1e-12)


class Scaled(nn.Module):
    """A leaf of one's own that starts from another."""

    def __init__(self):
        self.mean = nn.Parameter(
            (3,),
            nn.From(lambda w, b: w.mean(axis=0) + b, weight := nn.Parameter(("inputs", 3)), b := nn.State((3,), 2.0)),
        )
        self.weight, self.b = weight, b

    def __call__(self, x, run):
        return x @ self.weight + self.mean + self.b


def test_leaves_may_start_from_others_that_are_declared_later():
    net = nnkit.Network(Scaled(), (6,), dtype="float64")
    values = net.parameters()
    np.testing.assert_allclose(values["mean"], values["weight"].mean(axis=0) + 2.0, rtol=1e-15)


@pytest.mark.parametrize("around", [WeightNorm, SpectralNorm])
@pytest.mark.parametrize("what", [nn.Dropout(0.5), nn.BatchNorm(), nn.Sequential([]), "dense", Dense], ids=repr)
def test_what_has_no_weight_is_refused(around, what):
    with pytest.raises(
        ArgumentError,
        match=rf"{around.__name__}: goes around a layer with a weight \(inputs, units\), such as Dense\(8\)",
    ):
        around(what)
    with pytest.raises(ArgumentError, match="goes around a layer with a weight"):
        around(WeightNorm(Dense(3)))


def test_arguments_of_spectral_norm():
    with pytest.raises(ArgumentError, match="SpectralNorm: iterations is 0, expected a whole number from 1 up"):
        SpectralNorm(Dense(3), iterations=0)
    with pytest.raises(
        ArgumentError, match=r"SpectralNorm: iterations is 1000000, expected at most 1,000: each is in the"
    ):
        SpectralNorm(Dense(3), iterations=10**6)
    with pytest.raises(ArgumentError, match=r"SpectralNorm: eps is 0, expected a number in \(0, inf\)"):
        SpectralNorm(Dense(3), eps=0)
    filters = Custom(lambda self, x, run: x, weight=nn.Parameter((3, 3, 2, 4)))
    with pytest.raises(ArgumentError, match=r"SpectralNorm: needs a weight of two axes, .* got \(3, 3, 2, 4\)"):
        SpectralNorm(filters)


def test_the_repr_says_what_is_not_the_default():
    assert repr(SpectralNorm(Dense(3), iterations=2)) == "SpectralNorm(Dense(3, activation='identity'), iterations=2)"


def test_only_leaves_can_be_replaced():
    bad = Custom(lambda self, x, run: run.replaced(self.layer, x, "wight", lambda w: w), layer=Dense(3))
    with pytest.raises(
        TraceError, match=r"layer 'layer' \(Dense\): run.replaced\(…, 'wight', …\), but self.wight is no"
    ):
        Called(bad, (2, 3))
    wrong = Custom(lambda self, x, run: run.replaced(self.layer, x, "weight", lambda w: w[:, :2]), layer=Dense(3))
    with pytest.raises(
        ShapeError, match=r"layer 'layer' \(Dense\): 'weight' is float64\[3, 3\], what replaces it float64"
    ):
        Called(wrong, (2, 3))
