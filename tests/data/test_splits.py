"""Splits and orders: disjoint, complete, stratified, and a function of the seed alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit.data import split_indices
from nnkit.data.splits import epoch_order
from nnkit.errors import ArgumentError, DataError, ShapeError


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(3, 300), fraction=st.floats(0, 0.6), seed=st.integers(0, 2**40), shuffle=st.booleans())
def test_disjoint_complete_sorted_and_of_the_right_size(rows: int, fraction: float, seed: int, shuffle: bool) -> None:
    train, validation = split_indices(rows, fraction, seed, shuffle=shuffle)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(rows))
    assert train.dtype == validation.dtype == np.int64
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()
    assert abs(len(validation) - rows * fraction) <= (1 if 0 < rows * fraction < 0.5 else 0.5)


@settings(max_examples=100, deadline=None)
@given(
    labels=st.lists(st.integers(0, 6), min_size=3, max_size=200), fraction=st.floats(0.01, 0.6), seed=st.integers(0, 99)
)
def test_stratified_splits(labels: list[int], fraction: float, seed: int) -> None:
    y = np.array(labels)
    train, validation = split_indices(len(y), fraction, seed, labels=y)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(y)))
    wanted = max(1, int(len(y) * fraction + 0.5))
    classes, counts = np.unique(y, return_counts=True)
    twice = classes[counts >= 2]
    assert set(twice) <= set(y[train])
    assert set(twice) <= set(y[validation])
    assert len(validation) == min(max(wanted, len(twice)), len(y) - len(classes))
    if wanted == len(validation):  # then each class is within one row of its share, or at a bound
        for name, n in zip(classes, counts, strict=True):
            share = np.count_nonzero(y[validation] == name)
            bound = min(max(wanted / len(y) * n, min(n - 1, 1)), n - 1)
            assert abs(share - bound) <= len(classes)


def test_exact_shares() -> None:
    y = np.repeat([0, 1, 2], [50, 30, 20])
    _, validation = split_indices(100, 0.1, seed=3, labels=y)
    assert np.bincount(y[validation]).tolist() == [5, 3, 2]


def test_the_largest_remainders_get_the_rest() -> None:
    y = np.repeat([0, 1, 2], [46, 33, 21])
    _, validation = split_indices(100, 0.1, seed=3, labels=y)
    assert np.bincount(y[validation]).tolist() == [5, 3, 2]


def test_many_small_classes_take_from_the_large_one() -> None:
    y = np.repeat(np.arange(11), [100] + [2] * 10)
    _, validation = split_indices(120, 0.1, seed=3, labels=y)
    assert np.bincount(y[validation]).tolist() == [2] + [1] * 10


def test_labels_may_be_text() -> None:
    y = np.array(["a", "b"] * 10)
    _, validation = split_indices(20, 0.2, seed=0, labels=y)
    assert sorted(y[validation]) == ["a", "a", "b", "b"]


def test_the_seed_decides() -> None:
    first, again, other = (split_indices(1000, 0.2, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_last_rows_without_shuffling() -> None:
    train, validation = split_indices(10, 0.3, seed=0, labels=np.zeros(10), shuffle=False)
    assert train.tolist() == list(range(7))
    assert validation.tolist() == [7, 8, 9]


def test_no_validation() -> None:
    train, validation = split_indices(4, 0.0, seed=0)
    assert train.tolist() == [0, 1, 2, 3]
    assert validation.size == 0


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan"), True])
def test_a_fraction_out_of_range(fraction: float) -> None:
    with pytest.raises(
        ArgumentError, match=r"the fraction to split off is .*, expected a number from 0 up to, but not, 1"
    ):
        split_indices(10, fraction, seed=0)


def test_nothing_left_for_training() -> None:
    with pytest.raises(DataError, match=r"splitting 0.9 off 2 rows leaves nothing for training; use more rows"):
        split_indices(2, 0.9, seed=0)
    with pytest.raises(DataError, match=r"splitting 0.1 off 1 rows leaves nothing"):
        split_indices(1, 0.1, seed=0)


def test_labels_of_another_length() -> None:
    with pytest.raises(ShapeError, match=r"labels have shape \(3,\), expected \(4,\): one class for each row"):
        split_indices(4, 0.5, seed=0, labels=np.zeros(3))


@pytest.mark.parametrize("seed", [-1, 1.5, True, None])
def test_a_seed_that_is_none(seed: object) -> None:
    with pytest.raises(ArgumentError, match=r"seed is .*, expected a whole number from 0 up"):
        split_indices(4, 0.5, seed=seed)


@given(n=st.integers(0, 200), seed=st.integers(0, 2**70), epoch=st.integers(0, 1000))
def test_an_epoch_is_a_permutation_and_repeats(n: int, seed: int, epoch: int) -> None:
    indices = np.arange(0, 3 * n, 3)
    order = epoch_order(indices, seed, epoch)
    np.testing.assert_array_equal(np.sort(order), indices)
    np.testing.assert_array_equal(order, epoch_order(indices, seed, epoch))


def test_epochs_differ_from_each_other_and_between_seeds() -> None:
    indices = np.arange(50)
    orders = {tuple(epoch_order(indices, seed, epoch)) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_orders_never_change_between_versions() -> None:
    """A resumed run, and a record from last year, rely on these figures."""
    assert epoch_order(np.arange(8), seed=0, epoch=0).tolist() == [4, 3, 7, 6, 5, 2, 0, 1]
    assert split_indices(8, 0.5, seed=0)[1].tolist() == [2, 3, 4, 7]
