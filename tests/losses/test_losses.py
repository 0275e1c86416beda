"""Losses: values and derivatives against PyTorch, on predictions and on the values before the output activation."""

import numpy as np
import pytest

from nnkit.functional import grad, trace
from nnkit.graph import interpret
from nnkit.losses import LOSSES, BinaryCrossEntropy, CrossEntropy, Huber, get
from nnkit.nn.activations import ACTIVATIONS, log_softmax, sigmoid, softmax
from nnkit.ops import namespace
from tests.peers import LIBRARIES, array_of, as_numpy, peer

RNG = np.random.default_rng(0)
ROWS, OUTPUTS = 7, 5
Z = RNG.normal(scale=3.0, size=(ROWS, OUTPUTS))
NUMBERS = RNG.normal(size=(ROWS, OUTPUTS))
BINARY = RNG.integers(2, size=(ROWS, OUTPUTS)).astype(np.float64)
COUNTS = RNG.integers(6, size=(ROWS, OUTPUTS)).astype(np.float64)
LABELS = RNG.integers(OUTPUTS, size=ROWS)
SHARES = RNG.dirichlet(np.ones(OUTPUTS), size=ROWS)

# (our function of z and targets, targets, the same in torch)
CASES = {
    "mean_squared_error": (get("mse"), NUMBERS, lambda F, z, t: F.mse_loss(z, t)),
    "mean_absolute_error": (get("mae"), NUMBERS, lambda F, z, t: F.l1_loss(z, t)),
    "huber": (get("huber"), NUMBERS, lambda F, z, t: F.huber_loss(z, t)),
    "huber, delta 2.5": (Huber(2.5), NUMBERS, lambda F, z, t: F.huber_loss(z, t, delta=2.5)),
    "binary, probabilities": (
        lambda z, t: get("bce")(sigmoid(z), t),
        BINARY,
        lambda F, z, t: F.binary_cross_entropy(F.sigmoid(z), t),
    ),
    "binary, paired": (
        get("bce").paired["sigmoid"],
        BINARY,
        lambda F, z, t: F.binary_cross_entropy_with_logits(z, t),
    ),
    "classes, probabilities": (
        lambda z, t: get("ce")(softmax(z), t),
        LABELS,
        lambda F, z, t: F.nll_loss(F.log_softmax(z, -1), t),
    ),
    "classes, labels": (get("ce").paired["softmax"], LABELS, lambda F, z, t: F.cross_entropy(z, t)),
    "classes, shares": (get("ce").paired["log_softmax"], SHARES, lambda F, z, t: F.cross_entropy(z, t)),
    "classes, smoothed labels": (
        CrossEntropy(label_smoothing=0.2).paired["softmax"],
        LABELS,
        lambda F, z, t: F.cross_entropy(z, t, label_smoothing=0.2),
    ),
    "classes, smoothed shares": (
        CrossEntropy(label_smoothing=0.2).paired["softmax"],
        SHARES,
        lambda F, z, t: F.cross_entropy(z, t, label_smoothing=0.2),
    ),
    "classes, smoothed probabilities": (
        lambda z, t: CrossEntropy(label_smoothing=0.2)(softmax(z), t),
        SHARES,
        lambda F, z, t: F.cross_entropy(z, t, label_smoothing=0.2),
    ),
    "poisson": (
        lambda z, t: get("poisson")(namespace(z).exp(z), t),
        COUNTS,
        lambda F, z, t: F.poisson_nll_loss(z.exp(), t, log_input=False, eps=0),
    ),
    "poisson, paired": (get("poisson").paired["exponential"], COUNTS, lambda F, z, t: F.poisson_nll_loss(z, t)),
}
EVERY_CASE = pytest.mark.parametrize("case", CASES)


def average(function, target):
    return lambda z: namespace(z).mean(function(z, target(z) if callable(target) else target))


@EVERY_CASE
def test_value_and_derivative_agree_with_torch(case):
    function, target, theirs = CASES[case]
    torch = peer("torch")
    z = torch.asarray(Z).requires_grad_()
    expected = theirs(torch.nn.functional, z, torch.asarray(target))
    expected.backward()

    rows = function(Z, target)
    assert rows.shape == (ROWS,)
    np.testing.assert_allclose(rows.mean(), expected.item(), rtol=1e-13)
    slope = grad(lambda z, t: namespace(z).mean(function(z, t)))(Z, target)
    np.testing.assert_allclose(slope, z.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("library", LIBRARIES)
@EVERY_CASE
def test_every_library_agrees_and_float32_stays(case, library):
    function, target, _ = CASES[case]
    z = Z.astype(np.float32)
    t = target.astype(np.int32 if target is LABELS else np.float32)
    rows = as_numpy(function(array_of(library, z), array_of(library, t)))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, function(Z, target), rtol=2e-5, atol=1e-5)


