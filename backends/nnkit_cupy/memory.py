"""The store of lasting values on the GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from nnkit.backend import Leaf, LeafTable
from nnkit_cupy.runtime import Array, Runtime


class CupyStore(LeafTable):
    """Lasting values in one flat device array for each role and data type; leaves are views of it."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime
        self._segments: dict[str, dict[str, Any]] = {}
        self._starts: dict[str, int] = {}
        self._versions: Counter[str] = Counter()

    def _lay_out(self, role: str, leaves: tuple[Leaf, ...]) -> None:
        sizes = dict.fromkeys((leaf.dtype for leaf in leaves), 0)
        for leaf in leaves:
            if role != "parameter":  # which are one vector; others begin where vectors of sixteen bytes may be read
                sizes[leaf.dtype] += -sizes[leaf.dtype] % 16
            self._starts[leaf.name] = sizes[leaf.dtype]
            sizes[leaf.dtype] += prod(leaf.shape)
        self._segments[role] = {dtype: self._runtime.zeros((size,), dtype) for dtype, size in sizes.items()}

    def array(self, name: str) -> Any:
        """The device array of a leaf by its name, or of a role's flat segment."""
        if name not in self._known:
            (segment,) = self._segments[name].values()
            return segment
        leaf = self._known[name]
        return self._cut(self._segments[leaf.role][leaf.dtype], leaf)

    def write(self, values: Mapping[str, Any]) -> None:
        """Copy host values into leaves; nothing is written unless every name and shape is right."""
        for name, value in self._checked(values).items():
            self._runtime.overwrite(self.array(name), value.astype(self._known[name].dtype, copy=False))
        self.written(values)

    def written(self, names: Iterable[str]) -> None:
        """Somebody has written these leaves, or segments of roles."""
        for name in names:
            self._versions[self._role(name)] += 1

    def version(self, name: str) -> int:
        """Another number each time that leaves of the role have been written."""
        return self._versions[self._role(name)]

    def _role(self, name: str) -> str:
        return self._known[name].role if name in self._known else name

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Host copies of leaves, or of the flat segments of roles; each segment is copied once."""
        copies: dict[tuple[str, str], Array] = {}
        found: dict[str, Array] = {}
        for name in names:
            if name not in self._known:
                found[name] = self._runtime.download(self.array(name))
                continue
            leaf = self._known[name]
            key = (leaf.role, leaf.dtype)
            if key not in copies:
                copies[key] = self._runtime.download(self._segments[leaf.role][leaf.dtype])
            found[name] = self._cut(copies[key], leaf).copy()
        return found

    def part(self, name: str, where: Any) -> Array:
        """A host copy of some of a leaf."""
        return self._runtime.download(self.array(name)[where])

    def nbytes(self) -> int:
        """Bytes of all segments."""
        return sum(int(segment.nbytes) for segments in self._segments.values() for segment in segments.values())

    def _cut(self, segment: Any, leaf: Leaf) -> Any:
        """A leaf's part of its segment, on the device or in a copy."""
        start = self._starts[leaf.name]
        return segment[start : start + prod(leaf.shape)].reshape(leaf.shape)
