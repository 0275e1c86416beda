"""Pictures of values over the plane, as bytes of a frame."""

from __future__ import annotations

import numpy as np

from nnkit.data.arrays import Array

GRID, SMALL = 64, 32
"""Sides of the large and of the small maps."""


def as_map(values: Array) -> bytes:
    """−1 … 1 as −127 … 127, one byte each; what is beyond is cut off, and NaN is 0.

    >>> np.frombuffer(as_map(np.array([-1.0, 0.5, 7.0, np.nan])), np.int8).tolist()
    [-127, 64, 127, 0]
    """
    levels: Array = np.rint(np.clip(np.nan_to_num(values), -1, 1) * 127).astype(np.int8)
    return levels.tobytes()


def small_maps(values: Array) -> bytes:
    """Small maps of all neurons one after the other; values (GRID², neurons), four of them in one of a small map."""
    side = GRID // SMALL
    pictures = values.T.reshape(-1, SMALL, side, SMALL, side).mean(axis=(2, 4))
    return as_map(within(pictures.reshape(len(pictures), -1)))


def within(pictures: Array) -> Array:
    """Each row brought to −1 … 1, if it goes beyond.

    >>> within(np.array([[2.0, -4.0], [0.1, 0.2]])).tolist()
    [[0.5, -1.0], [0.1, 0.2]]
    """
    largest = np.abs(np.nan_to_num(pictures)).max(axis=1, keepdims=True, initial=1.0)
    return np.asarray(pictures / largest)
