"""Losses: values and derivatives against other libraries, on predictions and on values before the output activation."""

import numpy as np
import pytest

from nnkit.functional import grad, trace
from nnkit.graph import interpret
from nnkit.losses import BinaryCrossEntropy, CrossEntropy, get
from nnkit.nn.activations import ACTIVATIONS, log_softmax
from nnkit.ops import namespace
from tests.losses.cases import BINARY, CASES, COUNTS, LABELS, OUTPUTS, ROWS, SHARES, Z
from tests.peers import LIBRARIES, array_of, as_numpy, peer

EVERY_CASE = pytest.mark.parametrize("case", CASES)


@EVERY_CASE
def test_value_and_derivative_agree_with_another_library(case, monkeypatch):
    found = CASES[case]
    expected, slopes = {"torch": by_torch, "keras": by_keras}[found.library](found, monkeypatch)
    rows = found.ours(found.z, found.target)
    assert rows.shape == (ROWS,)
    exact = found.library == "torch"
    np.testing.assert_allclose(rows.mean(), expected, rtol=1e-12 if exact else 2e-7)
    slope = grad(lambda z, t: namespace(z).mean(found.ours(z, t)))(found.z, found.target)
    np.testing.assert_allclose(slope, slopes, rtol=1e-11 if exact else 1e-6, atol=1e-14 if exact else 1e-7)


def by_torch(case, monkeypatch):
    torch = peer("torch")
    z = torch.asarray(case.z.copy()).requires_grad_()
    value = case.theirs(torch, z, torch.asarray(case.target)).mean()
    value.backward()
    return value.item(), z.grad.numpy()


def by_keras(case, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    jax, keras = peer("jax"), peer("keras")
    if keras.backend.backend() != "jax":
        pytest.skip("Keras was loaded with another backend")
    target, usual = jax.numpy.asarray(case.target), keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        theirs = lambda z: case.theirs(keras.losses, z, target).mean()  # noqa: E731
        value, slope = jax.value_and_grad(theirs)(jax.numpy.asarray(case.z))
    finally:
        keras.config.set_floatx(usual)
    return float(value), np.asarray(slope)


@pytest.mark.parametrize("library", LIBRARIES)
@EVERY_CASE
def test_every_library_agrees_and_float32_stays(case, library):
    found = CASES[case]
    z = found.z.astype(np.float32)
    t = found.target.astype(np.float32 if found.target.dtype.kind == "f" else np.int32)
    rows = as_numpy(found.ours(array_of(library, z), array_of(library, t)))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, found.ours(found.z, found.target), rtol=2e-5, atol=1e-5)


@EVERY_CASE
def test_traced_is_eager_and_gathers_nothing(case):
    found = CASES[case]
    graph = trace(found.ours, found.z, found.target)
    assert "take" not in {node.operation for _, node in graph} or case == "triplet, all"
    traced = interpret(graph, namespace(found.z), {"0": found.z, "1": found.target})["value"]
    np.testing.assert_array_equal(traced, found.ours(found.z, found.target))


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


@EVERY_CASE
def test_nan_is_seen(case):
    found = CASES[case]
    with np.errstate(invalid="ignore"):
        assert np.isnan(found.ours(np.full_like(found.z, np.nan), found.target)).all()


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
