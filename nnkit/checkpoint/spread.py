"""The arrays of a training that goes on, as data sets: those of every parameter at its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nnkit.checkpoint.blocks import Shape
from nnkit.checkpoint.places import place_of, places
from nnkit.data.arrays import Array
from nnkit.training.layout import Layout

Shapes = Mapping[str, Mapping[str, Shape]]
"""By what the arrays are, and by name; as in :class:`nnkit.training.standing.Standing`."""
MOMENT = "moment."


def spread(arrays: Mapping[str, Mapping[str, Array]], layout: Layout) -> dict[str, Array]:
    """The arrays by their places. A moment as long as all parameters together is cut into those of each."""
    found: dict[str, Array] = {}
    for kind, group in arrays.items():
        for name, array in group.items():
            there = _places(kind, name, array.shape, layout)
            parts = layout.parts.split(array) if _cut(kind, array.shape, layout) else [array]
            found |= dict(zip(there, parts, strict=True))
    return found


def expected(shapes: Shapes, layout: Layout) -> dict[str, Shape]:
    """The shapes of the data sets by their places."""
    named = [(kind, name, shape) for kind, group in shapes.items() for name, shape in group.items()]
    return {place: part for given in named for place, part in _places(*given, layout).items()}


def gathered(shapes: Shapes, layout: Layout, read: Callable[[str], Array]) -> dict[str, dict[str, Array]]:
    """The arrays again, from a function that gives the values at a place."""
    found: dict[str, dict[str, Array]] = {}
    for kind, group in shapes.items():
        found[kind] = {}
        for name, shape in group.items():
            parts = [read(place) for place in _places(kind, name, shape, layout)]
            flat = [np.reshape(part, (-1,)) for part in parts]
            found[kind][name] = np.concatenate(flat).reshape(shape) if len(parts) > 1 else parts[0].reshape(shape)
    return found


def _places(kind: str, name: str, shape: Shape, layout: Layout) -> dict[str, Shape]:
    """Where an array stands, or its parts, with the shape there."""
    if kind == "values":
        return {places(layout)[name]: shape}
    if kind.startswith("callbacks."):
        return {place_of(kind.replace(".", "/"), name): shape}
    bare = name.removeprefix(MOMENT) if kind == "moments" else name
    if not _cut(kind, shape, layout):
        return {place_of(kind, bare): shape}
    return {f"{place_of(kind, bare)}/{leaf.replace('.', '/')}": part for leaf, part in layout.parameters.items()}


def _cut(kind: str, shape: Shape, layout: Layout) -> bool:
    return kind == "moments" and shape == (layout.count,)
