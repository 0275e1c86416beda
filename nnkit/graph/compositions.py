# ruff: noqa: D103  # the standard documents its functions
"""The standard's functions that are made of its others. They become methods of the namespace, their first argument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnkit.errors import ShapeError
from nnkit.graph.shapes import axes_of, axis_number, broadcast, extents, fixed, show

if TYPE_CHECKING:
    from nnkit.graph.namespace import Axis, DType, Namespace
    from nnkit.graph.tracing import TracedArray as Array

# -- creation


def eye(
    xp: Namespace, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType = None, device: Any = None
) -> Array:
    columns = xp.arange(n_rows if n_cols is None else n_cols)
    return xp.astype(columns - k == xp.expand_dims(xp.arange(n_rows), axis=1), dtype or "float64")


def tril(xp: Namespace, x: Array, /, *, k: int = 0) -> Array:
    return _triangle(xp, x, lambda row, column: column <= row + k)


def triu(xp: Namespace, x: Array, /, *, k: int = 0) -> Array:
    return _triangle(xp, x, lambda row, column: column >= row + k)


def _triangle(xp: Namespace, x: Array, rule: Any) -> Array:
    """By selection: a mask would leave NaN where x is infinite, as in causal masks."""
    if x.ndim < 2:
        raise ShapeError(f"tril, triu: need at least two dimensions, got {show(x.shape)}")
    rows, columns = fixed(x.shape, "tril")[-2:]
    return xp.where(rule(xp.expand_dims(xp.arange(rows), axis=1), xp.arange(columns)), x, xp.zeros_like(x))


# -- reductions and searches


def mean(xp: Namespace, x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return xp.divide(xp.sum(x, axis=axis, keepdims=keepdims), _count(x, axis))


def var(xp: Namespace, x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    centred = x - mean(xp, x, axis=axis, keepdims=True)
    total = xp.sum(xp.square(centred), axis=axis, keepdims=keepdims)
    return xp.divide(total, max(_count(x, axis) - correction, 0))


def std(xp: Namespace, x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    return xp.sqrt(var(xp, x, axis=axis, correction=correction, keepdims=keepdims))


def _count(x: Array, axis: Axis) -> int:
    return math.prod(fixed(x.shape, "mean")[a] for a in axes_of("mean", axis, x.ndim))


def sort(xp: Namespace, x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    return take_along_axis(xp, x, xp.argsort(x, axis=axis, descending=descending), axis=axis)


def take_along_axis(xp: Namespace, x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """By ``take`` on the flat array, at the linear index of each element."""
    axis, shape = axis_number("take_along_axis", axis, x.ndim), fixed(x.shape, "take_along_axis")
    if indices.ndim != x.ndim:
        raise ShapeError(f"take_along_axis: indices need {x.ndim} dimensions like the array, got {show(indices.shape)}")
    wanted = xp.astype(indices, "int64")
    linear = xp.where(wanted < 0, wanted + shape[axis], wanted) * math.prod(shape[axis + 1 :])
    for other, extent in enumerate(shape):
        if other != axis:
            line = xp.arange(extent) * math.prod(shape[other + 1 :])
            linear = linear + xp.reshape(line, tuple(extent if a == other else 1 for a in range(x.ndim)))
    flat = xp.take(xp.reshape(x, (-1,)), xp.reshape(linear, (-1,)), axis=0)
    return xp.reshape(flat, fixed(linear.shape, "take_along_axis"))


# -- products


def vecdot(xp: Namespace, x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    one, two = (x.shape[axis_number("vecdot", axis, x.ndim)] for x in (x1, x2))
    if one != two:
        raise ShapeError(f"vecdot: the sizes {one} and {two} of axis {axis} differ")
    product = x1 * x2
    return xp.sum(product, axis=axis, dtype=product.dtype)


def tensordot(xp: Namespace, x1: Array, x2: Array, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Array:
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    first, second = ([axis_number("tensordot", a, x.ndim) for a in s] for x, s in ((x1, axes[0]), (x2, axes[1])))
    rest1, rest2 = ([a for a in range(x.ndim) if a not in s] for x, s in ((x1, first), (x2, second)))
    inner1, outer1 = (tuple(fixed(x1.shape, "tensordot")[a] for a in s) for s in (first, rest1))
    inner2, outer2 = (tuple(fixed(x2.shape, "tensordot")[a] for a in s) for s in (second, rest2))
    if inner1 != inner2:
        raise ShapeError(f"tensordot: the sizes {show(inner1)} and {show(inner2)} of the axes to sum over differ")
    left = xp.reshape(xp.permute_dims(x1, (*rest1, *first)), (math.prod(outer1), math.prod(inner1)))
    right = xp.reshape(xp.permute_dims(x2, (*second, *rest2)), (math.prod(inner2), math.prod(outer2)))
    return xp.reshape(left @ right, outer1 + outer2)


# -- shape


def broadcast_shapes(xp: Namespace, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    return broadcast("broadcast_shapes", *shapes)


def broadcast_arrays(xp: Namespace, *arrays: Array) -> tuple[Array, ...]:
    shape = broadcast("broadcast_arrays", *(array.shape for array in arrays))
    return tuple(xp.broadcast_to(array, shape) for array in arrays)


def stack(xp: Namespace, arrays: Sequence[Array], /, *, axis: int = 0) -> Array:
    place = axis_number("stack", axis, arrays[0].ndim + 1) if arrays else 0
    return xp.concat([xp.expand_dims(array, axis=place) for array in arrays], axis=place)


def unstack(xp: Namespace, x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    before = (slice(None),) * axis_number("unstack", axis, x.ndim)
    return tuple(x[(*before, i)] for i in range(fixed(x.shape, "unstack")[len(before)]))


def moveaxis(xp: Namespace, x: Array, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Array:
    taken, given = ([axis_number("moveaxis", a, x.ndim) for a in extents(axes)] for axes in (source, destination))
    order = [axis for axis in range(x.ndim) if axis not in taken]
    for place, axis in sorted(zip(given, taken, strict=True)):
        order.insert(place, axis)
    return xp.permute_dims(x, order)


def repeat(xp: Namespace, x: Array, repeats: int, /, *, axis: int | None = None) -> Array:
    x = xp.reshape(x, (-1,)) if axis is None else x
    place, shape = axis_number("repeat", axis or 0, x.ndim), fixed(x.shape, "repeat")
    wide = xp.broadcast_to(xp.expand_dims(x, axis=place + 1), (*shape[: place + 1], repeats, *shape[place + 1 :]))
    return xp.reshape(wide, (*shape[:place], shape[place] * repeats, *shape[place + 1 :]))


def roll(xp: Namespace, x: Array, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> Array:
    if axis is None:
        return xp.reshape(roll(xp, xp.reshape(x, (-1,)), shift, axis=0), fixed(x.shape, "roll"))
    places = [axis_number("roll", a, x.ndim) for a in extents(axis)]
    for distance, place in zip(extents(shift) * (1 if isinstance(shift, tuple) else len(places)), places, strict=True):
        before, cut = (slice(None),) * place, -distance % max(x.shape[place] or 1, 1)
        x = xp.concat([x[(*before, slice(cut, None))], x[(*before, slice(cut))]], axis=place) if cut else x
    return x
