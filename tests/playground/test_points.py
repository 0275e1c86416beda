import numpy as np
import pytest

from nnkit.playground.features import DERIVED, derived
from nnkit.playground.plane import Plane, held_out
from nnkit.playground.points import CLASSIFICATION, REGRESSION, WITH_CLASSES, drawn


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_classes_are_alike_in_number_and_the_same_for_the_same_seed(name, noise):
    for classes in (2, 3, 6) if name in WITH_CLASSES else (2,):
        x, y = drawn(name, 600, classes, noise, 4)
        assert x.shape == (600, 2)
        assert np.abs(x).max() < {"gauss": 14, "moons": 10}.get(name, 7)
        counts = np.bincount(y, minlength=classes)
        assert len(counts) == classes
        assert counts.min() > 0.7 * 600 / classes
        again, labels = drawn(name, 600, classes, noise, 4)
        assert np.array_equal(again, x)
        assert np.array_equal(labels, y)
        assert not np.array_equal(drawn(name, 600, classes, noise, 5)[0], x)


@pytest.mark.parametrize("name", REGRESSION)
def test_values_are_from_minus_one_to_one(name):
    for noise in (0.0, 0.5):
        _, y = drawn(name, 500, 2, noise, 0)
        assert y.shape == (500,)
        assert -1 <= y.min() < -0.5
        assert 0.5 < y.max() <= 1


def test_without_noise_points_have_the_class_of_their_place():
    x, y = drawn("circle", 500, 2, 0.0, 0)
    radius = np.linalg.norm(x, axis=1)
    assert radius[y == 0].max() < radius[y == 1].min()
    x, y = drawn("xor", 500, 2, 0.0, 0)
    assert np.array_equal(y == 1, x[:, 0] * x[:, 1] < 0)
    x, y = drawn("plane", 500, 2, 0.0, 0)
    assert np.allclose(y, (x[:, 0] + x[:, 1]) / 12)


def test_noise_mixes_the_classes():
    x, y = drawn("circle", 2000, 2, 0.5, 0)
    radius = np.linalg.norm(x, axis=1)
    assert radius[y == 0].max() > radius[y == 1].min()


def test_features_are_their_formulas():
    x = np.array([[0.5, -2.0], [3.0, 1.0]])
    found = derived(x, list(DERIVED))
    a, b = x.T
    assert found.dtype == np.float32
    assert np.allclose(found, np.stack([a, b, a * a, b * b, a * b, np.sin(a), np.sin(b)], axis=1))


def test_test_rows_are_a_share_of_each_class():
    y = np.arange(600) % 3
    test = held_out(y, 0.3, 0, stratified=True)
    assert np.bincount(y[test]).tolist() == [60, 60, 60]


def test_the_grid_goes_over_the_plane_from_the_upper_left():
    plane = Plane(
        np.array([[1.0, 2.0, 5.0], [3.0, 4.0, 7.0]]), np.zeros(2), np.zeros(2, bool), (), ("a", "b", "c"), (2, 0)
    )
    grid = plane.grid(4)
    assert grid.shape == (16, 3)
    assert grid[0].tolist() == [4.5, 3.0, -4.5]
    assert grid[3].tolist() == [4.5, 3.0, 4.5]
    assert grid[-1].tolist() == [-4.5, 3.0, 4.5]


def test_a_plane_without_rows_has_a_grid_too():
    plane = Plane(np.zeros((0, 2)), np.zeros(0), np.zeros(0, bool), ())
    assert np.isfinite(plane.grid(2)).all()
