# ruff: noqa: D102  # the standard documents its functions
"""The namespace of one trace: the standard's functions with the standard's signatures, and nnkit's extra primitives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import isfunction
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.errors import NnkitError, ShapeError, TraceError
from nnkit.graph import compositions, dtypes
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.primitives.creation import Constant
from nnkit.graph.shapes import axes_of, axis_number, completed, extents, fixed, show

if TYPE_CHECKING:
    from nnkit.graph.tracing import Trace, TracedArray

Axis = int | Sequence[int] | None
DType = str | None
Extents = tuple[int, ...]
DEFAULTS = {bool: "bool", int: "int64", float: "float64"}


class Namespace:
    """What ``x.__array_namespace__()`` gives inside a trace; documented in the standard, version 2025.12."""

    e, inf, nan, newaxis, pi = math.e, math.inf, math.nan, None, math.pi
    __array_api_version__, __name__ = "2025.12", "nnkit.graph"  # array-api-compat compares namespaces by name

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __getattr__(self, name: str) -> Callable[..., TracedArray]:
        raise AttributeError(
            f"nnkit traces no function '{name}'; it has: {', '.join(n for n in dir(self) if n[0] != '_')}"
        )

    # -- creation

    def asarray(self, obj: Any, /, *, dtype: DType = None, device: Any = None, copy: bool | None = None) -> TracedArray:
        """A constant of the graph, or a traced array as it is."""
        from nnkit.graph.tracing import TracedArray

        if isinstance(obj, TracedArray):
            return obj if dtype is None else self.astype(obj, dtype)
        if type(obj) in DEFAULTS:
            dtype = dtype or DEFAULTS[type(obj)]
            return self._trace.record("constant", (), value=dtypes.typed("asarray", obj, dtype), dtype=dtype)
        array = np.asarray(obj)
        if dtype not in (None, "bfloat16") and dtypes.kind(dtype):
            array = array.astype(dtype)
        if str(array.dtype) not in dtypes.KNOWN:
            raise TraceError(f"asarray: cannot make a constant of {type(obj).__name__} with data type {array.dtype}")
        constant = self._trace.record("constant", (), value=Constant(array), dtype=str(array.dtype))
        return constant if dtype is None else self.astype(constant, dtype)

    def full(
        self, shape: int | tuple[int, ...], fill_value: Any, *, dtype: DType = None, device: Any = None
    ) -> TracedArray:
        return self.broadcast_to(self.asarray(fill_value, dtype=dtype), extents(shape))

    def zeros(self, shape: int | tuple[int, ...], *, dtype: DType = None, device: Any = None) -> TracedArray:
        return self.full(shape, 0, dtype=dtype or "float64")

    def ones(self, shape: int | tuple[int, ...], *, dtype: DType = None, device: Any = None) -> TracedArray:
        return self.full(shape, 1, dtype=dtype or "float64")

    def zeros_like(self, x: TracedArray, /, *, dtype: DType = None, device: Any = None) -> TracedArray:
        return self.full_like(x, 0, dtype=dtype)

    def ones_like(self, x: TracedArray, /, *, dtype: DType = None, device: Any = None) -> TracedArray:
        return self.full_like(x, 1, dtype=dtype)

    def full_like(self, x: TracedArray, /, fill_value: Any, *, dtype: DType = None, device: Any = None) -> TracedArray:
        return self.full(fixed(x.shape, "full_like"), fill_value, dtype=dtype or x.dtype)

    empty, empty_like = zeros, zeros_like

    def arange(
        self, start: Any, /, stop: Any = None, step: Any = 1, *, dtype: DType = None, device: Any = None
    ) -> TracedArray:
        first, last = (0, start) if stop is None else (start, stop)
        if float in map(type, (first, last, step)):
            return self.asarray(np.arange(first, last, step), dtype=dtype)
        return self._trace.record("arange", (), start=first, stop=last, step=step, dtype=dtype or "int64")

    # -- data types

    def astype(self, x: TracedArray, dtype: str, /, *, copy: bool = True, device: Any = None) -> TracedArray:
        return x if x.dtype == dtype else self._trace.record("astype", (x,), dtype=dtype)

    def isdtype(self, dtype: str, kind: str | tuple[str, ...]) -> bool:
        names = {
            "bool": ("bool",),
            "signed integer": ("signed",),
            "unsigned integer": ("unsigned",),
            "integral": ("signed", "unsigned"),
            "real floating": ("float",),
            "numeric": ("signed", "unsigned", "float"),
        }
        wanted = (kind,) if isinstance(kind, str) else kind
        return any(dtypes.kind(dtype) in names.get(k, ()) or dtype == k for k in wanted)

    def result_type(self, *arrays_and_dtypes: Any) -> str:
        firm = (a for a in arrays_and_dtypes if type(a) not in DEFAULTS)
        return dtypes.promote("result_type", *(a if isinstance(a, str) else a.dtype for a in firm))

    def finfo(self, type: Any, /) -> Any:
        return dtypes.limits(type if isinstance(type, str) else type.dtype)

    def iinfo(self, type: Any, /) -> Any:
        return np.iinfo(type if isinstance(type, str) else type.dtype)

    # -- elementwise, where there is more to do than to record

    def pow(self, x1: Any, x2: Any, /) -> TracedArray:
        if type(x2) in (int, float) and x2 in (0, 1, 2):
            (x,) = self._trace._traced("pow", (x1,))
            return self.ones_like(x) if x2 == 0 else x if x2 == 1 else self._trace.record("square", (x,))
        return self._trace.record("pow", (x1, x2))

    def positive(self, x: TracedArray, /) -> TracedArray:
        return x

    def reciprocal(self, x: TracedArray, /) -> TracedArray:
        return self._trace.record("divide", (1, x))

    def clip(self, x: TracedArray, /, min: Any = None, max: Any = None) -> TracedArray:
        x = x if min is None else self._trace.record("maximum", (x, min), ties="second")
        return x if max is None else self._trace.record("minimum", (x, max), ties="second")

    # -- reductions

    def _reduce(self, name: str, x: TracedArray, axis: Axis, keepdims: bool) -> TracedArray:
        return self._trace.record(name, (x,), axis=axes_of(name, axis, x.ndim), keepdims=bool(keepdims))

    def sum(self, x: TracedArray, /, *, axis: Axis = None, dtype: DType = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("sum", self._accumulated(x, dtype), axis, keepdims)

    def _accumulated(self, x: TracedArray, dtype: DType) -> TracedArray:
        """Integers add up in 64 bits unless ``dtype`` says otherwise, as in the standard."""
        wide = {"signed": "int64", "unsigned": "uint64"}
        return self.astype(x, dtype or wide.get(dtypes.kind(x.dtype), x.dtype))

    def max(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("max", x, axis, keepdims)

    def min(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("min", x, axis, keepdims)

    def all(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("all", x, axis, keepdims)

    def any(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("any", x, axis, keepdims)

    def argmax(self, x: TracedArray, /, *, axis: int | None = None, keepdims: bool = False) -> TracedArray:
        return self._index("argmax", x, axis, keepdims)

    def argmin(self, x: TracedArray, /, *, axis: int | None = None, keepdims: bool = False) -> TracedArray:
        return self._index("argmin", x, axis, keepdims)

    def _index(self, name: str, x: TracedArray, axis: int | None, keepdims: bool) -> TracedArray:
        if axis is None:
            found = self._index(name, self.reshape(x, (-1,)), 0, False)
            return self.reshape(found, (1,) * x.ndim) if keepdims else found
        return self._trace.record(name, (x,), axis=axis_number(name, axis, x.ndim), keepdims=bool(keepdims))

    def argsort(
        self, x: TracedArray, /, *, axis: int = -1, descending: bool = False, stable: bool = True
    ) -> TracedArray:
        return self._trace.record("argsort", (x,), axis=axis_number("argsort", axis, x.ndim), descending=descending)

    def cumulative_sum(
        self, x: TracedArray, /, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False
    ) -> TracedArray:
        place = self._only_axis("cumulative_sum", x, axis)
        total = self._trace.record("cumulative_sum", (self._accumulated(x, dtype),), axis=place)
        if not include_initial:
            return total
        before = (slice(None),) * place
        return self.concat([self.zeros_like(total[(*before, slice(1))]), total], axis=place)

    # -- linear algebra

    def matmul(self, x1: Any, x2: Any, /) -> TracedArray:
        a, b = self._trace._traced("matmul", (x1, x2))
        if 0 in (a.ndim, b.ndim):
            raise ShapeError(f"matmul: operands need at least one dimension, got {show(a.shape)} and {show(b.shape)}")
        left = self.expand_dims(a, axis=0) if a.ndim == 1 else a
        right = self.expand_dims(b, axis=1) if b.ndim == 1 else b
        product = self._trace.record("matmul", (left, right))
        dropped = ((-2,) if a.ndim == 1 else ()) + ((-1,) if b.ndim == 1 else ())
        return self.squeeze(product, axis=dropped) if dropped else product

    def matrix_transpose(self, x: TracedArray, /) -> TracedArray:
        if x.ndim < 2:
            raise ShapeError(f"matrix_transpose: needs at least two dimensions, got {show(x.shape)}")
        return self._trace.record("permute_dims", (x,), axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))

    # -- shape

    def reshape(self, x: TracedArray, /, shape: tuple[int, ...], *, copy: bool | None = None) -> TracedArray:
        whole = completed(extents(shape), math.prod(fixed(x.shape, "reshape")))
        return x if whole == x.shape else self._trace.record("reshape", (x,), shape=whole)

    def permute_dims(self, x: TracedArray, /, axes: Sequence[int]) -> TracedArray:
        return self._trace.record(
            "permute_dims", (x,), axes=tuple(axis_number("permute_dims", a, x.ndim) for a in axes)
        )

    def broadcast_to(self, x: TracedArray, /, shape: tuple[int, ...]) -> TracedArray:
        whole = extents(shape)
        return x if whole == x.shape else self._trace.record("broadcast_to", (x,), shape=whole)

    def expand_dims(self, x: TracedArray, /, axis: int = 0) -> TracedArray:
        place = axis_number("expand_dims", axis, x.ndim + 1)
        shape = fixed(x.shape, "expand_dims")
        return self.reshape(x, (*shape[:place], 1, *shape[place:]))

    def squeeze(self, x: TracedArray, /, axis: int | Sequence[int]) -> TracedArray:
        axes, shape = axes_of("squeeze", axis, x.ndim), fixed(x.shape, "squeeze")
        if any(shape[a] != 1 for a in axes):
            raise ShapeError(f"squeeze: axes {axes} of {show(shape)} are not all of size 1")
        return self.reshape(x, tuple(extent for a, extent in enumerate(shape) if a not in axes))

    def concat(self, arrays: Sequence[TracedArray], /, *, axis: int | None = 0) -> TracedArray:
        if not arrays:
            raise ShapeError("concat: needs at least one array")
        parts = [self.reshape(array, (-1,)) for array in arrays] if axis is None else list(arrays)
        return self._trace.record("concat", parts, axis=axis_number("concat", axis or 0, parts[0].ndim))

    def flip(self, x: TracedArray, /, *, axis: Axis = None) -> TracedArray:
        return self._trace.record("flip", (x,), axis=axes_of("flip", axis, x.ndim))

    # -- indexing

    def getitem(self, x: TracedArray, key: Any) -> TracedArray:
        """``x[key]`` for integers, slices, None and Ellipsis, or one integer array along the first axis."""
        from nnkit.graph.indexing import getitem

        return getitem(self, x, key)

    def take(self, x: TracedArray, indices: TracedArray, /, *, axis: int | None = None) -> TracedArray:
        return self._trace.record("take", (x, indices), axis=self._only_axis("take", x, axis))

    def _only_axis(self, name: str, x: TracedArray, axis: int | None) -> int:
        if axis is None and x.ndim != 1:
            raise ShapeError(f"{name}: an array of {x.ndim} dimensions needs axis=")
        return axis_number(name, 0 if axis is None else axis, x.ndim)

    # -- nnkit's extra primitives

    def scatter_add(self, x: TracedArray, indices: TracedArray, shape: tuple[int, ...], axis: int) -> TracedArray:
        return self._trace.record("scatter_add", (x, indices), shape=shape, axis=axis)

    def place(self, x: TracedArray, shape: Extents, start: Extents, step: Extents) -> TracedArray:
        return self._trace.record("place", (x,), shape=shape, start=start, step=step)


def _elementwise(name: str, operands: int) -> Callable[..., TracedArray]:
    def unary(self: Namespace, x: TracedArray, /) -> TracedArray:
        return self._trace.record(name, (x,))

    def binary(self: Namespace, x1: Any, x2: Any, /) -> TracedArray:
        return self._trace.record(name, (x1, x2))

    def ternary(self: Namespace, condition: TracedArray, x1: Any, x2: Any, /) -> TracedArray:
        return self._trace.record(name, (condition, x1, x2))

    return (unary, binary, ternary)[operands - 1]


def _locating(method: Callable[..., Any]) -> Callable[..., Any]:
    """``method``, whose errors name the layer and the user's line."""

    @wraps(method)
    def call(self: Namespace, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except NnkitError as error:
            raise self._trace.located(error) from None

    return call


# Every elementwise row becomes a function of the standard's signature; data types are attributes.
for _name, _row in PRIMITIVES.items():
    if _row.family == "elementwise" and _name not in vars(Namespace):
        setattr(Namespace, _name, _elementwise(_name, len(_row.derivatives)))
for _name, _value in (*vars(compositions).items(), *vars(Namespace).items()):
    if isfunction(_value) and _value.__module__ in (__name__, compositions.__name__) and not _name.startswith("_"):
        setattr(Namespace, _name, _locating(_value))
for _name in dtypes.KNOWN:
    setattr(Namespace, _name, _name)
