"""ONNX's operators on shapes and places, computed with NumPy. Each takes the attributes, the opset and the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from nnkit.data.arrays import Array

Attributes = Mapping[str, Any]


def axes_in(attributes: Attributes, given: Array | None, rank: int) -> tuple[int, ...] | None:
    """Axes from an input, as newer versions have them, or from the attribute ``axes``; from 0 up, None for no axes."""
    axes = attributes.get("axes") if given is None else given.ravel().tolist()
    return None if axes is None else tuple(axis_in(axis, rank) for axis in axes)


def axis_in(axis: Any, rank: int) -> int:
    """An axis, from 0 up."""
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is none of {rank}")
    return int(axis) % rank


def _reshape(attributes: Attributes, opset: int, x: Array, target: Array) -> Array:
    sizes = target.ravel().tolist()
    if not attributes.get("allowzero", 0):
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return x.reshape(sizes)


def _flatten(attributes: Attributes, opset: int, x: Array) -> Array:
    axis = attributes.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


def _squeeze(attributes: Attributes, opset: int, x: Array, given: Array | None = None) -> Array:
    return np.squeeze(x, axes_in(attributes, given, x.ndim))


def _unsqueeze(attributes: Attributes, opset: int, x: Array, given: Array | None = None) -> Array:
    count = len(attributes.get("axes", ()) if given is None else given.ravel())
    return np.expand_dims(x, axes_in(attributes, given, x.ndim + count) or ())


def _slice(attributes: Attributes, opset: int, x: Array, *given: Array | None) -> Array:
    """Begins, ends, axes and steps are inputs since version 10."""
    names = ("starts", "ends", "axes")
    bounds = [None if part is None else part.ravel().tolist() for part in given] or [attributes.get(n) for n in names]
    starts, ends, axes, steps = (*bounds, None, None)[:4]
    if starts is None or ends is None:
        raise ValueError("it has no bounds")
    places = [slice(None)] * x.ndim
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = axis_in(place if axes is None else axes[place], x.ndim)
        step = 1 if steps is None else steps[place]
        places[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(places)]


def _split(attributes: Attributes, opset: int, x: Array, given: Array | None = None, parts: int = 2) -> list[Array]:
    axis = axis_in(attributes.get("axis", 0), x.ndim)
    sizes = attributes.get("split") if given is None else given.ravel().tolist()
    if sizes is None:
        each = -(-x.shape[axis] // parts)
        sizes = [each] * (parts - 1) + [x.shape[axis] - each * (parts - 1)]
    if sum(sizes) != x.shape[axis] or min(sizes) < 0 or len(sizes) != parts:
        raise ValueError(f"{x.shape[axis]} places are split into {list(sizes)}")
    return np.split(x, np.cumsum(sizes)[:-1].tolist(), axis=axis)


def _gather(attributes: Attributes, opset: int, x: Array, places: Array) -> Array:
    return np.take(x, places.astype(np.int64), axis=axis_in(attributes.get("axis", 0), x.ndim))


def _shape(attributes: Attributes, opset: int, x: Array) -> Array:
    return np.array(x.shape[attributes.get("start", 0) : attributes.get("end")], np.int64)


def _constant_of_shape(attributes: Attributes, opset: int, shape: Array) -> Array:
    value = np.asarray(attributes.get("value", np.zeros(1, np.float32)))
    return np.full(shape.ravel().tolist(), value.ravel()[0], value.dtype)


def _expand(attributes: Attributes, opset: int, x: Array, shape: Array) -> Array:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape.ravel().tolist())))


def _range(attributes: Attributes, opset: int, start: Array, stop: Array, step: Array) -> Array:
    return np.arange(start.item(), stop.item(), step.item())


REARRANGING: dict[str, Callable[..., Array | list[Array]]] = {
    "Concat": lambda attributes, opset, *parts: np.concatenate(parts, axis=attributes["axis"]),
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": lambda attributes, opset, x: np.array(x.size, np.int64),
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": lambda attributes, opset, x: np.transpose(x, attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
}

SHAPES_ONLY = frozenset(("Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"))
"""Those that change no number and leave none out."""


def enlarged(kind: str, inputs: list[Array | None], attributes: Attributes) -> int:
    """How many numbers the result has, at most, where that can be more than all inputs together; else 0."""
    given = [part for part in inputs if part is not None]
    size: int
    if kind == "ConstantOfShape":
        return int(prod(map(abs, given[0].ravel().tolist())))
    if kind == "Expand":
        return int(prod(np.broadcast_shapes(given[0].shape, tuple(map(abs, given[1].ravel().tolist())))))
    if kind == "Range":
        start, stop, step = (float(part.item()) for part in given)
        return int(min(abs(stop - start) / max(abs(step), 1e-300), 1e18)) + 1
    if kind == "MatMul":
        size = (given[0].size // max(given[0].shape[-1], 1)) * (given[1].size // max(given[1].shape[0], 1))
        return size
    if kind == "Gather":
        axis = axis_in(attributes.get("axis", 0), given[0].ndim)
        size = given[1].size * (given[0].size // max(given[0].shape[axis], 1))
        return size
    return 0
