"""Arrays in pieces of a few megabytes, so that what is written and read takes no more memory than that."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

PIECE = 1 << 22
"""Bytes of a piece at most, unless a single number is larger."""

Shape = tuple[int, ...]
Where = tuple[Any, ...]


def blocks(shape: Shape, itemsize: int, piece: int = PIECE) -> Iterator[Where]:
    """Indices of the pieces of an array, one after the other as the array lies in memory in C order.

    >>> [where for where in blocks((5, 2), 4, piece=16)]
    [(slice(0, 2, None), Ellipsis), (slice(2, 4, None), Ellipsis), (slice(4, 5, None), Ellipsis)]
    >>> list(blocks((), 4))
    [(Ellipsis,)]
    """
    if not prod(shape):
        return
    if not shape or prod(shape) * itemsize <= piece:
        yield (...,)
        return
    axis, rows = _cut(shape, itemsize, piece)
    for lead in product(*map(range, shape[:axis])):
        for start in range(0, shape[axis], rows):
            yield (*lead, slice(start, min(start + rows, shape[axis])), ...)


def block_shape(shape: Shape, itemsize: int, piece: int = PIECE) -> Shape:
    """The shape of a whole piece, with the array's number of axes.

    >>> block_shape((5, 2), 4, piece=16)
    (2, 2)
    """
    if not shape or prod(shape) * itemsize <= piece:
        return shape
    axis, rows = _cut(shape, itemsize, piece)
    return (*(1 for _ in shape[:axis]), min(rows, shape[axis]), *shape[axis + 1 :])


def _cut(shape: Shape, itemsize: int, piece: int) -> tuple[int, int]:
    """The first axis along which a single entry fits into a piece, and how many do."""
    inner = prod(shape) * itemsize
    for axis, size in enumerate(shape):
        inner //= size
        if inner <= piece:
            return axis, max(1, piece // inner)
    return len(shape) - 1, 1
