"""``x[key]`` on traced arrays: basic keys become slices, reshapes and flips; an integer array becomes a take."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any

from nnkit.errors import ShapeError, TraceError
from nnkit.graph.shapes import fixed, show

if TYPE_CHECKING:
    from nnkit.graph.namespace import Namespace
    from nnkit.graph.tracing import TracedArray


def getitem(xp: Namespace, x: TracedArray, key: Any) -> TracedArray:
    """The standard's basic indexing, and one integer array along the first axis."""
    from nnkit.graph.tracing import TracedArray

    if isinstance(key, TracedArray):
        if key.dtype == "bool":
            raise TraceError(
                "x[mask] has a shape that depends on values; write xp.where(mask, x, 0) or multiply by the mask"
            )
        return xp.take(x, key, axis=0)
    parts = _spelled_out(key if isinstance(key, tuple) else (key,), x)
    shape = fixed(x.shape, "indexing")
    spans, result, reverse = [], [], []
    axis = 0
    for part in parts:
        if part is None:
            result.append(1)
            continue
        span, extent, backwards = _span(part, shape[axis], axis, x)
        spans.append(span)
        if backwards:
            reverse.append(axis)
        result.extend([] if extent is None else [extent])
        axis += 1
    if any(span != (0, extent, 1) for span, extent in zip(spans, shape, strict=True)):
        start, stop, step = zip(*spans, strict=True)
        x = x.trace.record("slice", (x,), start=start, stop=stop, step=step)
    if reverse:
        x = xp.flip(x, axis=tuple(reverse))
    return xp.reshape(x, tuple(result))


def _spelled_out(key: tuple[Any, ...], x: TracedArray) -> list[Any]:
    """The key with Ellipsis replaced and one entry for each axis."""
    used = sum(part is not None and not isinstance(part, EllipsisType) for part in key)
    if used > x.ndim:
        raise ShapeError(f"indexing: {used} indices for an array of {x.ndim} dimensions, {show(x.shape)}")
    fill = [slice(None)] * (x.ndim - used)
    places = [i for i, part in enumerate(key) if isinstance(part, EllipsisType)]
    if len(places) > 1:
        raise ShapeError("indexing: only one Ellipsis (...) may stand in an index")
    place = places[0] if places else len(key)
    return [*key[:place], *fill, *key[place + len(places) :]]


def _span(part: Any, extent: int, axis: int, x: TracedArray) -> tuple[tuple[int, int, int], int | None, bool]:
    """(start, stop, step) with a positive step, the resulting extent (None: the axis goes), and whether to flip."""
    if type(part) is int:
        if not -extent <= part < extent:
            raise ShapeError(f"indexing: index {part} is out of range for axis {axis} of {show(x.shape)}")
        return (part % extent, part % extent + 1, 1), None, False
    if not isinstance(part, slice):
        raise TraceError(
            f"indexing: {part!r} ({type(part).__name__}) cannot index a traced array; "
            "use integers, slices, None or Ellipsis, or xp.take for an array of integers"
        )
    chosen = range(*part.indices(extent))
    if not chosen:
        return (0, 0, 1), 0, False
    if chosen.step > 0:
        return (chosen.start, chosen[-1] + 1, chosen.step), len(chosen), False
    return (chosen[-1], chosen.start + 1, -chosen.step), len(chosen), True
