"""Aligned memory and the store of lasting values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.backend import Leaf
from nnkit.errors import ArgumentError, ShapeError

Array = npt.NDArray[Any]
ALIGNMENT = 64


def aligned(nbytes: int) -> Array:
    """Zeroed bytes whose address is a multiple of a cache line."""
    raw = np.zeros(nbytes + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]


class NumpyStore:
    """Lasting values in one flat array for each role and data type; leaves are views of it."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}
        self._leaves: dict[str, tuple[Leaf, ...]] = {}
        self._segments: dict[str, list[Array]] = {}

    def allocate(self, leaves: Iterable[Leaf]) -> None:
        """Add leaves, zero-filled; all leaves of one role are given at once and replace the role's former ones."""
        for role, group in groupby(leaves, key=lambda leaf: leaf.role):
            self._replace(role, tuple(group))

    def _replace(self, role: str, leaves: tuple[Leaf, ...]) -> None:
        for old in self._leaves.pop(role, ()):
            del self._arrays[old.name]
        self._leaves[role] = leaves
        self._segments[role] = []
        for dtype in dict.fromkeys(leaf.dtype for leaf in leaves):
            self._lay_out([leaf for leaf in leaves if leaf.dtype == dtype], role, np.dtype(dtype))

    def _lay_out(self, leaves: list[Leaf], role: str, dtype: np.dtype[Any]) -> None:
        sizes = [prod(leaf.shape) for leaf in leaves]
        segment = aligned(sum(sizes) * dtype.itemsize).view(dtype)
        self._segments[role].append(segment)
        start = 0
        for leaf, size in zip(leaves, sizes, strict=True):
            self._arrays[leaf.name] = segment[start : start + size].reshape(leaf.shape)
            start += size

    def leaves(self) -> tuple[Leaf, ...]:
        """All leaves, role by role."""
        return tuple(leaf for group in self._leaves.values() for leaf in group)

    def array(self, name: str) -> Array:
        """A leaf by its name, or the flat segment of a role."""
        if name in self._arrays:
            return self._arrays[name]
        (segment,) = self._segments[name]
        return segment

    def write(self, values: Mapping[str, Any]) -> None:
        """Copy host values into leaves; nothing is written unless every name and shape is right."""
        arrays = {name: np.asarray(value) for name, value in values.items()}
        for name, value in arrays.items():
            if name not in self._arrays:
                raise ArgumentError(f"there is no leaf '{name}'; there are: {', '.join(self._arrays)}")
            if value.shape != self._arrays[name].shape:
                raise ShapeError(f"leaf '{name}' has shape {self._arrays[name].shape}, got {value.shape}")
        for name, value in arrays.items():
            np.copyto(self._arrays[name], value, casting="unsafe")

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Copies of leaves, or of the flat segments of roles."""
        return {name: self.array(name).copy() for name in names}

    def nbytes(self) -> int:
        """Bytes of all segments."""
        return sum(segment.nbytes for segments in self._segments.values() for segment in segments)
