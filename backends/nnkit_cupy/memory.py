"""The store of lasting values on the GPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from math import prod
from typing import Any

import numpy as np

from nnkit.backend import Leaf
from nnkit.errors import ArgumentError, ShapeError
from nnkit_cupy.runtime import Array, Runtime


class CupyStore:
    """Lasting values in one flat device array for each role and data type; leaves are views of it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._leaves: dict[str, tuple[Leaf, ...]] = {}
        self._segments: dict[str, dict[str, Any]] = {}
        self._places: dict[str, tuple[str, int, Leaf]] = {}

    def allocate(self, leaves: Iterable[Leaf]) -> None:
        """Add leaves, zero-filled; all leaves of one role are given at once and replace the role's former ones."""
        for role, group in groupby(leaves, key=lambda leaf: leaf.role):
            self._replace(role, tuple(group))

    def _replace(self, role: str, leaves: tuple[Leaf, ...]) -> None:
        for old in self._leaves.pop(role, ()):
            del self._places[old.name]
        self._leaves[role] = leaves
        sizes = dict.fromkeys((leaf.dtype for leaf in leaves), 0)
        for leaf in leaves:
            if role != "parameter":  # which are one vector; others begin where vectors of sixteen bytes may be read
                sizes[leaf.dtype] += -sizes[leaf.dtype] % 16
            self._places[leaf.name] = (role, sizes[leaf.dtype], leaf)
            sizes[leaf.dtype] += prod(leaf.shape)
        self._segments[role] = {dtype: self._runtime.zeros((size,), dtype) for dtype, size in sizes.items()}

    def leaves(self) -> tuple[Leaf, ...]:
        """All leaves, role by role."""
        return tuple(leaf for group in self._leaves.values() for leaf in group)

    def array(self, name: str) -> Any:
        """The device array of a leaf by its name, or of a role's flat segment."""
        if name not in self._places:
            (segment,) = self._segments[name].values()
            return segment
        role, start, leaf = self._places[name]
        return self._segments[role][leaf.dtype][start : start + prod(leaf.shape)].reshape(leaf.shape)

    def write(self, values: Mapping[str, Any]) -> None:
        """Copy host values into leaves; nothing is written unless every name and shape is right."""
        arrays = {name: np.asarray(value) for name, value in values.items()}
        for name, value in arrays.items():
            if name not in self._places:
                raise ArgumentError(f"there is no leaf '{name}'; there are: {', '.join(self._places)}")
            shape = self._places[name][2].shape
            if value.shape != shape:
                raise ShapeError(f"leaf '{name}' has shape {shape}, got {value.shape}")
        for name, value in arrays.items():
            self._runtime.overwrite(self.array(name), value.astype(self._places[name][2].dtype, copy=False))

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Host copies of leaves, or of the flat segments of roles; each segment is copied once."""
        copies: dict[tuple[str, str], Array] = {}
        found: dict[str, Array] = {}
        for name in names:
            if name not in self._places:
                found[name] = self._runtime.download(self.array(name))
                continue
            role, start, leaf = self._places[name]
            key = (role, leaf.dtype)
            if key not in copies:
                copies[key] = self._runtime.download(self._segments[role][leaf.dtype])
            found[name] = copies[key][start : start + prod(leaf.shape)].reshape(leaf.shape).copy()
        return found

    def nbytes(self) -> int:
        """Bytes of all segments."""
        return sum(int(segment.nbytes) for segments in self._segments.values() for segment in segments.values())
