"""Where the values come from that are written to a file: read piece by piece, when their turn has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nnkit.backend import Store
from nnkit.checkpoint.blocks import Shape, Where
from nnkit.data.arrays import Array


class Source(Protocol):
    """An array that may be elsewhere."""

    @property
    def shape(self) -> Shape:
        """Its shape."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its data type in the file, little-endian."""

    def part(self, where: Where) -> Array:
        """Some of its values, on the host."""


class Held:
    """An array of the host. Text is one value of NumPy's bytes."""

    def __init__(self, value: Any) -> None:
        array = np.asarray(value)
        self.array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        self.shape, self.dtype = self.array.shape, self.array.dtype

    def part(self, where: Where) -> Array:
        """Some of its values."""
        found: Array = self.array[where]
        return found


@dataclass(frozen=True)
class Kept:
    """A leaf of a network's store, wherever that is; it must be finite."""

    store: Store
    name: str
    shape: Shape
    kind: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the network."""
        return np.dtype(self.kind).newbyteorder("<")

    def part(self, where: Where) -> Array:
        """A copy of some of its values."""
        found: Array = self.store.part(self.name, where)
        return found
