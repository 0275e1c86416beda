"""How an array of nnkit's stands in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.matching import Shape


class Form(NamedTuple):
    """The way there and back.

    ``shapes`` gives those that the array can have there, for its shape here; the first one is written. ``back`` also
    gets the shape here.
    """

    shapes: Callable[[Shape], tuple[Shape, ...]]
    there: Callable[[Array], Array]
    back: Callable[[Array, Shape], Array]


SAME = Form(lambda shape: (shape,), lambda value: value, lambda value, _: value)
TRANSPOSED = Form(lambda shape: (shape[::-1],), lambda value: value.T, lambda value, _: value.T)
"""Weights: (inputs, units) here, (units, inputs) there."""
COLUMN = Form(lambda shape: ((*shape, 1),), lambda value: value[:, None], lambda value, shape: value.reshape(shape))
SLOPES = Form(lambda shape: (shape, (1,)), lambda value: value, np.broadcast_to)
"""``nn.PReLU()`` has one slope for all units."""
