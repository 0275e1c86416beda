"""Gathering rows by index, and its transpose."""

from __future__ import annotations

from typing import Any

from nnkit.errors import DtypeError, ShapeError
from nnkit.graph.dtypes import kind
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Type, add_rows, elements
from nnkit.graph.shapes import fixed, show


def _check_indices(operation: str, indices: Type) -> None:
    if kind(indices.dtype) not in ("signed", "unsigned") or len(indices.shape) != 1:
        raise DtypeError(
            f"{operation}: indices must be one dimension of integers, "
            f"got {indices.dtype} of shape {show(indices.shape)}"
        )


def _infer_take(x: Type, indices: Type, axis: int) -> Type:
    _check_indices("take", indices)
    if None in x.shape[1:] or (None in x.shape and axis != 0):
        raise ShapeError(f"take: only axis 0 may be free, got shape {show(x.shape)} along axis {axis}")
    return Type((*x.shape[:axis], *fixed(indices.shape, "take"), *x.shape[axis + 1 :]), x.dtype)


def _take_back(xp: Any, g: Array, out: Array, x: Array, indices: Array, axis: int) -> Array:
    return xp.scatter_add(g, indices, fixed(x.shape, "the gradient of take"), axis)


def _infer_scatter(x: Type, indices: Type, shape: tuple[int, ...], axis: int) -> Type:
    _check_indices("scatter_add", indices)
    if x.shape != (*shape[:axis], indices.shape[0], *shape[axis + 1 :]):
        raise ShapeError(f"scatter_add: {show(x.shape)} does not fit {show(shape)} along axis {axis}")
    return Type(shape, x.dtype)


def _evaluate_scatter(run: Evaluator, x: Array, indices: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Rows that share an index are summed, by the product with a matrix of one-hot rows: the standard has no other."""
    xp, wide = run.xp, run.dtype("int64")
    slots = xp.arange(shape[axis], dtype=wide, device=run.device)
    indices = xp.astype(indices, wide)
    indices = xp.where(indices < 0, indices + shape[axis], indices)
    hits = xp.astype(xp.expand_dims(slots, axis=1) == xp.expand_dims(indices, axis=0), x.dtype)
    front = xp.permute_dims(x, (axis, *(a for a in range(x.ndim) if a != axis)))
    rows = xp.matmul(hits, xp.reshape(front, (front.shape[0], elements(front.shape[1:]))))
    moved = xp.reshape(rows, (shape[axis], *front.shape[1:]))
    return xp.permute_dims(moved, (*range(1, axis + 1), 0, *range(axis + 1, x.ndim)))


add_rows(
    [
        Primitive(
            "take",
            "indexing",
            _infer_take,
            lambda run, x, indices, axis: run.xp.take(x, run.xp.astype(indices, run.dtype("int64")), axis=axis),
            (_take_back, None),
        ),
        Primitive(
            "scatter_add",
            "indexing",
            _infer_scatter,
            _evaluate_scatter,
            (lambda xp, g, out, x, indices, shape, axis: xp.take(g, indices, axis=axis), None),
            lambda output, x, *_, **__: elements(x.shape),
        ),
    ]
)
