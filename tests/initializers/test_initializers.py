"""Initialisers: their distributions, their sources of randomness, names, configurations and errors."""

import hashlib
import json

import numpy as np
import pytest

from nnkit import initializers
from nnkit.errors import ArgumentError, ShapeError
from nnkit.initializers import (
    ALIASES,
    INITIALIZERS,
    Constant,
    Identity,
    Normal,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    fans,
    from_config,
    generator,
    get,
)
from nnkit.nn.activations import ACTIVATIONS, MODULES
from tests.peers import peer

IN, OUT = 300, 200


def draw(initializer, shape=(IN, OUT)):
    return get(initializer)(shape, generator(0, "test"))


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_normal", 2 / (IN + OUT)),
        ("glorot_uniform", 2 / (IN + OUT)),
        ("he_normal", 2 / IN),
        ("he_uniform", 2 / IN),
        ("lecun_normal", 1 / IN),
        ("lecun_uniform", 1 / IN),
        (VarianceScaling(3.0, "fan_out", "uniform"), 3 / OUT),
        (VarianceScaling(2.0, "fan_in", "truncated_normal"), 2 / IN),
        (Normal(0.02), 0.02**2),
        (Uniform(-0.5, 0.5), 1 / 12),
        (TruncatedNormal(1.0), 0.7737413),
    ],
)
def test_mean_and_variance(name, variance):
    values = draw(name)
    assert values.dtype == np.float64
    assert values.shape == (IN, OUT)
    deviation = np.sqrt(variance)
    assert abs(values.mean()) < 5 * deviation / np.sqrt(values.size)
    assert values.var() == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("glorot_uniform", np.sqrt(6 / (IN + OUT))),
        ("he_uniform", np.sqrt(6 / IN)),
        ("lecun_uniform", np.sqrt(3 / IN)),
        (TruncatedNormal(0.5), 1.0),
        (VarianceScaling(1.0, "fan_in", "truncated_normal"), 2 / np.sqrt(IN) / 0.8796256610342398),
    ],
)
def test_bounds_are_kept_and_reached(name, bound):
    assert 0.99 * bound < abs(draw(name)).max() <= bound


@pytest.mark.parametrize(
    ("name", "in_torch"),
    [
        ("glorot_normal", "xavier_normal_"),
        ("glorot_uniform", "xavier_uniform_"),
        ("he_normal", "kaiming_normal_"),
        ("he_uniform", "kaiming_uniform_"),
    ],
)
def test_spread_agrees_with_torch(name, in_torch):
    torch = peer("torch")
    torch.manual_seed(0)
    options = {"nonlinearity": "relu"} if "kaiming" in in_torch else {}
    theirs = getattr(torch.nn.init, in_torch)(torch.empty(OUT, IN, dtype=torch.float64), **options)
    assert draw(name).std() == pytest.approx(theirs.std().item(), rel=0.02)


def test_means_move():
    assert draw(Normal(0.1, mean=3.0)).mean() == pytest.approx(3.0, abs=0.01)
    assert draw(TruncatedNormal(0.1, mean=3.0)).mean() == pytest.approx(3.0, abs=0.01)
    assert draw(Uniform(2.0, 4.0)).mean() == pytest.approx(3.0, abs=0.02)


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (6, 6), (2, 3, 4), (1, 2, 9)])
def test_orthogonal(shape):
    values = draw(Orthogonal(gain=2.0), shape)
    assert values.shape == shape
    matrix = values.reshape(-1, shape[-1])
    rows, columns = matrix.shape
    product = matrix.T @ matrix if rows >= columns else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(min(rows, columns)), atol=1e-14)


def test_orthogonal_signs_are_fair():
    """Without the correction of signs the first element of a 1 × 1 matrix would always have the same one."""
    signs = [Orthogonal()((1, 1), generator(seed, "x")).item() for seed in range(40)]
    assert {round(sign) for sign in signs} == {-1, 1}


