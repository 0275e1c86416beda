"""Activations as functions: values and first derivatives against PyTorch, and against differences where it has none."""

from math import prod

import numpy as np
import pytest

from nnkit.functional import grad, trace
from nnkit.graph import interpret
from nnkit.nn.activations import ACTIVATIONS, elu, hard_shrink, leaky_relu, sparsemax, squareplus, threshold
from nnkit.ops import namespace
from tests.peers import LIBRARIES, array_of, as_numpy, keras, peer

# Away from kinks, of both signs, and on both sides of every bound.
POINTS = np.random.default_rng(0).normal(scale=3.0, size=(8, 6))

IN_TORCH = {
    "identity": lambda t, F, x: x * 1.0,
    "relu": lambda t, F, x: F.relu(x),
    "relu6": lambda t, F, x: F.relu6(x),
    "leaky_relu": lambda t, F, x: F.leaky_relu(x),
    "threshold": lambda t, F, x: F.threshold(x, 1.0, 0.0),
    "elu": lambda t, F, x: F.elu(x),
    "celu": lambda t, F, x: F.celu(x),
    "selu": lambda t, F, x: F.selu(x),
    "gelu": lambda t, F, x: F.gelu(x),
    "gelu_tanh": lambda t, F, x: F.gelu(x, approximate="tanh"),
    "silu": lambda t, F, x: F.silu(x),
    "mish": lambda t, F, x: F.mish(x),
    "hard_swish": lambda t, F, x: F.hardswish(x),
    "sigmoid": lambda t, F, x: t.sigmoid(x),
    "log_sigmoid": lambda t, F, x: F.logsigmoid(x),
    "hard_sigmoid": lambda t, F, x: F.hardsigmoid(x),
    "tanh": lambda t, F, x: t.tanh(x),
    "hard_tanh": lambda t, F, x: F.hardtanh(x),
    "softsign": lambda t, F, x: F.softsign(x),
    "softplus": lambda t, F, x: t.logaddexp(x, t.zeros_like(x)),
    "exponential": lambda t, F, x: t.exp(x),
    "soft_shrink": lambda t, F, x: F.softshrink(x),
    "hard_shrink": lambda t, F, x: F.hardshrink(x),
    "tanh_shrink": lambda t, F, x: F.tanhshrink(x),
    "softmax": lambda t, F, x: F.softmax(x, dim=-1),
    "log_softmax": lambda t, F, x: F.log_softmax(x, dim=-1),
    "glu": lambda t, F, x: F.glu(x, dim=-1),
}


def simplex(t, F, x):
    """The projection of Martins and Astudillo's algorithm 1: τ from the support, by sorting."""
    falling = x.sort(dim=-1, descending=True).values
    size = (1 + t.arange(1, x.shape[-1] + 1) * falling > falling.cumsum(-1)).sum(-1, keepdim=True)
    tau = (falling.cumsum(-1).gather(-1, size - 1) - 1) / size
    return F.relu(x - tau)


# What PyTorch has not, written out there: its derivatives are PyTorch's.
WRITTEN = {
    "squareplus": lambda t, F, x: (x + (x * x + 4.0).sqrt()) / 2.0,
    "sparsemax": simplex,
    "maxout": lambda t, F, x: x.unflatten(-1, (-1, 2)).amax(-1),
}
PEERS = IN_TORCH | WRITTEN
ROWS = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
PEER_ROWS = pytest.mark.parametrize("name", sorted(PEERS))


def in_torch(name, x):
    torch = peer("torch")
    return PEERS[name](torch, torch.nn.functional, x)


def weighted_sum(function):
    """A number that depends on every value of ``function`` differently, so that all derivatives show."""

    def total(x):
        value = function(x)
        xp = namespace(x)
        weights = xp.reshape(xp.arange(prod(value.shape), dtype=value.dtype, device=x.device), value.shape)
        return xp.sum(value * (weights * 0.1 + 1.0))

    return total


def differences(function, x, width=1e-6):
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = width
        slopes[place] = (function(x + step) - function(x - step)) / (2 * width)
    return slopes


@PEER_ROWS
def test_value_agrees_with_torch(name):
    expected = in_torch(name, peer("torch").asarray(POINTS)).numpy()
    np.testing.assert_allclose(ACTIVATIONS[name].function(POINTS), expected, rtol=1e-13, atol=2e-15)


@PEER_ROWS
def test_derivative_agrees_with_torch(name):
    x = peer("torch").asarray(POINTS).requires_grad_()
    weighted_sum(lambda x: in_torch(name, x))(x).backward()
    ours = grad(weighted_sum(ACTIVATIONS[name].function))(POINTS)
    rtol = 1e-7 if name == "hard_sigmoid" else 1e-12  # torch has 1/6 in float32 there
    np.testing.assert_allclose(ours, x.grad.numpy(), rtol=rtol, atol=1e-14)


def test_squareplus_agrees_with_keras():
    """Its numbers are in float32; its sparsemax sums the wrong values and is no distribution."""
    theirs = keras("activations").squareplus(peer("jax.numpy").asarray(POINTS))
    np.testing.assert_allclose(squareplus(POINTS), np.asarray(theirs), rtol=1e-6, atol=1e-6)


