"""Losses where numbers are extreme, equal or missing."""

import numpy as np
import pytest

from nnkit.functional import grad, trace
from nnkit.losses import BinaryFocal, Focal, GaussianNLL, Quantile, Triplet, get
from nnkit.ops import namespace
from tests.losses.cases import GROUPS, Z, triplets
from tests.peers import peer


def slope(loss, z, t):
    return grad(lambda z, t: namespace(z).sum(loss(z, t)))(np.asarray(z), np.asarray(t))


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 3e-7), (np.float64, 1e-15)])
def test_log_cosh_keeps_the_digits_of_small_errors_and_never_overflows(dtype, rtol):
    e = np.asarray([[1e-12], [1e-6], [0.01], [1.0], [19.9], [20.0], [50.0], [1e30]], dtype=dtype)
    wide = e.astype(np.float64)
    near, series = np.minimum(wide, 300), np.minimum(wide, 1) ** 2
    series = series / 2 - series**2 / 12 + series**3 / 45
    expected = np.where(wide < 0.02, series, np.where(wide < 300, np.log(np.cosh(near)), wide - np.log(2)))
    loss, zero = get("log_cosh"), np.zeros_like(e)
    for sign in (1, -1):
        found = loss(sign * e, zero)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected[:, 0], rtol=max(rtol, 1e-13))
        np.testing.assert_allclose(slope(loss, sign * e, zero), sign * np.tanh(wide), rtol=rtol)


def test_at_the_target_the_slope_of_a_quantile_is_zero():
    assert slope(Quantile(0.9), [[2.0]], [[2.0]]).tolist() == [[0.0]]
    assert slope(Quantile(0.9), [[1.0], [3.0]], [[2.0], [2.0]]).round(12).tolist() == [[-0.9], [0.1]]


def test_the_least_pinball_loss_is_that_of_scikit_learn():
    metrics = peer("sklearn.metrics")
    p, t = Z[:, :1], Z[:, 1:2]
    for tau in (0.1, 0.5, 0.9):
        expected = metrics.mean_pinball_loss(t, p, alpha=tau)
        assert Quantile(tau)(p, t).mean() == pytest.approx(expected, rel=1e-13)
    assert get("mape")(p, t).mean() == pytest.approx(100 * metrics.mean_absolute_percentage_error(t, p), rel=1e-13)
    logs = get("msle")(abs(p), abs(t)).mean()
    assert logs == pytest.approx(metrics.mean_squared_log_error(abs(t), abs(p)), rel=1e-12)


def test_a_percentage_of_nothing_is_large_and_finite():
    assert get("mape")(np.asarray([[1.0], [0.0]]), np.asarray([[0.0], [0.0]])).tolist() == [pytest.approx(1e9), 0.0]
    assert np.isfinite(slope(get("mape"), [[1.0], [0.0]], [[0.0], [0.0]])).all()


def test_logarithms_of_predictions_below_zero_count_as_those_of_zero():
    p, t = np.asarray([[-5.0], [0.0]]), np.asarray([[1.0], [1.0]])
    np.testing.assert_allclose(get("msle")(p, t), np.log(2) ** 2, rtol=1e-15)
    assert slope(get("msle"), p, t)[0] == 0


def test_hinges_read_both_kinds_of_answers_alike():
    answers = np.asarray([[0, 1, 1], [1, 0, 0]])
    for name in ("hinge", "squared_hinge"):
        for kind in (answers, answers.astype(bool), answers.astype(np.float32), 2 * answers - 1):
            rows = get(name)(Z[:2, :3].astype(np.float32), kind)
            assert rows.dtype == np.float32
            np.testing.assert_array_equal(rows, get(name)(Z[:2, :3].astype(np.float32), answers))


