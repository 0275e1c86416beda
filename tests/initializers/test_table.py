"""Every initialiser by name: SciPy's distribution or PyTorch's matrix, drawn in float64, for networks of any dtype."""

from math import sqrt

import numpy as np
import pytest

import nnkit
from nnkit.initializers import INITIALIZERS, generator, get
from tests.peers import peer

IN, OUT = 300, 200
# The distribution in scipy.stats with its parameters, written from the papers.
DISTRIBUTIONS = {
    "uniform": ("uniform", -0.05, 0.1),
    "normal": ("norm", 0.0, 0.05),
    "truncated_normal": ("truncnorm", -2.0, 2.0, 0.0, 0.05),
    "variance_scaling": ("norm", 0.0, sqrt(1 / IN)),
    "glorot_normal": ("norm", 0.0, sqrt(2 / (IN + OUT))),
    "glorot_uniform": ("uniform", -sqrt(6 / (IN + OUT)), 2 * sqrt(6 / (IN + OUT))),
    "he_normal": ("norm", 0.0, sqrt(2 / IN)),
    "he_uniform": ("uniform", -sqrt(6 / IN), 2 * sqrt(6 / IN)),
    "lecun_normal": ("norm", 0.0, sqrt(1 / IN)),
    "lecun_uniform": ("uniform", -sqrt(3 / IN), 2 * sqrt(3 / IN)),
}
EXACT = {
    "zeros": lambda t, x: t.nn.init.zeros_(x),
    "ones": lambda t, x: t.nn.init.ones_(x),
    "constant": lambda t, x: t.nn.init.constant_(x, 0.0),
    "identity": lambda t, x: t.nn.init.eye_(x),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_distribution_is_scipys(name):
    """By the test of Kolmogorov and Smirnov, which a spread wrong by 4 % fails."""
    stats = peer("scipy.stats")
    distribution, *numbers = DISTRIBUTIONS[name]
    values = get(name)((IN, OUT), generator(0, name)).ravel()
    assert stats.kstest(values, getattr(stats, distribution)(*numbers).cdf).pvalue > 0.01
    assert stats.kstest(values * 1.04, getattr(stats, distribution)(*numbers).cdf).pvalue < 0.01


@pytest.mark.parametrize("name", EXACT)
def test_what_is_not_random_is_torchs(name):
    torch = peer("torch")
    theirs = EXACT[name](torch, torch.full((4, 3), 7.0, dtype=torch.float64))
    np.testing.assert_array_equal(get(name)((4, 3), generator(0, name)), theirs.numpy())


@pytest.mark.parametrize("name", ["orthogonal"])
def test_every_rotation_is_equally_likely(name):
    """The square of one element of an n × n matrix has the distribution Beta(1/2, (n − 1)/2)."""
    stats = peer("scipy.stats")
    squares = [get(name)((4, 4), generator(seed, name))[1, 2] ** 2 for seed in range(500)]
    assert stats.kstest(squares, stats.beta(0.5, 1.5).cdf).pvalue > 0.01


@pytest.mark.parametrize("name", INITIALIZERS)
def test_drawn_in_double_and_kept_in_the_dtype_of_the_network(name):
    """So that every device and every dtype start from the same weights."""
    path = "layers.0.weight"
    drawn = get(name)((4, 3), generator(5, path))
    assert drawn.dtype == np.float64
    for dtype in ("float32", "float64"):
        net = nnkit.Sequential([nnkit.nn.Dense(3, initializer=name)], (4,), dtype=dtype, seed=5)
        np.testing.assert_array_equal(net.parameters()[path], drawn.astype(dtype), strict=True)
