"""Networks in one line: the two ways to give the layers, activations, penalties, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError


def shapes(net: nnkit.Network) -> list[tuple[int, ...]]:
    return [value.shape for value in net.parameters().values()]


def test_both_ways_to_give_the_layers_are_one() -> None:
    a = nnkit.FeedForward(inputs=5, hidden=[7, 7], outputs=3, seed=2)
    b = nnkit.FeedForward(inputs=5, hidden_layers=2, neurons=7, outputs=3, seed=2)
    assert shapes(a) == [(5, 7), (7,), (7, 7), (7,), (7, 3), (3,)]
    assert all((value == b.parameters()[name]).all() for name, value in a.parameters().items())


@pytest.mark.parametrize("hidden", [[], None, ()])
def test_no_hidden_layers(hidden: Any) -> None:
    assert shapes(nnkit.FeedForward(5, 3, hidden)) == [(5, 3), (3,)]


def test_no_hidden_layers_by_number() -> None:
    assert shapes(nnkit.FeedForward(5, 3, hidden_layers=0, neurons=4)) == [(5, 3), (3,)]


@pytest.mark.parametrize("hidden", [4, [4], (4,), np.array([4]), np.int64(4), [np.int32(4)], range(4, 5)])
def test_forms_of_hidden(hidden: Any) -> None:
    assert shapes(nnkit.FeedForward(5, 3, hidden)) == [(5, 4), (4,), (4, 3), (3,)]


def test_activations_one_for_all_or_one_for_each() -> None:
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    one = nnkit.FeedForward(5, 3, [4, 4], activation="tanh", output_activation="sigmoid")
    each = nnkit.FeedForward(5, 3, [4, 4], activation=["tanh", "tanh"], output_activation="sigmoid")
    mixed = nnkit.FeedForward(5, 3, [4, 4], activation=["tanh", "relu"], output_activation="sigmoid")
    mixed.set_parameters(one.parameters())
    assert (one.predict(x) == each.predict(x)).all()
    assert (one.predict(x) != mixed.predict(x)).any()
    w = list(one.parameters().values())
    by_hand = 1 / (1 + np.exp(-(np.tanh(np.tanh(x @ w[0]) @ w[2]) @ w[4])))
    np.testing.assert_allclose(one.predict(x), by_hand, rtol=1e-5)


def test_activations_as_functions_and_layers() -> None:
    functions = nnkit.FeedForward(2, 1, [3], activation=nnkit.ops.relu)
    names = nnkit.FeedForward(2, 1, [3], activation="relu")
    layers = nnkit.FeedForward(2, 1, [3], activation=nnkit.nn.Activation("relu"))
    for net in (functions, layers):
        net.set_parameters(names.parameters())
        assert (net.predict([[1.0, -2.0]]) == names.predict([[1.0, -2.0]])).all()


def test_penalties_are_on_every_weight() -> None:
    net = nnkit.FeedForward(2, 1, [3], l1=0.1, l2=0.2, dtype="float64")
    zero = net.test([[0.0, 0.0]], [[0.0]]).loss
    weights = [value for name, value in net.parameters().items() if name.endswith("weight")]
    assert zero == pytest.approx(sum(0.1 * np.abs(w).sum() + 0.2 * (w**2).sum() for w in weights), rel=1e-12)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no inputs": ({"inputs": 0}, "inputs must be between 1 and 10,000,000 neurons, got 0"),
    "negative": ({"hidden": [4, -3]}, r"hidden\[1\] must be between 1 and 10,000,000 neurons, got -3"),
    "fraction": ({"hidden": [1.5]}, r"hidden\[0\] must be a whole number of neurons, got 1\.5"),
    "whole fraction": ({"outputs": 2.0}, r"outputs must be a whole number of neurons, got 2\.0"),
    "absurd": ({"hidden": [10**12]}, r"hidden\[0\] must be between 1 and 10,000,000 neurons, got 1000000000000"),
    "absurd outputs": ({"outputs": 10**12}, "outputs must be between 1 and 10,000,000 neurons, got 1000000000000"),
    "truth": ({"inputs": True}, "inputs must be a whole number of neurons, got True"),
    "text": ({"hidden": "64"}, r"hidden must be a list of numbers of neurons, such as \[128, 64\], got '64'"),
    "float": ({"hidden": 64.0}, r"hidden must be a list of numbers of neurons, such as \[128, 64\], got 64\.0"),
    "array of no dimension": ({"hidden": np.array(3)}, "hidden must be a list of numbers of neurons"),
    "nested": ({"hidden": [[3]]}, r"hidden\[0\] must be a whole number of neurons, got \[3\]"),
    "both": ({"hidden": [3], "neurons": 3}, r"give either hidden=\[…\] or hidden_layers= with neurons=, not both"),
    "layers alone": ({"hidden_layers": 2}, "hidden_layers= and neurons= go together: hidden_layers=2, neurons=64"),
    "neurons alone": ({"neurons": 2}, "hidden_layers= and neurons= go together: hidden_layers=2, neurons=64"),
    "layers": ({"hidden_layers": -1, "neurons": 2}, "hidden_layers must be a whole number from 0 to 100,000, got -1"),
    "many layers": ({"hidden_layers": 10**9, "neurons": 2}, "hidden_layers must be a whole number from 0 to 100,000"),
    "half layers": ({"hidden_layers": 1.5, "neurons": 2}, "hidden_layers must be a whole number from 0 to 100,000"),
    "neurons": ({"hidden_layers": 1, "neurons": 0}, "neurons must be between 1 and 10,000,000 neurons, got 0"),
    "activations": (
        {"hidden": [3], "activation": ["relu", "tanh"]},
        "activation has 2 entries for 1 hidden layers; give one for each, or one for all",
    ),
    "activation": ({"hidden": [3], "activation": "rellu"}, "unknown activation 'rellu'. Did you mean 'relu'"),
    "output": ({"output_activation": "sofmax"}, "unknown activation 'sofmax'. Did you mean 'softmax'"),
    "no activation": (
        {"hidden": [3], "activation": None},
        "activation is None; for none write 'identity'",
    ),
    "no output activation": ({"output_activation": None}, "output_activation is None; for none write 'identity'"),
    "dtype": ({"dtype": "flaot32"}, "unknown dtype 'flaot32'. Did you mean 'float32'"),
    "small dtype": ({"dtype": "float16"}, r"unknown dtype 'float16'.* Known: float32, float64"),
    "dtype object": (
        {"dtype": np.float32},
        "dtype must be a name or an object of that kind, got <class 'numpy.float32'>",
    ),
    "penalty": ({"l2": -1}, "l2 must be a finite number that is not negative, got -1"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        nnkit.FeedForward(**({"inputs": 2, "outputs": 2} | options))


def test_sequential_needs_layers() -> None:
    with pytest.raises(ArgumentError, match=r"layers must be a list of layers, got Dense"):
        nnkit.Sequential(nnkit.nn.Dense(2), (3,))
    with pytest.raises(ArgumentError, match=r"layers must be a list of layers, got 'abc'"):
        nnkit.Sequential("abc", (3,))
    with pytest.raises(ArgumentError, match=r"Sequential: layers\[1\] is 3, not a layer"):
        nnkit.Sequential([nnkit.nn.Dense(2), 3], (3,))


def test_dtype_by_its_other_name() -> None:
    assert nnkit.FeedForward(2, 1, dtype="double").dtype == "float64"


def test_dropout_follows_each_hidden_layer() -> None:
    net = nnkit.FeedForward(5, 3, [4, 6], activation=["tanh", "relu"], dropout=0.25)
    kinds = [repr(layer) for layer in net.module.layers]
    assert kinds == [
        "Dense(4, activation='tanh')",
        "Dropout(0.25)",
        "Dense(6, activation='relu')",
        "Dropout(0.25)",
        "Dense(3, activation='identity')",
    ]
    assert len(nnkit.FeedForward(5, 3, [4, 6], dropout=0.0).module.layers) == 3
    assert len(nnkit.FeedForward(5, 3, dropout=0.5).module.layers) == 1
    with pytest.raises(ArgumentError, match="Dropout: rate is the share of values that are dropped"):
        nnkit.FeedForward(5, 3, [4], dropout=1.5)


def test_errors_name_them_as_users_do() -> None:
    assert (nnkit.FeedForward.__name__, nnkit.Sequential.__name__) == ("FeedForward", "Sequential")
    with pytest.raises(TypeError, match=r"^FeedForward has no argument 'hiden'\. Did you mean 'hidden'"):
        nnkit.FeedForward(2, 1, hiden=[3])
