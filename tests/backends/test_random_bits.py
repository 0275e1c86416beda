"""Random bits in place: the same as those of the row, which are checked against the published vectors."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as host

from nnkit import ops
from nnkit_numpy.random import PIECE, RandomBits, workspace_bytes

TOP = 2**32 - 1


def reference(seed, step, stream, shape):
    low, high, number = (host.asarray(value, dtype=host.uint32) for value in (*seed, step))
    return ops.random_bits((low, high), number, stream, shape)


@pytest.mark.parametrize(
    "shape", [(), (1,), (2,), (7,), (3, 5), (2 * PIECE - 1,), (2 * PIECE,), (2 * PIECE + 1,), (5, 2**12), (0,), (3, 0)]
)
def test_any_shape(shape):
    out = np.empty(shape, dtype=np.uint32)
    RandomBits(out, (3, 4))(np.uint32(1), np.uint32(2), np.uint32(5))
    np.testing.assert_array_equal(out, reference((1, 2), 5, (3, 4), shape), strict=True)


@pytest.mark.parametrize("seed", [(0, 0), (TOP, TOP), (TOP, 0), (12345, 678)])
@pytest.mark.parametrize("step", [0, 1, TOP])
@pytest.mark.parametrize("stream", [(0, 0), (TOP, TOP), (1, TOP - 1)])
def test_any_key_and_counter(seed, step, stream):
    out = np.empty(2 * PIECE + 10, dtype=np.uint32)
    RandomBits(out, stream)(*map(np.uint32, (*seed, step)))
    np.testing.assert_array_equal(out, reference(seed, step, stream, out.shape), strict=True)


def test_another_step_draws_other_bits_and_the_same_step_the_same():
    out = np.empty(1000, dtype=np.uint32)
    draw = RandomBits(out, (0, 1))
    drawn = []
    for step in (0, 1, 0):
        draw(np.uint32(9), np.uint32(9), np.uint32(step))
        drawn.append(out.copy())
    assert (drawn[0] == drawn[2]).all()
    assert (drawn[0] == drawn[1]).sum() < 3


@pytest.mark.parametrize("count", [0, 1, 9, 2 * PIECE, 10 * PIECE])
def test_workspace_is_what_is_allocated(count):
    draw = RandomBits(np.empty(count, dtype=np.uint32), (0, 0))
    arrays = (draw._first, draw._x0, draw._x1, draw._shifted)
    assert sum(array.nbytes for array in arrays) == workspace_bytes(count)