@ROWS
def test_derivative_agrees_with_differences(name):
    function = weighted_sum(ACTIVATIONS[name].function)
    np.testing.assert_allclose(grad(function)(POINTS), differences(function, POINTS), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["elu", "celu", "selu", "gelu", "silu", "mish", "softplus", "squareplus", "tanh_shrink"]
)
def test_second_derivative_agrees_with_differences(name):
    x = np.asarray([-3.0, -0.5, 0.25, 2.0])
    slope = grad(lambda x: namespace(x).sum(ACTIVATIONS[name].function(x)))
    second = grad(lambda x: namespace(x).sum(slope(x)))
    np.testing.assert_allclose(second(x), (slope(x + 1e-6) - slope(x - 1e-6)) / 2e-6, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("library", LIBRARIES)
@ROWS
def test_every_library_agrees_and_float32_stays(name, library):
    x = POINTS.astype(np.float32)
    function = ACTIVATIONS[name].function
    value = as_numpy(function(array_of(library, x)))
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, function(POINTS), rtol=2e-5, atol=2e-6)


@ROWS
def test_traced_is_eager(name):
    function = ACTIVATIONS[name].function
    x = POINTS.astype(np.float32)
    graph = trace(function, x)
    assert {node.dtype for _, node in graph} <= {"float32", "int64", "bool"}
    traced = interpret(graph, namespace(x), {"0": x})["value"]
    np.testing.assert_array_equal(traced, function(x))


def infinity_is_undefined(name, x):
    """Gates are 0 · ∞ at −∞, and ratios of infinities are none."""
    return (name in ("gelu", "gelu_tanh", "silu", "mish", "hard_swish", "glu") and x == -np.inf) or name in (
        "softsign",
        "tanh_shrink",
    )


@pytest.mark.parametrize("x", [-np.inf, -1e4, -100.0, 100.0, 1e4, np.inf])
@pytest.mark.parametrize("name", sorted(IN_TORCH.keys() - {"softmax", "log_softmax", "glu"}))
def test_extremes_agree_with_torch(name, x):
    if np.isinf(x) and infinity_is_undefined(name, x):
        return
    with np.errstate(over="ignore"):
        ours = ACTIVATIONS[name].function(np.asarray([x]))
    expected = in_torch(name, peer("torch").asarray([x], dtype=peer("torch").float64)).numpy()
    rounding = 1e-30 if np.isinf(x) else 4e-16 * abs(x)
    np.testing.assert_allclose(ours, expected, rtol=1e-13, atol=rounding)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS.keys() - {"exponential"}))
def test_far_out_value_and_derivative_are_finite_without_a_warning(name, dtype):
    x = np.asarray([[-1e4, 1e4, -100.0, 100.0, -1e4, 0.0]], dtype=dtype)
    assert np.isfinite(ACTIVATIONS[name].function(x)).all()
    assert np.isfinite(grad(weighted_sum(ACTIVATIONS[name].function))(x)).all()


@ROWS
def test_nan_stays_nan(name):
    with np.errstate(invalid="ignore"):
        value = ACTIVATIONS[name].function(np.asarray([[np.nan, np.nan]]))
    assert np.isnan(value).all()


@pytest.mark.parametrize(
    ("name", "x", "slope"),
    [
        ("relu", 0.0, 0.0),
        ("relu6", 0.0, 0.0),
        ("relu6", 6.0, 0.0),
        ("leaky_relu", 0.0, 0.01),
        ("threshold", 1.0, 0.0),
        ("elu", 0.0, 1.0),
        ("celu", 0.0, 1.0),
        ("selu", 0.0, 1.0507009873554805 * 1.6732632423543772),
        ("hard_tanh", 1.0, 0.0),
        ("hard_tanh", -1.0, 0.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("hard_sigmoid", -3.0, 0.0),
        ("soft_shrink", 0.5, 0.0),
        ("soft_shrink", -0.5, 0.0),
        ("hard_shrink", 0.5, 0.0),
        ("softplus", 0.0, 0.5),
        ("softsign", 0.0, 1.0),
        ("squareplus", 0.0, 0.5),
    ],
)
def test_derivative_at_a_kink(name, x, slope):
    ours = grad(lambda x: namespace(x).sum(ACTIVATIONS[name].function(x)))(np.asarray([x]))
    assert ours.item() == pytest.approx(slope, rel=1e-15)
    theirs = peer("torch").asarray([x], dtype=peer("torch").float64).requires_grad_()
    in_torch(name, theirs).sum().backward()
    assert theirs.grad.item() == pytest.approx(slope, rel=1e-15)


def test_parameters_agree_with_torch():
    functional, x = peer("torch").nn.functional, peer("torch").asarray(POINTS)
    celu = ACTIVATIONS["celu"].function
    for ours, theirs in (
        (leaky_relu(POINTS, slope=1.5), functional.leaky_relu(x, 1.5)),
        (threshold(POINTS, threshold=-0.5, value=3.0), functional.threshold(x, -0.5, 3.0)),
        (elu(POINTS, alpha=0.3), functional.elu(x, 0.3)),
        (celu(POINTS, alpha=2.5), functional.celu(x, 2.5)),
        (hard_shrink(POINTS, threshold=2.0), functional.hardshrink(x, 2.0)),
    ):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-14)


def test_squareplus_keeps_its_digits_on_the_left():
    np.testing.assert_allclose(squareplus(np.asarray([-1e4, -1e8])), [9.9999999000000020e-05, 1e-8], rtol=1e-12)


def test_sparsemax_is_the_projection_on_the_simplex():
    for x in POINTS:
        taus = [(np.sort(x)[-k:].sum() - 1) / k for k in range(1, x.size + 1)]
        projections = [np.maximum(x - tau, 0) for tau in taus]
        valid = [p for p in projections if abs(p.sum() - 1) < 1e-12]
        nearest = min(valid, key=lambda p: np.square(p - x).sum())
        np.testing.assert_allclose(sparsemax(x), nearest, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
def test_a_common_shift_changes_nothing(name):
    x = np.round(POINTS * 1024) / 1024  # so that adding a million is exact
    function = ACTIVATIONS[name].function
    np.testing.assert_array_equal(function(x + 1e6), function(x))
