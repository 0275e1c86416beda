"""Where each parameter lies in the flat vector of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

from nnkit.ops import namespace

Array = Any
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Parts:
    """Shapes of parameters that lie one after the other in one flat vector, each in row-major order.

    >>> import numpy as np
    >>> parts = Parts(((2, 2), (3,)))
    >>> [part.shape for part in parts.split(np.arange(7.0))]
    [(2, 2), (3,)]
    >>> parts.spread([np.asarray(1.0), np.asarray(2.0)])
    array([1., 1., 1., 1., 2., 2., 2.])
    """

    shapes: tuple[Shape, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each has."""
        return tuple(map(prod, self.shapes))

    @property
    def count(self) -> int:
        """How many numbers all have."""
        return sum(self.sizes)

    def split(self, flat: Array) -> list[Array]:
        """Each parameter out of the flat vector, in its shape."""
        xp, ends = namespace(flat), tuple(accumulate(self.sizes))
        pieces = zip((0, *ends), ends, self.shapes, strict=False)
        return [xp.reshape(flat[start:end], shape) for start, end, shape in pieces]

    def join(self, arrays: Sequence[Array]) -> Array:
        """The flat vector of arrays that have as many numbers as the parameters."""
        xp = namespace(arrays[0])
        return xp.concat([xp.reshape(array, (-1,)) for array in arrays])

    def spread(self, numbers: Sequence[Array]) -> Array:
        """One 0-d array for each parameter, repeated over all of its places in the flat vector."""
        xp = namespace(numbers[0])
        return xp.concat([xp.broadcast_to(number, (size,)) for number, size in zip(numbers, self.sizes, strict=True)])

    def norms(self, flat: Array) -> list[Array]:
        """The Euclidean norm of each parameter, 0-d."""
        xp = namespace(flat)
        return [xp.sqrt(xp.sum(xp.square(part))) for part in self.split(flat)]

    def chosen(self, numbers: Iterable[int]) -> Parts:
        """Those with these numbers, as if they stood alone."""
        return Parts(tuple(self.shapes[number] for number in numbers))
