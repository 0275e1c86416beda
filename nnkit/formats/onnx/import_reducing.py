"""ONNX's operators over axes, sums and normalisations, by NumPy. Each takes attributes, opset and inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from nnkit import ops
from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_rearranging import axes_in

Attributes = Mapping[str, Any]


def _reduced(function: Callable[..., Any]) -> Callable[..., Array]:
    def evaluate(attributes: Attributes, opset: int, x: Array, given: Array | None = None) -> Array:
        axes = axes_in(attributes, given, x.ndim)
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return x
        return np.asarray(function(x, axis=axes or None, keepdims=bool(attributes.get("keepdims", 1))))

    return evaluate


def _softmax(function: Callable[..., Any]) -> Callable[..., Array]:
    """Before version 13, over all axes from ``axis`` on, which is 1 if it is not given."""

    def evaluate(attributes: Attributes, opset: int, x: Array) -> Array:
        axis = attributes.get("axis", 1 if opset < 13 else -1)
        if opset >= 13:
            return np.asarray(function(x, axis))
        axis = axis + x.ndim if axis < 0 else axis
        return np.asarray(function(x.reshape(prod(x.shape[:axis]), -1), -1)).reshape(x.shape)

    return evaluate


def _standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    centred = x - x.mean(axis=axes, keepdims=True)
    return np.asarray(centred / np.sqrt(np.mean(centred**2, axis=axes, keepdims=True) + epsilon))


def _last_axes(attributes: Attributes, x: Array) -> tuple[int, ...]:
    return tuple(range(x.ndim))[attributes.get("axis", -1) :]


def _layer_norm(attributes: Attributes, opset: int, x: Array, scale: Array, bias: Array | None = None) -> Array:
    found = _standardised(x, _last_axes(attributes, x), attributes.get("epsilon", 1e-5)) * scale
    return found if bias is None else found + bias


def _rms_norm(attributes: Attributes, opset: int, x: Array, scale: Array) -> Array:
    square = np.mean(x**2, axis=_last_axes(attributes, x), keepdims=True)
    return np.asarray(x / np.sqrt(square + attributes.get("epsilon", 1e-5)) * scale)


def _instance_norm(attributes: Attributes, opset: int, x: Array, scale: Array, bias: Array) -> Array:
    along = (-1, *(1,) * (x.ndim - 2))
    found = _standardised(x, tuple(range(2, x.ndim)), attributes.get("epsilon", 1e-5))
    return found * scale.reshape(along) + bias.reshape(along)


def _group_norm(attributes: Attributes, opset: int, x: Array, scale: Array, bias: Array) -> Array:
    """Scale and bias are of the groups before version 21, and of the channels since."""
    groups = attributes["num_groups"]
    found = _standardised(x.reshape(x.shape[0], groups, -1), (2,), attributes.get("epsilon", 1e-5))
    if opset < 21:
        return np.asarray(found * scale.reshape(groups, 1) + bias.reshape(groups, 1)).reshape(x.shape)
    along = (-1, *(1,) * (x.ndim - 2))
    return np.asarray(found.reshape(x.shape) * scale.reshape(along) + bias.reshape(along))


def _top_k(attributes: Attributes, opset: int, x: Array, count: Array | None = None) -> list[Array]:
    axis, largest = attributes.get("axis", -1), attributes.get("largest", 1)
    places = np.argsort(-x if largest else x, axis=axis, kind="stable")
    places = np.take(places, np.arange(int(attributes["k"] if count is None else count.item())), axis=axis)
    return [np.take_along_axis(x, places, axis=axis), places]


def _running_sum(attributes: Attributes, opset: int, x: Array, axis: Array) -> Array:
    if attributes.get("exclusive", 0) or attributes.get("reverse", 0):
        raise ValueError("a running sum from the end, or without the number itself, is not read")
    return np.cumsum(x, axis=int(axis.item()))


REDUCING: dict[str, Callable[..., Array | list[Array]]] = {
    "CumSum": _running_sum,
    "GroupNormalization": _group_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "LogSoftmax": _softmax(ops.log_softmax),
    "MatMul": lambda attributes, opset, x, y: np.matmul(x, y),
    "RMSNormalization": _rms_norm,
    "ReduceL1": _reduced(lambda x, **options: np.sum(np.abs(x), **options)),
    "ReduceL2": _reduced(lambda x, **options: np.sqrt(np.sum(np.square(x), **options))),
    "ReduceLogSumExp": _reduced(lambda x, **options: np.log(np.sum(np.exp(x), **options))),
    "ReduceMax": _reduced(np.max),
    "ReduceMean": _reduced(np.mean),
    "ReduceMin": _reduced(np.min),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "ReduceSumSquare": _reduced(lambda x, **options: np.sum(np.square(x), **options)),
    "Softmax": _softmax(ops.softmax),
    "TopK": _top_k,
}