@EVERY_CASE
def test_traced_is_eager_and_gathers_nothing(case):
    function, target, _ = CASES[case]
    graph = trace(function, Z, target)
    assert "take" not in {node.operation for _, node in graph}
    np.testing.assert_array_equal(interpret(graph, namespace(Z), {"0": Z, "1": target})["value"], function(Z, target))


@pytest.mark.parametrize(
    ("loss", "activation", "target"),
    [
        ("binary_cross_entropy", "sigmoid", BINARY),
        ("cross_entropy", "softmax", LABELS),
        ("cross_entropy", "softmax", SHARES),
        ("poisson", "exponential", COUNTS),
    ],
)
def test_canonical_pairs(loss, activation, target):
    """Equal to the loss after the activation, with the derivative (prediction − target) / count."""
    paired, function = get(loss).paired[activation], ACTIVATIONS[activation].function
    np.testing.assert_allclose(paired(Z, target), get(loss)(function(Z), target), rtol=1e-10)
    slope = grad(lambda z, t: namespace(z).sum(paired(z, t)))(Z, target)
    expected = function(Z) - (np.eye(OUTPUTS)[LABELS] if target is LABELS else target)
    np.testing.assert_allclose(slope, expected / (1 if loss == "cross_entropy" else OUTPUTS), rtol=1e-12, atol=1e-15)


def test_log_softmax_pairs_like_softmax():
    paired = get("ce").paired
    np.testing.assert_array_equal(paired["log_softmax"](Z, LABELS), paired["softmax"](Z, LABELS))
    np.testing.assert_allclose(paired["softmax"](Z, LABELS), -log_softmax(Z)[range(ROWS), LABELS], rtol=1e-14)


@pytest.mark.parametrize("target", [LABELS, SHARES])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_unchanged_when_logits_shift_by_a_million(target, smoothing):
    z = np.round(Z * 1024) / 1024  # so that the shift itself is exact
    paired = CrossEntropy(smoothing).paired["softmax"]
    np.testing.assert_array_equal(paired(z + 1e6, target), paired(z, target))


def test_saturated_logits_have_exact_losses_and_useful_derivatives():
    z, t = np.asarray([[-1e4], [1e4], [-1e4], [1e4]]), np.asarray([[0.0], [1.0], [1.0], [0.0]])
    paired = get("bce").paired["sigmoid"]
    assert paired(z, t).tolist() == [0.0, 0.0, 1e4, 1e4]
    assert grad(lambda z, t: namespace(z).sum(paired(z, t)))(z, t).ravel().tolist() == [0.0, 0.0, -1.0, 1.0]

    z = np.asarray([[1e4, -1e4], [1e4, -1e4]])
    paired, labels = get("ce").paired["softmax"], np.asarray([0, 1])
    assert paired(z, labels).tolist() == [0.0, 2e4]
    assert grad(lambda z, t: namespace(z).sum(paired(z, t)))(z, labels).tolist() == [[0.0, 0.0], [1.0, -1.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_certain_and_wrong_probabilities_cost_much_but_not_infinity(dtype):
    wrong, right = np.asarray([[0.0, 1.0]], dtype=dtype), np.asarray([[1.0, 0.0]], dtype=dtype)
    most = -float(np.log(np.finfo(dtype).smallest_normal))
    for loss in (BinaryCrossEntropy(), CrossEntropy()):
        assert loss(wrong, right).item() == pytest.approx(most)
        assert loss(right, right).item() == 0.0
        assert np.isfinite(grad(lambda p, t, loss=loss: namespace(p).sum(loss(p, t)))(wrong, right)).all()


@pytest.mark.parametrize("name", LOSSES)
def test_nan_is_seen(name):
    prediction = np.full((2, 3), np.nan)
    assert np.isnan(get(name)(prediction, np.zeros((2, 3)))).all()
    for paired in get(name).paired.values():
        with np.errstate(invalid="ignore"):
            assert np.isnan(paired(prediction, np.zeros((2, 3)))).all()


def test_rows_are_means_over_all_other_axes():
    prediction, target = np.ones((2, 3, 4)), np.zeros((2, 3, 4))
    assert get("mse")(prediction, target).tolist() == [1.0, 1.0]
    assert get("mse")(np.asarray([1.0, 3.0]), np.asarray([0.0, 0.0])).tolist() == [1.0, 9.0]
    labels = np.asarray([[0, 1, 2], [3, 0, 1]])
    np.testing.assert_allclose(get("ce").paired["softmax"](prediction, labels), [np.log(4)] * 2)


def test_integer_and_boolean_targets_are_converted():
    prediction = np.full((2, 1), 0.5, dtype=np.float32)
    for target in (np.asarray([[0], [1]]), np.asarray([[False], [True]]), np.asarray([[0.0], [1.0]])):
        rows = get("bce")(prediction, target)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, np.log(2), rtol=1e-6)