def test_classes_of_which_all_lose_by_far():
    z = np.asarray([[-1e30, -1e30, 1e30]], dtype=np.float32)
    assert get("categorical_hinge")(z, np.asarray([2])).tolist() == [0.0]
    assert get("categorical_hinge")(z, np.asarray([0])) == pytest.approx(2e30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_saturated_focal_losses(gamma, dtype):
    """Far on the wrong side they are the cross-entropy, on the right side nothing, and every slope is finite."""
    z, t = np.asarray([[-1e4], [1e4], [-1e4], [1e4]], dtype=dtype), np.asarray([[0.0], [1.0], [1.0], [0.0]])
    binary = BinaryFocal(gamma, alpha=None).paired["sigmoid"]
    assert binary(z, t).tolist() == [0.0, 0.0, 1e4, 1e4]
    np.testing.assert_allclose(slope(binary, z, t).ravel(), [0, 0, -1, 1], atol=1e-6)

    z, labels = np.asarray([[1e4, -1e4], [1e4, -1e4]], dtype=dtype), np.asarray([0, 1])
    classes = Focal(gamma, alpha=1.0).paired["softmax"]
    assert classes(z, labels).tolist() == [0.0, 2e4]
    np.testing.assert_allclose(slope(classes, z, labels), [[0, 0], [1, -1]], atol=1e-6)


def test_without_focus_the_focal_losses_are_cross_entropies():
    t = np.eye(5)[[0, 1, 2, 3, 4, 0, 1]]
    binary, classes = BinaryFocal(0.0, alpha=None), Focal(0.0, alpha=1.0)
    np.testing.assert_allclose(binary.paired["sigmoid"](Z, t), get("bce").paired["sigmoid"](Z, t), rtol=1e-14)
    np.testing.assert_allclose(classes.paired["softmax"](Z, t), get("ce").paired["softmax"](Z, t), rtol=1e-13)
    p = np.full((1, 2), 0.5)
    assert Focal(0.0, 1.0)(p, np.asarray([0])) == get("ce")(p, np.asarray([0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gaussian_with_extreme_variances_is_finite(dtype):
    z = np.asarray([[0.0, -1e4], [0.0, 1e4], [1.0, -1e4]], dtype=dtype)
    t = np.asarray([[0.0], [0.0], [0.0]], dtype=dtype)
    rows = GaussianNLL()(z, t)
    np.testing.assert_allclose(rows, [np.log(1e-6) / 2, 5e3, (np.log(1e-6) + 1e6) / 2], rtol=1e-5)
    assert np.isfinite(slope(GaussianNLL(), z, t)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_the_length_of_vectors_does_not_count(size, dtype):
    p, t = np.asarray([[3.0, 4.0], [1.0, 0.0]], dtype=dtype), np.asarray([[4.0, 3.0], [1.0, 0.0]], dtype=dtype)
    np.testing.assert_allclose(get("cosine")(p * dtype(size), t / dtype(size)), [1 - 24 / 25, 0], atol=3e-7)


def test_a_vector_of_zeros_is_at_right_angles_to_all():
    p, t = np.asarray([[0.0, 0.0], [1.0, 2.0]]), np.asarray([[3.0, 4.0], [0.0, 0.0]])
    assert get("cosine")(p, t).tolist() == [1.0, 1.0]
    assert np.isfinite(slope(get("cosine"), p, t)).all()


TRIPLETS = [Triplet(1.0), Triplet(None), Triplet(1.0, "all")]


@pytest.mark.parametrize("loss", TRIPLETS, ids=str)
def test_rows_without_partners_have_no_triplet(loss):
    for labels in (np.arange(7), np.zeros(7, dtype=int), np.full(7, -1)):
        assert (loss(Z, labels) == 0).all()
        assert (slope(loss, Z, labels) == 0).all()
    assert loss(Z[:1], np.asarray([3])).tolist() == [0.0]


@pytest.mark.parametrize("loss", TRIPLETS, ids=str)
def test_rows_with_labels_below_zero_are_like_rows_that_are_not_there(loss):
    padded = np.concatenate([Z, 100 * Z[:3]])
    labels = np.concatenate([GROUPS, [-1, -1, -1]])
    np.testing.assert_allclose(loss(padded, labels)[:7], loss(Z, GROUPS), rtol=1e-11)
    assert (loss(padded, labels)[7:] == 0).all()


@pytest.mark.parametrize("loss", TRIPLETS, ids=str)
def test_equal_rows_have_finite_slopes(loss):
    same = np.repeat(Z[:1], 4, axis=0)
    rows, labels = loss(same, np.asarray([0, 0, 1, 1])), np.asarray([0, 0, 1, 1])
    np.testing.assert_allclose(rows, np.log(2) if loss.margin is None else 1.0, atol=1e-6)
    assert np.isfinite(slope(loss, same, labels)).all()


def test_shifted_rows_keep_their_distances():
    far = Z.astype(np.float32) + np.float32(1000)
    exact = triplets(peer("torch"), peer("torch").asarray(far.astype(np.float64)), GROUPS, 1.0).numpy()
    np.testing.assert_allclose(Triplet(1.0)(far, GROUPS), exact, atol=2e-5)


@pytest.mark.parametrize("loss", TRIPLETS, ids=str)
def test_no_array_has_more_than_twice_the_square_of_the_rows(loss):
    graph = trace(loss, np.zeros((40, 3)), np.zeros(40, dtype=int))
    assert max(np.prod(node.shape, dtype=int) for _, node in graph) <= 2 * 40 * 40
