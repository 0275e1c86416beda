"""The record of a data set: its hash, its scaling, its description."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nnkit.data import Dataset, Scaling, content_hash
from nnkit.errors import DataError, ShapeError

ARRAYS = npst.arrays(
    dtype=st.sampled_from(["float32", "float64", "int32", "uint8", "bool"]),
    shape=npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)


@given(ARRAYS)
def test_the_hash_sees_values_and_not_layout(array: np.ndarray) -> None:
    reference = content_hash(array)
    assert content_hash(np.asfortranarray(array)) == reference
    assert content_hash(array.astype(array.dtype.newbyteorder(">"))) == reference
    assert content_hash(np.stack([array, array], axis=-1)[..., 0]) == reference
    assert content_hash(array.reshape((1, *array.shape))) != reference


@given(npst.arrays("int32", 5), npst.arrays("int32", 5))
def test_different_values_have_different_hashes(a: np.ndarray, b: np.ndarray) -> None:
    assert (content_hash(a) == content_hash(b)) == np.array_equal(a, b)


def test_the_hash_sees_dtype_and_where_arrays_end() -> None:
    x = np.zeros(4, dtype=np.float32)
    assert content_hash(x) != content_hash(x.view(np.int32))
    assert content_hash(x, x) != content_hash(np.zeros(8, dtype=np.float32))
    assert content_hash(x[:1], x[1:]) != content_hash(x[:2], x[2:])


def test_the_hash_is_the_one_of_every_release() -> None:
    """Records of earlier versions are compared with it."""
    expected = "3e005c4025c0e3f15600c4a6880a9ecc858ceec2f7b844bd00cb857240709be3"
    assert content_hash(np.arange(6, dtype=np.float32).reshape(2, 3), np.array([0, 1], dtype=np.int32)) == expected


def test_a_dataset_is_frozen_and_hashes_when_asked() -> None:
    x, y = np.zeros((3, 2), dtype=np.float32), np.zeros(3, dtype=np.int32)
    data = Dataset(x, y, x[:1], y[:1], name="tiny", classes=("a", "b"))
    assert "sha256" not in vars(data)
    assert data.sha256 == content_hash(x, y, x[:1], y[:1]) == vars(data)["sha256"]
    assert repr(data) == "Dataset('tiny', 3 rows for training, 1 for testing, features of shape (2,), 2 classes)"
    with pytest.raises(AttributeError, match="cannot assign"):
        data.name = "other"


def test_scaling_standardises_and_leaves_constant_columns_at_zero() -> None:
    x = np.random.default_rng(0).normal(50, 7, (400, 3))
    x[:, 1] = 0.1  # its computed deviation is rounding, not exactly zero
    scaled = Scaling.fit(x).apply(x)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 0, 1], atol=1e-6)
    assert Scaling.fit(x).scale[1] == 1


@pytest.mark.parametrize("column", [np.full(7, 1e30), 10**30 + np.arange(7.0), np.full(7, 0.1), np.full(7, 1e30, "f4")])
def test_a_constant_column_of_any_size_becomes_exactly_zero(column: np.ndarray) -> None:
    scaling = Scaling.fit(column[:, None])
    assert scaling.scale.tolist() == [1]
    assert scaling.apply(column[:, None], "float64").ravel().tolist() == [0] * 7


def test_a_spread_that_is_rounding_stays_small() -> None:
    x = np.array([[0.3, 3e20], [0.1 + 0.2, np.nextafter(3e20, 4e20)]])
    assert np.abs(Scaling.fit(x).apply(x)).max() < 2


def test_scaling_survives_json_exactly() -> None:
    scaling = Scaling.fit(np.random.default_rng(1).normal(size=(50, 4)))
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    np.testing.assert_array_equal(again.mean, scaling.mean)
    np.testing.assert_array_equal(again.scale, scaling.scale)


def test_scaling_of_other_columns() -> None:
    scaling = Scaling.fit(np.ones((4, 3)))
    with pytest.raises(
        ShapeError, match=r"x has shape \(4, 2\), the scaling was made for 3 columns; pass those columns"
    ):
        scaling.apply(np.ones((4, 2)))


def test_scaling_leaves_what_is_too_large_to_the_check_of_the_features() -> None:
    assert np.isinf(Scaling.fit(np.ones((4, 1))).apply(np.array([[1e300]]))).all()


DAMAGED = {
    "no mapping": ([1], r"a scaling has the entries 'mean' and 'scale', got list; the file is damaged"),
    "keys": ({"mean": [0.0]}, r"got 'mean'; the file is damaged"),
    "lengths": ({"mean": [0.0], "scale": [1.0, 1.0]}, r"has 1 means and 2 scales"),
    "zero": ({"mean": [0.0], "scale": [0.0]}, r"has a scale that is not positive"),
    "nan": ({"mean": [float("nan")], "scale": [1.0]}, r"scaling's mean is not a list of finite numbers"),
    "text": ({"mean": [0.0], "scale": ["1"]}, r"scaling's scale is not a list of finite numbers"),
    "number": ({"mean": 0.0, "scale": [1.0]}, r"scaling's mean is not a list"),
}


@pytest.mark.parametrize(("stored", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_scaling_is_refused(stored: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Scaling.from_dict(stored)
