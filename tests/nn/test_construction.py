"""Making layers: what they refuse, their output activations, and their descriptions as plain data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnkit import initializers
from nnkit.errors import ArgumentError, ShapeError
from nnkit.nn import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GroupNorm,
    LayerNorm,
    Module,
    Parameter,
    Penalty,
    PReLU,
    RMSNorm,
    Sequential,
)
from nnkit.nn.activation import as_activation, default_initializer
from nnkit.nn.activations import ACTIVATIONS
from nnkit.nn.module import UNKNOWN, declared
from nnkit.nn.serial import from_config, is_custom, to_config
from tests.nn.calling import Called


class Own(Module):
    def __call__(self, x, run):
        return x


@pytest.mark.parametrize("units", ["8", 2.5, True, None, [8]])
def test_units_must_be_whole(units):
    with pytest.raises(ArgumentError, match="Dense: units must be a whole number of neurons, got"):
        Dense(units)


@pytest.mark.parametrize("units", [0, -3, 10**12])
def test_units_must_be_sensible(units):
    with pytest.raises(ArgumentError, match=f"Dense: units must be between 1 and 10,000,000 neurons, got {units}"):
        Dense(units)


def test_units_may_be_any_integer():
    assert Dense(np.int64(8)).units == 8
    assert type(Dense(np.int64(8)).units) is int


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1, 2, "0.5", None, True, float("nan")])
@pytest.mark.parametrize("kind", [Dropout, AlphaDropout, GaussianDropout])
def test_rates_of_dropout_are_shares(kind, rate):
    with pytest.raises(
        ArgumentError,
        match=f"^{kind.__name__}: rate is the share of values that are dropped, at least 0 and below 1, got",
    ):
        kind(rate)


@pytest.mark.parametrize("std", [-0.1, "0.5", None, True, float("nan"), float("inf")])
def test_noise_has_a_standard_deviation(std):
    with pytest.raises(ArgumentError, match=r"GaussianNoise: std is .*, expected a number in \[0, inf\)"):
        GaussianNoise(std)


@pytest.mark.parametrize("value", [0.0, -1, "1", None, True, float("nan")])
def test_other_normalisations_need_positive_numbers(value):
    with pytest.raises(ArgumentError, match=r"RMSNorm: eps is .*, expected a number in \(0, inf\)"):
        RMSNorm(eps=value)
    with pytest.raises(ArgumentError, match=r"GroupNorm: eps is .*, expected a number in \(0, inf\)"):
        GroupNorm(2, eps=value)


@pytest.mark.parametrize("groups", [0, -2, 1.5, "2", None, True])
def test_groups_are_counted(groups):
    with pytest.raises(ArgumentError, match=r"GroupNorm: groups is .*, expected a whole number from 1 up"):
        GroupNorm(groups)


def test_groups_divide_the_features():
    with pytest.raises(
        ShapeError,
        match=r"layer 'layers.1' \(GroupNorm\) divides the features into 4 equal groups, and there are 6; give the",
    ):
        Called(Sequential([Dense(6), GroupNorm(4)]), (2, 3))


@pytest.mark.parametrize("value", [0.0, -1, "1", None, True, float("nan")])
def test_normalisation_needs_positive_numbers(value):
    with pytest.raises(ArgumentError, match="BatchNorm: eps must be a number above 0, got"):
        BatchNorm(eps=value)
    with pytest.raises(ArgumentError, match="BatchNorm: momentum must be a number above 0 and at most 1, got"):
        BatchNorm(momentum=value)
    with pytest.raises(ArgumentError, match="LayerNorm: eps must be a number above 0, got"):
        LayerNorm(eps=value)


def test_momentum_is_at_most_one():
    with pytest.raises(ArgumentError, match=r"BatchNorm: momentum must be a number above 0 and at most 1, got 1.5"):
        BatchNorm(momentum=1.5)
    assert BatchNorm(momentum=1).momentum == 1.0


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan"), "1", True, None])
def test_penalties_are_finite_and_not_negative(value):
    with pytest.raises(ArgumentError, match="l2 must be a finite number that is not negative, got"):
        Penalty(l2=value)
    if value:
        with pytest.raises(ArgumentError, match="l1 must be a finite number"):
            Dense(3, l1=value)


def test_sequential_takes_layers():
    with pytest.raises(ArgumentError, match=r"Sequential: layers\[1\] is 'relu', not a layer$"):
        Sequential([Dense(3), "relu"])
    with pytest.raises(
        ArgumentError, match=r"layers\[0\] is <class.*Dense'>, not a layer; give the layer itself, as in Dense\(8\)"
    ):
        Sequential([Dense])


def test_activations_by_name_function_and_layer():
    assert as_activation("swish").name == "silu"
    assert all(isinstance(as_activation(name), PReLU) for name in ("PReLU", "p_relu", "parametric_relu"))
    layer = Activation("tanh")
    assert as_activation(layer) is layer
    doubled = Activation(lambda x: x * 2.0)
    called = Called(doubled, (2, 3))
    np.testing.assert_array_equal(called.run()["y"], called.values["x"] * 2.0)
    with pytest.raises(ArgumentError, match=r"unknown activation 'rleu'. Did you mean 'relu'\?"):
        Dense(3, "rleu")


def test_parameters_of_activations():
    called = Called(Activation("leaky_relu", slope=0.5), (2, 3))
    x = called.values["x"]
    np.testing.assert_allclose(called.run()["y"], np.where(x > 0, x, 0.5 * x))
    with pytest.raises(ArgumentError, match="activation 'leaky_relu' has no parameter 'alpha'; it has slope"):
        Activation("leaky_relu", alpha=0.5)
    with pytest.raises(ArgumentError, match="activation 'relu' has no parameter 'slope'; it has none"):
        Activation("relu", slope=0.5)


def test_initial_weights_follow_the_activation():
    for name, row in ACTIVATIONS.items():
        assert Dense(3, name).weight.initializer == row.initializer == default_initializer(Activation(name))
    assert Dense(3, "prelu").weight.initializer == "he_normal"
    assert Dense(3, lambda x: x).weight.initializer == "glorot_uniform"
    assert Dense(3, Own()).weight.initializer == "glorot_uniform"
    assert Dense(3, "relu", initializer="zeros").weight.initializer == "zeros"
    assert Dense(3).bias.initializer == "zeros"


def test_penalties_are_on_weights_only():
    layer = Dense(3, l1=0.1, l2=0.2)
    assert layer.weight.penalty == Penalty(0.1, 0.2)
    assert layer.bias.penalty is None
    assert Dense(3).weight.penalty is None


TAKEN_OFF = {
    "softmax": lambda: Dense(3, "softmax"),
    "sigmoid": lambda: Sequential([Dense(3), Activation("sigmoid")]),
    "exponential": lambda: Sequential([Dense(4, "relu"), Sequential([Dense(3, "exponential")])]),
}


@pytest.mark.parametrize("name", TAKEN_OFF)
def test_the_output_activation_can_be_taken_off(name):
    module = TAKEN_OFF[name]()
    assert module.output_activation() == name
    bare = module.without_output_activation()
    assert bare.output_activation() == "identity"
    assert declared(bare) == declared(module)
    whole, without = Called(module, (4, 5)), Called(bare, (4, 5))
    expected = Called(Activation(name), (4, 3)).run(x=without.run()["y"])["y"]
    np.testing.assert_allclose(whole.run()["y"], expected)
    assert module.output_activation() == name


@pytest.mark.parametrize(
    "module",
    [
        Flatten(),
        Dropout(0.5),
        PReLU(),
        Sequential([]),
        Dense(3, "prelu"),
        Sequential([Dense(3, "softmax"), Dropout(0.1)]),
    ],
)
def test_what_has_no_output_activation_stays(module):
    assert module.output_activation() == "identity"
    bare = module.without_output_activation()
    assert list(declared(bare)) == list(declared(module))
    assert type(bare) is type(module)


def test_the_output_activation_of_ones_own_module_is_not_known():
    own = Own()
    assert own.output_activation() == Sequential([Dense(3), own]).output_activation() == UNKNOWN
    assert own.without_output_activation() is own


def test_an_activation_with_other_parameters_is_none_of_the_canonical_ones():
    layer = Activation("leaky_relu", slope=0.2)
    assert layer.output_activation() == "identity"
    assert layer.without_output_activation() is layer


MODULES = [
    Dense(3),
    Dense(3, "prelu", bias=False, l1=0.1, l2=0.2),
    Dense(3, Activation("leaky_relu", slope=0.2), initializer="orthogonal"),
    Dense(3, initializer=initializers.Constant(0.5)),
    Sequential(
        [
            Flatten(),
            Dense(4, "gelu"),
            BatchNorm(0.3, 0.1),
            Dropout(0.25),
            LayerNorm(0.1),
            PReLU(0.1),
            Activation("tanh"),
        ]
    ),
    Sequential([Sequential([]), Sequential([Dense(2, "softmax")])]),
]


@pytest.mark.parametrize("module", MODULES, ids=repr)
def test_plain_data_and_back(module):
    config = json.loads(json.dumps(to_config(module)))
    again = from_config(config)
    assert repr(again) == repr(module)
    assert to_config(again) == config
    assert not is_custom(config)
    leaves = [(path, leaf.shape, getattr(leaf, "penalty", None)) for path, leaf in declared(again).items()]
    assert leaves == [(path, leaf.shape, getattr(leaf, "penalty", None)) for path, leaf in declared(module).items()]


@pytest.mark.parametrize("module", [Own(), Sequential([Dense(3), Own()]), Dense(3, Own()), Dense(3, np.tanh)])
def test_modules_of_ones_own_are_marked(module):
    config = to_config(module)
    assert is_custom(config)
    assert is_custom(json.loads(json.dumps(config)))
    with pytest.raises(ArgumentError, match=r"'(Own|Activation)' is a layer of your own; build it yourself"):
        from_config(config)


def test_a_subclass_of_a_layer_is_ones_own():
    class Larger(Dense):
        pass

    assert to_config(Larger(3)) == {"layer": "Larger", "custom": True}


def test_unknown_layers_are_refused():
    with pytest.raises(ArgumentError, match=r"unknown layer 'Dens'. Did you mean 'dense'\?"):
        from_config({"layer": "Dens", "units": 3})
    with pytest.raises(ArgumentError, match="layer must be a name or an object of that kind, got None"):
        from_config({"units": 3})


def test_a_dense_layer_takes_its_outputs_alone():
    with pytest.raises(
        ArgumentError, match=r"Dense: activation is the number 8; write Dense\(8\), with the outputs alone"
    ):
        Dense(4, 8)


def test_an_initializer_is_known_when_a_layer_is_made():
    with pytest.raises(ArgumentError, match=r"unknown initializer 'hee_normal'\. Did you mean 'he_normal'"):
        Dense(3, initializer="hee_normal")
    with pytest.raises(ArgumentError, match=r"unknown initializer 'oens'\. Did you mean 'ones'"):
        Parameter((3,), "oens")
