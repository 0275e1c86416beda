"""Aligned memory and the store of lasting values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.backend import Leaf, LeafTable

Array = npt.NDArray[Any]
ALIGNMENT = 64


def aligned(nbytes: int) -> Array:
    """Zeroed bytes whose address is a multiple of a cache line."""
    raw = np.zeros(nbytes + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]


class NumpyStore(LeafTable):
    """Lasting values in one flat array for each role and data type; leaves are views of it."""

    def __init__(self) -> None:
        super().__init__()
        self._arrays: dict[str, dict[str, Array]] = {}
        self._segments: dict[str, list[Array]] = {}

    def _lay_out(self, role: str, leaves: tuple[Leaf, ...]) -> None:
        self._segments[role], self._arrays[role] = [], {}
        for dtype in dict.fromkeys(leaf.dtype for leaf in leaves):
            self._add_segment(role, [leaf for leaf in leaves if leaf.dtype == dtype], np.dtype(dtype))

    def _add_segment(self, role: str, leaves: list[Leaf], dtype: np.dtype[Any]) -> None:
        sizes = [prod(leaf.shape) for leaf in leaves]
        segment = aligned(sum(sizes) * dtype.itemsize).view(dtype)
        self._segments[role].append(segment)
        start = 0
        for leaf, size in zip(leaves, sizes, strict=True):
            self._arrays[role][leaf.name] = segment[start : start + size].reshape(leaf.shape)
            start += size

    def array(self, name: str) -> Array:
        """A leaf by its name, or the flat segment of a role."""
        if name in self._known:
            return self._arrays[self._known[name].role][name]
        (segment,) = self._segments[name]
        return segment

    def write(self, values: Mapping[str, Any]) -> None:
        """Copy host values into leaves; nothing is written unless every name and shape is right."""
        for name, value in self._checked(values).items():
            np.copyto(self.array(name), value, casting="unsafe")

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Copies of leaves, or of the flat segments of roles."""
        return {name: self.array(name).copy() for name in names}

    def part(self, name: str, where: Any) -> Array:
        """A copy of some of a leaf."""
        return np.array(self.array(name)[where])

    def nbytes(self) -> int:
        """Bytes of all segments."""
        return sum(segment.nbytes for segments in self._segments.values() for segment in segments)