def test_without_randomness():
    assert draw("zeros", (2, 2)).tolist() == [[0, 0], [0, 0]]
    assert draw("ones", (3,)).tolist() == [1, 1, 1]
    assert draw(Constant(0.5), ()).tolist() == 0.5
    assert draw(Identity(2.0), (2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]


def test_fans():
    assert fans((784, 128)) == (784, 128)
    assert fans((3, 3, 16, 32)) == (144, 32)
    assert fans((10,)) == (1, 10)
    assert fans(()) == (1, 1)
    assert draw("he_normal", (0, 4)).shape == (0, 4)


def test_generator_depends_on_seed_and_path_only():
    def numbers(seed, path):
        return generator(seed, path).random(4).tolist()

    assert numbers(3, "layers.0.weight") == numbers(3, "layers.0.weight")
    assert numbers(3, "layers.0.weight") != numbers(4, "layers.0.weight")
    assert numbers(3, "layers.0.weight") != numbers(3, "layers.1.weight")


def test_generator_is_what_it_says():
    """The recipe, spelled out, and numbers that it gave when it was written: they must never change."""
    words = [int.from_bytes(hashlib.sha256(b"a.b").digest()[i : i + 4], "little") for i in range(0, 32, 4)]
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence([7, *words]))).random(3)
    np.testing.assert_array_equal(generator(7, "a.b").random(3), expected)
    assert generator(0, "layers.0.weight").integers(1000, size=3).tolist() == [631, 220, 203]


EXPECTED = """
    zeros ones constant uniform normal truncated_normal variance_scaling glorot_normal glorot_uniform he_normal
    he_uniform lecun_normal lecun_uniform orthogonal identity
"""


def test_every_expected_name_is_there():
    assert INITIALIZERS.keys() == set(EXPECTED.split())
    for alias, name in (("xavier", "glorot_uniform"), ("kaiming", "he_normal"), ("trunc_normal", "truncated_normal")):
        assert get(alias) == get(name)


def test_names():
    assert set(ALIASES.values()) <= INITIALIZERS.keys()
    assert not ALIASES.keys() & INITIALIZERS.keys()
    for name in INITIALIZERS:
        assert type(get(name)).__name__ in initializers.__all__
    needed = {row.initializer for row in ACTIVATIONS.values()} | set(MODULES.values())
    assert needed <= INITIALIZERS.keys()
    normal = Normal(0.02)
    assert get(normal) is normal


@pytest.mark.parametrize("name", INITIALIZERS)
def test_config_survives_json(name):
    assert from_config(json.loads(json.dumps(get(name).config()))) == get(name)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: get("he_norml"), ArgumentError, "unknown initializer 'he_norml'. Did you mean 'he_normal'"),
        (lambda: Constant("1"), ArgumentError, "Constant: value is '1'"),
        (lambda: Identity(float("inf")), ArgumentError, "Identity: gain is inf"),
        (lambda: draw("identity", (3,)), ShapeError, r"'identity' makes matrices, .* asked for shape \(3,\)"),
        (lambda: Normal(-1), ArgumentError, r"Normal: std is -1, expected a number in \[0, inf\)"),
        (lambda: Normal(mean="0"), ArgumentError, "Normal: mean is '0'"),
        (lambda: TruncatedNormal(-1), ArgumentError, "TruncatedNormal: std is -1"),
        (lambda: TruncatedNormal(mean=None), ArgumentError, "TruncatedNormal: mean is None"),
        (lambda: Uniform(low=None), ArgumentError, "Uniform: low is None"),
        (lambda: Uniform(high=None), ArgumentError, "Uniform: high is None"),
        (lambda: Uniform(2, 1), ArgumentError, "Uniform: low is 2, above high, 1"),
        (lambda: VarianceScaling(0), ArgumentError, "VarianceScaling: scale is 0"),
        (lambda: VarianceScaling(mode="in"), ArgumentError, "VarianceScaling: mode is 'in', expected one of fan_in, "),
        (
            lambda: VarianceScaling(distribution="t"),
            ArgumentError,
            "distribution is 't', expected one of normal, truncated_normal, uniform",
        ),
        (lambda: Orthogonal(True), ArgumentError, "Orthogonal: gain is True"),
        (lambda: draw("orthogonal", (3,)), ShapeError, r"'orthogonal' needs two axes or more; .* \(3,\)"),
        (lambda: generator(-1, "x"), ArgumentError, "generator: seed is -1, expected a whole number from 0 up"),
        (lambda: from_config({"name": "he_normal"}), ArgumentError, "unknown initializer 'he_normal'"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
