"""The table of activations: names, domains, initialisers and errors."""

from functools import partial

import numpy as np
import pytest

from nnkit.errors import ArgumentError, ShapeError
from nnkit.nn import activations
from nnkit.nn.activations import ACTIVATIONS, ALIASES, MODULES, Row, get, glu, leaky_relu, maxout

EXPECTED = """
    identity relu relu6 leaky_relu prelu elu celu selu gelu gelu_tanh silu mish sigmoid hard_sigmoid hard_swish tanh
    hard_tanh softplus softsign softmax log_softmax log_sigmoid tanh_shrink soft_shrink hard_shrink threshold
    exponential squareplus sparsemax glu maxout
"""


def test_every_expected_name_is_there_and_exported():
    assert ACTIVATIONS.keys() | MODULES.keys() == set(EXPECTED.split())
    for name, row in ACTIVATIONS.items():
        assert row.name == name
        assert getattr(activations, name) is row.function


def test_aliases_name_rows():
    assert set(ALIASES.values()) <= ACTIVATIONS.keys()
    assert not ALIASES.keys() & ACTIVATIONS.keys()


@pytest.mark.parametrize(
    ("name", "initializer"), [("relu", "he_normal"), ("selu", "lecun_normal"), ("tanh", "glorot_uniform")]
)
def test_initializers(name, initializer):
    assert get(name).initializer == initializer


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_values_lie_in_the_domain(name):
    row = ACTIVATIONS[name]
    value = row.function(np.random.default_rng(1).normal(scale=4.0, size=(50, 6)))
    if row.domain == "positive":
        assert (value > 0).all()
    elif row.domain in ("probability", "distribution"):
        assert ((value >= 0) & (value <= 1)).all()
    if row.domain == "log_distribution":
        value = np.exp(value)
    if row.domain.endswith("distribution"):
        np.testing.assert_allclose(value.sum(axis=-1), 1.0, rtol=1e-14)


@pytest.mark.parametrize(("alias", "name"), [("swish", "silu"), ("Linear", "identity"), ("leaky-relu", "leaky_relu")])
def test_get_understands_aliases_and_spellings(alias, name):
    assert get(alias) is ACTIVATIONS[name]


def test_get_of_functions_and_rows():
    assert get(leaky_relu) == ACTIVATIONS["leaky_relu"]
    bound = partial(leaky_relu, slope=0.2)
    assert get(bound) == Row("leaky_relu", bound, "he_normal")
    assert get(np.sin).name == "sin"
    assert get(np.sin).domain == "any"
    row = Row("mine", np.sin, domain="probability")
    assert get(row) is row


def test_errors_of_get():
    with pytest.raises(ArgumentError, match=r"unknown activation 'rleu'. Did you mean 'relu'"):
        get("rleu")
    with pytest.raises(ArgumentError, match="'prelu' has parameters of its own; add it as a module"):
        get("prelu")
    with pytest.raises(ArgumentError, match="activation must be a name or an object of that kind, got 3"):
        get(3)


def test_the_last_axis_must_divide():
    with pytest.raises(
        ShapeError, match=r"glu: divides the last axis by 2, but the input of shape \(4, 3\) has 3 units"
    ):
        glu(np.zeros((4, 3)))
    with pytest.raises(ShapeError, match=r"maxout: divides the last axis by 3, .* a multiple of 3 units"):
        maxout(np.zeros((4, 4)), pieces=3)
    with pytest.raises(ShapeError, match=r"maxout: .* has no axis"):
        maxout(np.asarray(1.0))
    with pytest.raises(ArgumentError, match="maxout: pieces is 0, expected a whole number from 1 up"):
        maxout(np.zeros((4, 4)), pieces=0)


def test_maxout_groups_neighbours():
    assert maxout(np.asarray([[1.0, 5.0, 2.0, 3.0, -1.0, 0.0]]), pieces=3).tolist() == [[5.0, 3.0]]


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in ("glu", "maxout")])
def test_the_bounds_hold_and_are_reached(name: str) -> None:
    x = np.linspace(-500.0, 500.0, 400_001)
    values = ACTIVATIONS[name].function(x)
    least, most = ACTIVATIONS[name].bounds
    assert least <= values.min()
    assert values.max() <= most
    assert np.isinf(least) == (values.min() < -4)
    assert np.isinf(most) == (values.max() > 6)
    if name not in ("softmax", "log_softmax", "sparsemax"):  # which see all of x as one row
        assert np.isinf(least) or values.min() - least < 0.003
        assert np.isinf(most) or most - values.max() < 0.003
