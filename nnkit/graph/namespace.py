"""The namespace of one trace: the standard's functions with the standard's signatures, and nnkit's extra primitives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nnkit.errors import ShapeError, TraceError
from nnkit.graph import dtypes
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.primitives.creation import Constant
from nnkit.graph.shapes import axes_of, axis_number, broadcast, completed, fixed, show

if TYPE_CHECKING:
    from nnkit.graph.tracing import Trace, TracedArray

Axis = int | Sequence[int] | None


class Namespace:
    """What ``x.__array_namespace__()`` gives inside a trace; documented in the standard, version 2025.12."""

    e, inf, nan, newaxis, pi = math.e, math.inf, math.nan, None, math.pi

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"nnkit traces no function '{name}'; it has: {', '.join(n for n in dir(self) if n[0] != '_')}"
        )

    # -- creation

    def asarray(
        self, obj: Any, /, *, dtype: str | None = None, device: Any = None, copy: bool | None = None
    ) -> TracedArray:
        """A constant of the graph, or a traced array as it is."""
        from nnkit.graph.tracing import TracedArray

        if isinstance(obj, TracedArray):
            return obj if dtype is None else self.astype(obj, dtype)
        if type(obj) in (bool, int, float) and dtype is not None:
            typed = {"bool": bool, "float": float}.get(dtypes.kind(dtype), int)(obj)
            return self._trace.record("constant", (), value=typed, dtype=dtype)
        array = np.asarray(obj)
        if str(array.dtype) not in dtypes.KNOWN:
            raise TraceError(f"asarray: cannot make a constant of {type(obj).__name__} with data type {array.dtype}")
        constant = self._trace.record("constant", (), value=Constant(array), dtype=str(array.dtype))
        return constant if dtype is None else self.astype(constant, dtype)

    def full(
        self, shape: int | tuple[int, ...], fill_value: Any, *, dtype: str | None = None, device: Any = None
    ) -> TracedArray:
        kinds = {bool: "bool", int: "int64", float: "float64"}
        value = self.asarray(fill_value, dtype=dtype or kinds[type(fill_value)])
        return self.broadcast_to(value, (shape,) if isinstance(shape, int) else tuple(shape))

    def zeros(self, shape: int | tuple[int, ...], *, dtype: str = "float64", device: Any = None) -> TracedArray:
        return self.full(shape, 0, dtype=dtype)

    def ones(self, shape: int | tuple[int, ...], *, dtype: str = "float64", device: Any = None) -> TracedArray:
        return self.full(shape, 1, dtype=dtype)

    def zeros_like(self, x: TracedArray, /, *, dtype: str | None = None, device: Any = None) -> TracedArray:
        return self.full_like(x, 0, dtype=dtype)

    def ones_like(self, x: TracedArray, /, *, dtype: str | None = None, device: Any = None) -> TracedArray:
        return self.full_like(x, 1, dtype=dtype)

    def full_like(
        self, x: TracedArray, /, fill_value: Any, *, dtype: str | None = None, device: Any = None
    ) -> TracedArray:
        return self.full(fixed(x.shape, "full_like"), fill_value, dtype=dtype or x.dtype)

    def arange(
        self, start: int, /, stop: int | None = None, step: int = 1, *, dtype: str = "int64", device: Any = None
    ) -> TracedArray:
        first, last = (0, start) if stop is None else (start, stop)
        return self._trace.record("arange", (), start=first, stop=last, step=step, dtype=dtype)

    def eye(
        self, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: str = "float64", device: Any = None
    ) -> TracedArray:
        columns = self.arange(n_rows if n_cols is None else n_cols)
        return self.astype(columns - k == self.expand_dims(self.arange(n_rows), axis=1), dtype)

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
        return dtypes.promote("result_type", *(a if isinstance(a, str) else a.dtype for a in arrays_and_dtypes))

    def finfo(self, type: Any, /) -> Any:
        return np.finfo(type if isinstance(type, str) else type.dtype)

    def iinfo(self, type: Any, /) -> Any:
        return np.iinfo(type if isinstance(type, str) else type.dtype)

    # -- elementwise, where there is more to do than to record

    def pow(self, x1: Any, x2: Any, /) -> TracedArray:
        if type(x2) in (int, float) and x2 == 2:
            return self._trace.record("square", (x1,))
        if type(x2) in (int, float) and x2 == 1:
            return self._trace.record("multiply", (x1, 1))
        return self._trace.record("pow", (x1, x2))

    def reciprocal(self, x: TracedArray, /) -> TracedArray:
        return 1.0 / x

    def clip(self, x: TracedArray, /, min: Any = None, max: Any = None) -> TracedArray:
        x = x if min is None else self._trace.record("maximum", (x, min), ties="second")
        return x if max is None else self._trace.record("minimum", (x, max), ties="second")

    # -- reductions

    def _reduce(self, name: str, x: TracedArray, axis: Axis, keepdims: bool) -> TracedArray:
        return self._trace.record(name, (x,), axis=axes_of(name, axis, x.ndim), keepdims=bool(keepdims))

    def sum(
        self, x: TracedArray, /, *, axis: Axis = None, dtype: str | None = None, keepdims: bool = False
    ) -> TracedArray:
        return self._reduce("sum", x if dtype is None else self.astype(x, dtype), axis, keepdims)

    def max(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("max", x, axis, keepdims)

    def min(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("min", x, axis, keepdims)

    def all(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("all", x, axis, keepdims)

    def any(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        return self._reduce("any", x, axis, keepdims)

    def mean(self, x: TracedArray, /, *, axis: Axis = None, keepdims: bool = False) -> TracedArray:
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total * (total.size / x.size)

    def var(
        self, x: TracedArray, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
    ) -> TracedArray:
        centred = x - self.mean(x, axis=axis, keepdims=True)
        total = self.sum(self.square(centred), axis=axis, keepdims=keepdims)
        return total * (1.0 / (x.size / total.size - correction))

    def std(
        self, x: TracedArray, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
    ) -> TracedArray:
        return self.sqrt(self.var(x, axis=axis, correction=correction, keepdims=keepdims))

    def argmax(self, x: TracedArray, /, *, axis: int | None = None, keepdims: bool = False) -> TracedArray:
        return self._index("argmax", x, axis, keepdims)

    def argmin(self, x: TracedArray, /, *, axis: int | None = None, keepdims: bool = False) -> TracedArray:
        return self._index("argmin", x, axis, keepdims)

    def _index(self, name: str, x: TracedArray, axis: int | None, keepdims: bool) -> TracedArray:
        if axis is None:
            x, axis = self.reshape(x, (-1,)), 0
        return self._trace.record(name, (x,), axis=axis_number(name, axis, x.ndim), keepdims=keepdims)

    def argsort(
        self, x: TracedArray, /, *, axis: int = -1, descending: bool = False, stable: bool = True
    ) -> TracedArray:
        return self._trace.record("argsort", (x,), axis=axis_number("argsort", axis, x.ndim), descending=descending)

    def sort(self, x: TracedArray, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> TracedArray:
        return self.take_along_axis(x, self.argsort(x, axis=axis, descending=descending), axis=axis)

    def cumulative_sum(self, x: TracedArray, /, *, axis: int | None = None) -> TracedArray:
        if axis is None and x.ndim != 1:
            raise ShapeError(f"cumulative_sum: an array of {x.ndim} dimensions needs axis=")
        return self._trace.record("cumulative_sum", (x,), axis=axis_number("cumulative_sum", axis or 0, x.ndim))

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

    def vecdot(self, x1: TracedArray, x2: TracedArray, /, *, axis: int = -1) -> TracedArray:
        return self.sum(x1 * x2, axis=axis)

    def tensordot(
        self, x1: TracedArray, x2: TracedArray, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
    ) -> TracedArray:
        if isinstance(axes, int):
            axes = (range(x1.ndim - axes, x1.ndim), range(axes))
        first = [axis_number("tensordot", a, x1.ndim) for a in axes[0]]
        second = [axis_number("tensordot", a, x2.ndim) for a in axes[1]]
        rest1, rest2 = ([a for a in range(x.ndim) if a not in s] for x, s in ((x1, first), (x2, second)))
        shape1, shape2 = fixed(x1.shape, "tensordot"), fixed(x2.shape, "tensordot")
        inner = math.prod(shape1[a] for a in first)
        left = self.reshape(self.permute_dims(x1, (*rest1, *first)), (math.prod(shape1[a] for a in rest1), inner))
        right = self.reshape(self.permute_dims(x2, (*second, *rest2)), (inner, math.prod(shape2[a] for a in rest2)))
        return self.reshape(left @ right, (*(shape1[a] for a in rest1), *(shape2[a] for a in rest2)))

    # -- shape

    def reshape(self, x: TracedArray, /, shape: tuple[int, ...], *, copy: bool | None = None) -> TracedArray:
        whole = completed(tuple(shape), math.prod(fixed(x.shape, "reshape")))
        return x if whole == x.shape else self._trace.record("reshape", (x,), shape=whole)

    def permute_dims(self, x: TracedArray, /, axes: Sequence[int]) -> TracedArray:
        return self._trace.record(
            "permute_dims", (x,), axes=tuple(axis_number("permute_dims", a, x.ndim) for a in axes)
        )

    def broadcast_to(self, x: TracedArray, /, shape: tuple[int, ...]) -> TracedArray:
        return x if tuple(shape) == x.shape else self._trace.record("broadcast_to", (x,), shape=tuple(shape))

    def broadcast_arrays(self, *arrays: TracedArray) -> list[TracedArray]:
        shape = broadcast("broadcast_arrays", *(array.shape for array in arrays))
        return [self.broadcast_to(array, shape) for array in arrays]

    def expand_dims(self, x: TracedArray, /, *, axis: int = 0) -> TracedArray:
        place = axis_number("expand_dims", axis, x.ndim + 1)
        shape = fixed(x.shape, "expand_dims")
        return self.reshape(x, (*shape[:place], 1, *shape[place:]))

    def squeeze(self, x: TracedArray, /, axis: int | Sequence[int]) -> TracedArray:
        axes, shape = axes_of("squeeze", axis, x.ndim), fixed(x.shape, "squeeze")
        if any(shape[a] != 1 for a in axes):
            raise ShapeError(f"squeeze: axes {axes} of {show(shape)} are not all of size 1")
        return self.reshape(x, tuple(extent for a, extent in enumerate(shape) if a not in axes))

    def concat(self, arrays: Sequence[TracedArray], /, *, axis: int | None = 0) -> TracedArray:
        parts = [self.reshape(array, (-1,)) for array in arrays] if axis is None else list(arrays)
        return self._trace.record("concat", parts, axis=axis_number("concat", axis or 0, parts[0].ndim))

    def stack(self, arrays: Sequence[TracedArray], /, *, axis: int = 0) -> TracedArray:
        place = axis_number("stack", axis, arrays[0].ndim + 1)
        return self.concat([self.expand_dims(array, axis=place) for array in arrays], axis=place)

    def flip(self, x: TracedArray, /, *, axis: Axis = None) -> TracedArray:
        return self._trace.record("flip", (x,), axis=axes_of("flip", axis, x.ndim))

    def tril(self, x: TracedArray, /, *, k: int = 0) -> TracedArray:
        return x * self._triangle(x, lambda row, column: column <= row + k)

    def triu(self, x: TracedArray, /, *, k: int = 0) -> TracedArray:
        return x * self._triangle(x, lambda row, column: column >= row + k)

    def _triangle(self, x: TracedArray, rule: Any) -> TracedArray:
        rows, columns = fixed(x.shape, "tril")[-2:]
        return self.astype(rule(self.expand_dims(self.arange(rows), axis=1), self.arange(columns)), x.dtype)

    # -- indexing

    def getitem(self, x: TracedArray, key: Any) -> TracedArray:
        """``x[key]`` for integers, slices, None and Ellipsis, or one integer array along the first axis."""
        from nnkit.graph.indexing import getitem

        return getitem(self, x, key)

    def take(self, x: TracedArray, indices: TracedArray, /, *, axis: int | None = None) -> TracedArray:
        if axis is None and x.ndim != 1:
            raise ShapeError(f"take: an array of {x.ndim} dimensions needs axis=")
        return self._trace.record("take", (x, indices), axis=axis_number("take", axis or 0, x.ndim))

    def take_along_axis(self, x: TracedArray, indices: TracedArray, /, *, axis: int = -1) -> TracedArray:
        """By ``take`` on the flat array, at the linear index of each element."""
        axis = axis_number("take_along_axis", axis, x.ndim)
        shape = fixed(x.shape, "take_along_axis")
        linear = self.astype(indices, "int64") * math.prod(shape[axis + 1 :])
        for other, extent in enumerate(shape):
            if other != axis:
                line = self.arange(extent) * math.prod(shape[other + 1 :])
                linear = linear + self.reshape(line, tuple(extent if a == other else 1 for a in range(x.ndim)))
        flat = self.take(self.reshape(x, (-1,)), self.reshape(linear, (-1,)), axis=0)
        return self.reshape(flat, fixed(linear.shape, "take_along_axis"))

    # -- nnkit's extra primitives

    def stop_gradient(self, x: TracedArray) -> TracedArray:
        return self._trace.record("stop_gradient", (x,))

    def erf(self, x: TracedArray) -> TracedArray:
        return self._trace.record("erf", (x,))

    def scatter_add(self, x: TracedArray, indices: TracedArray, shape: tuple[int, ...], axis: int) -> TracedArray:
        return self._trace.record("scatter_add", (x, indices), shape=shape, axis=axis)

    def place(
        self, x: TracedArray, shape: tuple[int, ...], start: tuple[int, ...], step: tuple[int, ...]
    ) -> TracedArray:
        return self._trace.record("place", (x,), shape=shape, start=start, step=step)

    def random_bits(
        self, seed: Sequence[TracedArray], step: TracedArray, stream: tuple[int, int], shape: tuple[int, ...]
    ) -> TracedArray:
        return self._trace.record("random_bits", (*seed, step), stream=stream, shape=tuple(shape))


def _elementwise(name: str, operands: int) -> Any:
    if operands == 1:

        def unary(self: Namespace, x: TracedArray, /) -> TracedArray:
            return self._trace.record(name, (x,))

        return unary
    if operands == 2:

        def binary(self: Namespace, x1: Any, x2: Any, /) -> TracedArray:
            return self._trace.record(name, (x1, x2))

        return binary

    def ternary(self: Namespace, condition: TracedArray, x1: Any, x2: Any, /) -> TracedArray:
        return self._trace.record(name, (condition, x1, x2))

    return ternary


# Every elementwise row becomes a function of the standard's signature; data types are attributes.
for _name, _row in PRIMITIVES.items():
    if _row.family == "elementwise" and _name not in vars(Namespace):
        setattr(Namespace, _name, _elementwise(_name, len(_row.derivatives)))
for _name in dtypes.KNOWN:
    setattr(Namespace, _name, _name)
