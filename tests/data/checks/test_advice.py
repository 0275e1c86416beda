"""Warnings about unscaled features and rows in two splits."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.data import checks
from nnkit.errors import NnkitWarning

RANDOM = np.random.default_rng(0)


def test_pixels() -> None:
    x = RANDOM.integers(0, 256, size=(50, 8, 8)).astype(np.float32)
    with pytest.warns(
        NnkitWarning, match=r"x looks like pixels 0 to 255 \(the largest is 255\); divide by 255: x / 255"
    ):
        checks.warn_unscaled(x)


def test_a_large_mean_and_a_large_deviation() -> None:
    x = RANDOM.normal(size=(500, 3))
    with pytest.warns(
        NnkitWarning, match=r"column 1 of x has a mean of about 2e\+03; standardise the columns: \(x - x.mean"
    ):
        checks.warn_unscaled(x + np.array([0, 2000, 0]))
    with pytest.warns(NnkitWarning, match=r"column 2 of x has a standard deviation of about \d"):
        checks.warn_unscaled(x * [1, 1, 500])


def test_uneven_columns() -> None:
    x = RANDOM.random(size=(500, 3)) * [50, 0.001, 0]
    with pytest.warns(
        NnkitWarning, match=r"column 0 of x has a range of [0-9.]+ and column 1 one of 0.00[0-9]+; standardise"
    ):
        checks.warn_unscaled(x)


@pytest.mark.parametrize(
    "x",
    [
        RANDOM.normal(size=(200, 5)),
        np.zeros((3, 2)),
        np.ones((1, 4)),
        RANDOM.integers(0, 256, size=(60, 100)) / 255,
        RANDOM.integers(0, 2, size=(60, 100)).astype(float),
        RANDOM.integers(0, 5000, size=(60, 4)),  # token numbers are not features to scale
    ],
)
def test_scaled_features_pass(x: np.ndarray) -> None:
    checks.warn_unscaled(x)


def test_a_pixel_that_is_nearly_always_black_is_no_uneven_column() -> None:
    x = np.where(RANDOM.random((1000, 64)) < 0.5, 1.0, 0.0)
    x[:, 0] = 0
    x[500, 0] = 1 / 255
    checks.warn_unscaled(x)


def test_only_a_sample_of_rows_is_looked_at() -> None:
    x = np.zeros((100_000, 1), dtype=np.float32)
    x[1] = 1e9
    checks.warn_unscaled(x)


def test_duplicates_are_counted() -> None:
    a = RANDOM.normal(size=(100, 4)).astype(np.float32)
    b = np.concatenate([a[:3], RANDOM.normal(size=(7, 4))])
    with pytest.warns(
        NnkitWarning, match=r"3 of the 10 rows of the test data are in the training data too, so the test fig"
    ):
        assert checks.warn_duplicates(a, b, "training", "test") == 3


def test_images_are_rows_and_minus_zero_is_zero() -> None:
    a = np.zeros((2, 3, 3))
    with pytest.warns(NnkitWarning, match="1 of the 1 rows"):
        assert checks.warn_duplicates(a, -a[:1], "training", "validation") == 1


@pytest.mark.parametrize("dtype", [bool, np.int32, np.float32])
def test_no_duplicates_no_warning(dtype: type) -> None:
    a, b = np.zeros((2, 3), dtype=dtype), np.ones((2, 3), dtype=dtype)
    assert checks.warn_duplicates(a, b, "training", "test") == 0


def test_nothing_to_compare() -> None:
    assert checks.warn_duplicates(np.zeros((0, 3)), np.zeros((2, 3)), "training", "test") == 0
    assert checks.warn_duplicates(np.zeros((2, 2)), np.zeros((2, 3)), "training", "test") == 0
