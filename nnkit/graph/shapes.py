"""Arithmetic on shapes: broadcasting, axes, and the errors when they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index

from nnkit.errors import ShapeError
from nnkit.graph.ir import Shape


def fixed(shape: Shape, operation: str) -> tuple[int, ...]:
    """The shape with every extent known."""
    if None in shape:
        raise ShapeError(
            f"{operation}: an array whose number of rows is free, {show(shape)}, "
            "can only be read with xp.take(array, indices, axis=0)"
        )
    return tuple(extent for extent in shape if extent is not None)


def broadcast(operation: str, *shapes: Shape) -> tuple[int, ...]:
    """The common shape by the standard's rule: from the right, extents are equal or one of them is 1."""
    rank = max(map(len, shapes))
    known = [(1,) * (rank - len(shape)) + fixed(shape, operation) for shape in shapes]
    result = []
    for extents in zip(*known, strict=True):
        wide = {extent for extent in extents if extent != 1}
        if len(wide) > 1:
            raise ShapeError(
                f"{operation}: shapes {' and '.join(map(show, shapes))} do not broadcast; "
                "compared from the right, each pair of sizes must be equal or one of them 1"
            )
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def extents(shape: int | Sequence[int]) -> tuple[int, ...]:
    """A shape that a user wrote, as plain integers."""
    return (index(shape),) if not isinstance(shape, Sequence) else tuple(map(index, shape))


def axis_number(operation: str, axis: int, rank: int) -> int:
    """A non-negative axis."""
    if type(axis) is not int or not -rank <= axis < rank:
        raise ShapeError(f"{operation}: axis must be an int in range for an array of {rank} dimensions, got {axis!r}")
    return axis % rank


def axes_of(operation: str, axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Sorted non-negative axes; ``None`` means all."""
    if axis is None:
        return tuple(range(rank))
    chosen = [axis_number(operation, a, rank) for a in (axis if isinstance(axis, Sequence) else (axis,))]
    if len(set(chosen)) < len(chosen):
        raise ShapeError(f"{operation}: axis {axis!r} names an axis twice")
    return tuple(sorted(chosen))


def reduced(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape after a reduction over ``axes``."""
    if keepdims:
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def completed(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """A target shape of ``reshape`` with its single -1 replaced."""
    if shape.count(-1) == 1:
        rest = prod(extent for extent in shape if extent != -1)
        if rest and size % rest == 0:
            shape = tuple(size // rest if extent == -1 else extent for extent in shape)
    if prod(shape) != size or any(extent < 0 for extent in shape):
        raise ShapeError(f"reshape: {size} elements do not fit the shape {show(shape)}")
    return shape


def show(shape: Shape) -> str:
    """A shape for a message; the free number of rows is an ellipsis."""
    inner = ", ".join("…" if extent is None else str(extent) for extent in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
