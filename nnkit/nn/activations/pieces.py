"""Activations that divide the last axis into pieces of several units each."""

from __future__ import annotations

from typing import Any

from nnkit.errors import ArgumentError, ShapeError
from nnkit.ops import namespace

Array = Any

__all__ = ["maxout"]


def pieces_of(name: str, x: Array, pieces: int) -> int:
    """How many units remain when the last axis is divided by ``pieces``."""
    if isinstance(pieces, bool) or not isinstance(pieces, int) or pieces < 1:
        raise ArgumentError(f"{name}: pieces is {pieces!r}, expected a whole number from 1 up")
    shape = tuple(x.shape)
    if not shape or shape[-1] % pieces:
        last = f"{shape[-1]} units in its last axis" if shape else "no axis"
        raise ShapeError(
            f"{name}: divides the last axis by {pieces}, but the input of shape {shape} has {last}; "
            f"give the layer before it a multiple of {pieces} units"
        )
    units: int = shape[-1] // pieces
    return units


def maxout(x: Array, pieces: int = 2) -> Array:
    """The largest of each run of ``pieces`` neighbours along the last axis: (…, pieces · n) becomes (…, n).

    Equal neighbours share the derivative. Raises ``ShapeError`` when the last axis does not divide. Goodfellow,
    Warde-Farley, Mirza, Courville, Bengio, "Maxout networks", ICML 2013.

    >>> import numpy as np
    >>> maxout(np.asarray([[1.0, 2.0, -3.0, -4.0]]))
    array([[ 2., -3.]])
    """
    units = pieces_of("maxout", x, pieces)
    xp = namespace(x)
    return xp.max(xp.reshape(x, (*x.shape[:-1], units, pieces)), axis=-1)
