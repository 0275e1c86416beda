"""The store of lasting values: named leaves in one flat segment for each role and data type."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.backend import Leaf
from nnkit.errors import ArgumentError, ShapeError
from nnkit_numpy.memory import NumpyStore, aligned

LEAVES = [
    Leaf("a.weight", "parameter", (2, 3), "float32"),
    Leaf("a.bias", "parameter", (3,), "float32"),
    Leaf("count", "counter", (), "uint32"),
    Leaf("wide", "counter", (2,), "float64"),
]


@pytest.fixture
def store():
    store = NumpyStore()
    store.allocate(LEAVES)
    return store


def test_leaves_are_zero_and_in_order(store):
    assert list(store.leaves()) == LEAVES
    for leaf in LEAVES:
        value = store.array(leaf.name)
        assert (value.shape, str(value.dtype)) == (leaf.shape, leaf.dtype)
        assert not value.any()


def test_a_role_is_one_flat_aligned_segment_that_its_leaves_look_at(store):
    flat = store.array("parameter")
    assert flat.shape == (9,)
    assert flat.ctypes.data % 64 == 0
    flat[:] = np.arange(9)
    assert store.array("a.weight").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert store.array("a.bias").tolist() == [6, 7, 8]


def test_bytes_are_those_of_all_segments(store):
    assert store.nbytes() == 9 * 4 + 4 + 2 * 8


def test_what_is_read_is_a_copy(store):
    copy = store.read(["a.bias"])["a.bias"]
    copy[:] = 5.0
    assert not store.array("a.bias").any()
    store.write({"a.bias": [1, 2, 3]})
    assert copy.tolist() == [5.0, 5.0, 5.0]


def test_writing_copies_and_rebinds_nothing(store):
    before = store.array("a.bias")
    values = np.asarray([1.5, 2.5, 3.5])
    store.write({"a.bias": values, "count": 2**32 - 1})
    values[:] = 0.0
    assert store.array("a.bias") is before
    assert before.tolist() == [1.5, 2.5, 3.5]
    assert before.dtype == "float32"
    assert store.array("count") == 2**32 - 1


def test_an_unknown_leaf_is_refused_and_nothing_is_written(store):
    with pytest.raises(ArgumentError, match=r"there is no leaf 'b\.bias'; there are: a\.weight, a\.bias, count, wide"):
        store.write({"a.bias": [1, 2, 3], "b.bias": [1, 2, 3]})
    assert not store.array("a.bias").any()


@pytest.mark.parametrize("value", [[1, 2], 1.0, [[1, 2, 3]]])
def test_another_shape_is_refused_and_nothing_is_written(store, value):
    with pytest.raises(ShapeError, match=r"leaf 'a.bias' has shape \(3,\), got \("):
        store.write({"count": 3, "a.bias": value})
    assert store.array("count") == 0


def test_allocating_a_role_again_replaces_it_and_leaves_the_others(store):
    store.write({"a.bias": [1, 2, 3], "count": 4})
    kept = store.array("a.bias")
    store.allocate([Leaf("count", "counter", (), "uint32"), Leaf("other", "counter", (1,), "float64")])
    assert store.array("a.bias") is kept
    assert store.array("count") == 0
    assert [leaf.name for leaf in store.leaves()] == ["a.weight", "a.bias", "count", "other"]
    with pytest.raises(ArgumentError, match="there is no leaf 'wide'"):
        store.write({"wide": [0, 0]})


def test_leaves_may_be_empty():
    store = NumpyStore()
    store.allocate([Leaf("none", "parameter", (0, 3), "float32"), Leaf("some", "parameter", (2,), "float32")])
    assert store.array("none").shape == (0, 3)
    assert store.array("parameter").shape == (2,)


@pytest.mark.parametrize("nbytes", [1, 64, 1000, 1 << 20])
def test_memory_is_aligned_and_zero(nbytes):
    memory = aligned(nbytes)
    assert memory.nbytes == nbytes
    assert memory.ctypes.data % 64 == 0
    assert not memory.any()
