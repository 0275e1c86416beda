"""Constraints on parameters, inside the step: what the optimiser made is brought back before it is kept."""

from __future__ import annotations

from math import prod

from nnkit.graph import TracedArray
from nnkit.training.layout import Layout


def constrained(layout: Layout, flat: TracedArray) -> TracedArray:
    """All parameters, one after the other, each brought back by its constraint; as they are where there is none."""
    found = layout.constraints
    if not found:
        return flat
    xp, pieces = flat.trace.namespace, []
    start = done = 0
    for path, shape in layout.parameters.items():
        stop = start + prod(shape)
        if path in found:
            pieces += [flat[done:start]] if done < start else []
            pieces.append(xp.reshape(found[path](xp.reshape(flat[start:stop], shape)), (-1,)))
            done = stop
        start = stop
    return xp.concat([*pieces, flat[done:]] if done < start else pieces)
