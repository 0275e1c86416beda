"""Rows that move or repeat elements and compute nothing."""

from __future__ import annotations

from math import prod
from typing import Any

from nnkit.errors import ShapeError
from nnkit.graph.dtypes import promote
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Type, add_rows
from nnkit.graph.shapes import broadcast, completed, fixed, show

Extents = tuple[int, ...]


def _infer_reshape(x: Type, shape: Extents) -> Type:
    return Type(completed(shape, prod(fixed(x.shape, "reshape"))), x.dtype)


def _infer_permute(x: Type, axes: Extents) -> Type:
    shape = fixed(x.shape, "permute_dims")
    if sorted(axes) != list(range(len(shape))):
        raise ShapeError(f"permute_dims: axes {axes} must name each of the {len(shape)} axes of {show(shape)} once")
    return Type(tuple(shape[axis] for axis in axes), x.dtype)


def _permute_back(xp: Any, g: Array, out: Array, x: Array, axes: Extents) -> Array:
    return xp.permute_dims(g, tuple(axes.index(axis) for axis in range(len(axes))))


def _infer_broadcast(x: Type, shape: Extents) -> Type:
    if len(shape) < len(x.shape) or min(shape, default=0) < 0 or broadcast("broadcast_to", x.shape, shape) != shape:
        raise ShapeError(f"broadcast_to: {show(x.shape)} cannot become {show(shape)}")
    return Type(shape, x.dtype)


def unbroadcast(xp: Any, g: Array, shape: Extents) -> Array:
    """The gradient of a broadcast operand: the sum over the axes along which it was repeated."""
    extra = g.ndim - len(shape)
    axes = tuple(axis for axis in range(g.ndim) if axis < extra or (shape[axis - extra] == 1 and g.shape[axis] != 1))
    return xp.reshape(xp.sum(g, axis=axes), shape) if axes else g


def _broadcast_back(xp: Any, g: Array, out: Array, x: Array, shape: Extents) -> Array:
    return unbroadcast(xp, g, x.shape)


def _infer_slice(x: Type, start: Extents, stop: Extents, step: Extents) -> Type:
    spans = zip(start, stop, step, fixed(x.shape, "slice"), strict=True)
    return Type(tuple(len(range(first, min(last, extent), stride)) for first, last, stride, extent in spans), x.dtype)


def _evaluate_slice(run: Evaluator, x: Array, start: Extents, stop: Extents, step: Extents) -> Array:
    return x[tuple(slice(*span) for span in zip(start, stop, step, strict=True))]


def _slice_back(xp: Any, g: Array, out: Array, x: Array, start: Extents, stop: Extents, step: Extents) -> Array:
    return xp.place(g, x.shape, start, step)


def _evaluate_place(run: Evaluator, x: Array, shape: Extents, start: Extents, step: Extents) -> Array:
    """Zeros of ``shape`` with x at ``[start::step]``, by joining with zeros: the standard's arrays may be immutable."""
    xp = run.xp
    for axis, (extent, first, stride) in enumerate(zip(shape, start, step, strict=True)):
        if stride > 1:  # a zero after each element, stride - 1 times, by a new axis that is folded back
            gaps = xp.zeros((*x.shape[: axis + 1], stride - 1, *x.shape[axis + 1 :]), dtype=x.dtype, device=run.device)
            spread = xp.concat([xp.expand_dims(x, axis=axis + 1), gaps], axis=axis + 1)
            x = xp.reshape(spread, (*x.shape[:axis], x.shape[axis] * stride, *x.shape[axis + 1 :]))
            kept = min(x.shape[axis], extent - first)
            x = x[(*(slice(None),) * axis, slice(0, kept), ...)]
        sides = (first, extent - first - x.shape[axis])
        zeros = [
            xp.zeros((*x.shape[:axis], side, *x.shape[axis + 1 :]), dtype=x.dtype, device=run.device) for side in sides
        ]
        x = xp.concat([zeros[0], x, zeros[1]], axis=axis)
    return x


def _place_back(xp: Any, g: Array, out: Array, x: Array, shape: Extents, start: Extents, step: Extents) -> Array:
    spans = zip(start, x.shape, step, strict=True)
    return g[
        tuple(
            slice(first, first + stride * (count - 1) + 1 if count else first, stride) for first, count, stride in spans
        )
    ]


def _infer_concat(*parts: Type, axis: int) -> Type:
    shapes = [fixed(part.shape, "concat") for part in parts]
    rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(rest) > 1 or len(set(map(len, shapes))) > 1:
        raise ShapeError(f"concat: shapes {' and '.join(map(show, shapes))} differ outside axis {axis}")
    total = sum(shape[axis] for shape in shapes)
    return Type((*shapes[0][:axis], total, *shapes[0][axis + 1 :]), promote("concat", *(p.dtype for p in parts)))


class _ConcatBack:
    """Derivative rules for any number of operands: operand i gets its own stretch of the gradient."""

    def __getitem__(self, operand: int) -> Any:
        def rule(xp: Any, g: Array, out: Array, *parts: Array, axis: int) -> Array:
            first = sum(part.shape[axis] for part in parts[:operand])
            stretch = slice(first, first + parts[operand].shape[axis])
            return g[(slice(None),) * axis + (stretch,)]

        return rule


def _infer_flip(x: Type, axis: Extents) -> Type:
    return Type(fixed(x.shape, "flip"), x.dtype)


add_rows(
    [
        Primitive(
            "reshape",
            "shape",
            _infer_reshape,
            lambda run, x, shape: run.xp.reshape(x, shape),
            (lambda xp, g, out, x, shape: xp.reshape(g, x.shape),),
        ),
        Primitive(
            "permute_dims", "shape", _infer_permute, lambda run, x, axes: run.xp.permute_dims(x, axes), (_permute_back,)
        ),
        Primitive(
            "broadcast_to",
            "shape",
            _infer_broadcast,
            lambda run, x, shape: run.xp.broadcast_to(x, shape),
            (_broadcast_back,),
        ),
        Primitive("slice", "shape", _infer_slice, _evaluate_slice, (_slice_back,)),
        Primitive(
            "place", "shape", lambda x, shape, start, step: Type(shape, x.dtype), _evaluate_place, (_place_back,)
        ),
        Primitive(
            "concat",
            "shape",
            _infer_concat,
            lambda run, *parts, axis: run.xp.concat(list(parts), axis=axis),
            _ConcatBack(),  # type: ignore[arg-type]  # indexed like a tuple
        ),
        Primitive(
            "flip",
            "shape",
            _infer_flip,
            lambda run, x, axis: run.xp.flip(x, axis=axis),
            (lambda xp, g, out, x, axis: xp.flip(g, axis=axis),),
        ),
    ]
)
