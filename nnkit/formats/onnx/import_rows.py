"""Which layer a function of whole rows is, found by trying it: softmax, normalisation, and their kin.

A function of rows is taken for a layer where both give the same, to five digits, for rows of several sizes and offsets.
Weights are what fits best, feature by feature, or the constants in the file that these are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_pieces import BothClasses, Named, Norm, Piece, Row, Slopes
from nnkit.nn import GroupNorm, LayerNorm, RMSNorm
from nnkit.nn.activations import ACTIVATIONS

_MOST_GROUPS = 64
_WIDEST_GROUPS = 100_000
_EPSILON, _EPSILONS = 1e-5, 8  # of the format where a node has none; how many are tried


def tried_rows(row: Row, count: int) -> Array:
    """Rows of normal numbers, each with its own size and offset; the last is the first with other signs."""
    draw = np.random.default_rng(0)
    size = np.resize([1.0, 0.01, 3.0, 0.1, 7.0, 40.0], count).reshape(-1, *(1,) * len(row))
    offset = np.resize([0.0, 0.3, -0.01, 2.0, -1.0, 0.02, 5.0], count).reshape(-1, *(1,) * len(row))
    rows = np.asarray((draw.normal(size=(count, *row)) + offset) * size)
    rows[-1] = -rows[0]
    return rows


def far_rows(row: Row, count: int) -> Array:
    """Rows of one number each, small ones to very large ones, of both signs."""
    sizes = np.geomspace(1e-3, 1e12, count) * np.resize([1.0, -1.0], count)
    return np.broadcast_to(sizes.reshape(-1, *(1,) * len(row)), (count, *row)).copy()


def has_slopes(x: Array, y: Array, slope: Array) -> bool:
    """Whether y is the parametric relu of x, row by row."""
    return all(_same(part, found) for part, found in zip(np.where(x > 0, x, x * slope), y, strict=True))


def fixed(x: Array, y: Array, place: str) -> Piece | None:
    """The function without weights that gives y for x, if nnkit has one."""
    if x.shape[1:] == (1,) and y.shape == (len(x), 2) and np.array_equal(y, np.hstack([1 - x, x])):
        return BothClasses(place)
    for name, parameters in _candidates(x, y):
        if _same(np.asarray(ACTIVATIONS[name].function(x, **parameters)), y):
            return Named(name, {} if parameters == {"pieces": 2} else parameters)
    return None


def _candidates(x: Array, y: Array) -> Iterator[tuple[str, dict[str, int]]]:
    """Functions that can give such values."""
    inputs, outputs = x.shape[-1], y.shape[-1]
    if inputs == outputs and (y >= 0).all():
        yield "softmax", {}
        yield "sparsemax", {}
    elif inputs == outputs and (y <= 0).all():
        yield "log_softmax", {}
    elif inputs == 2 * outputs:
        yield "glu", {}
    if 0 < outputs < inputs and inputs % outputs == 0:
        yield "maxout", {"pieces": inputs // outputs}


def weighted(x: Array, y: Array, numbers: Iterable[float], constants: list[Array], place: str) -> Piece | None:
    """The layer with weights for each feature that gives y for x, if nnkit has one."""
    if x.shape != y.shape or _same(x, y):
        return None
    vectors = [np.asarray(array, np.float64).ravel() for array in constants if array.size == x.shape[-1]]
    dtype = np.result_type(np.float32, *(array.dtype for array in constants))
    if (slope := _slope(x, y, vectors)) is not None:
        return Slopes(slope.astype(dtype))
    for eps in sorted({_EPSILON, *(number for number in numbers if 0 < number < 1)})[:_EPSILONS]:
        for layer in _norms(x.shape[-1], eps):
            if (fit := _fit(_plain(layer, x), y, "bias" in vars(layer), vectors)) is not None:
                return Norm(layer, {name: value.astype(dtype) for name, value in fit.items()}, place)
    return None


def _norms(features: int, eps: float) -> Iterator[LayerNorm | RMSNorm | GroupNorm]:
    yield LayerNorm(eps)
    yield RMSNorm(eps)
    groups = [count for count in range(1, min(features, _WIDEST_GROUPS)) if features % count == 0]
    yield from (GroupNorm(count, eps) for count in groups[:_MOST_GROUPS])


def _plain(layer: LayerNorm | RMSNorm | GroupNorm, x: Array) -> Array:
    """What a layer of that kind gives with the weight 1 and the bias 0."""
    copy = object.__new__(type(layer))
    vars(copy).update(vars(layer), weight=1.0, bias=0.0)
    return np.asarray(copy(x, None))  # type: ignore[arg-type]  # these layers ask a run for nothing


def _slope(x: Array, y: Array, vectors: list[Array]) -> Array | None:
    """The slopes of a parametric relu."""
    below = np.minimum(x, 0.0)
    axes = tuple(range(x.ndim - 1))
    with np.errstate(all="ignore"):
        slope = (y * below).sum(axis=axes) / (below**2).sum(axis=axes)
    return _snapped(slope, vectors) if _same(np.maximum(x, 0.0) + slope * below, y) else None


def _fit(plain: Array, y: Array, has_bias: bool, vectors: list[Array]) -> dict[str, Array] | None:
    """Weight, and bias if there is one, with which the plain result becomes y."""
    axes = tuple(range(y.ndim - 1))
    with np.errstate(all="ignore"):
        centred = plain - plain.mean(axis=axes) if has_bias else plain
        fit = {"weight": (centred * y).sum(axis=axes) / (centred**2).sum(axis=axes)}
        if has_bias:
            fit["bias"] = (y - plain * fit["weight"]).mean(axis=axes)
        fits = _same(plain * fit["weight"] + fit.get("bias", 0.0), y)
    return {name: _snapped(value, vectors) for name, value in fit.items()} if fits else None


def _snapped(values: Array, vectors: list[Array]) -> Array:
    """The constant that the values are up to rounding, if they are one, or its negative; ones and zeros too."""
    for known in (np.ones_like(values), np.zeros_like(values), *vectors):
        for exact in (known, -known):
            if np.allclose(values, exact, rtol=1e-6, atol=1e-9):
                return exact
    return values


def _same(found: Array, y: Array) -> bool:
    if found.shape != y.shape:
        return False
    size = np.abs(y)
    largest = size.max(initial=0.0)
    with np.errstate(all="ignore"):
        near = np.abs(found - y) <= 2e-6 * (size + min(largest, 1.0))
    return bool(np.isfinite(largest) and near.all())
