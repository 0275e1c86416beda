"""Reductions along axes, and the two index reductions."""

from __future__ import annotations

from typing import Any

from nnkit.errors import DtypeError, ShapeError
from nnkit.graph.dtypes import kind
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Rule, Type, add_rows, elements
from nnkit.graph.shapes import fixed, reduced, show

Axes = tuple[int, ...]
NUMERIC = ("float", "signed", "unsigned")


def _checked(name: str, x: Type, kinds: tuple[str, ...]) -> Axes:
    if kind(x.dtype) not in kinds:
        raise DtypeError(f"{name}: works on {' and '.join(kinds)} arrays, got {x.dtype}; convert with xp.astype")
    return fixed(x.shape, name)


def _row(name: str, kinds: tuple[str, ...], rule: Rule | None, empty: bool, result: str | None = None) -> Primitive:
    """A reduction over axes, or over one; ``empty`` tells whether it has a value over no elements."""

    def infer(x: Type, axis: Axes | int, keepdims: bool) -> Type:
        shape = _checked(name, x, kinds)
        axes = (axis,) if isinstance(axis, int) else axis
        if not empty and any(shape[a] == 0 for a in axes):
            raise ShapeError(f"{name}: there is no {name} over no elements; the array has shape {show(shape)}")
        return Type(reduced(shape, axes, keepdims), result or x.dtype)

    def evaluate(run: Evaluator, x: Array, axis: Axes | int, keepdims: bool) -> Array:
        return getattr(run.xp, name)(x, axis=axis, keepdims=keepdims)

    def flops(output: Type, x: Type, **_: object) -> int:
        return elements(x.shape)

    return Primitive(name, "reduction", infer, evaluate, (rule,), flops)


def _spread(xp: Any, value: Array, x: Array, axis: Axes) -> Array:
    """The result of a reduction, shaped so that it broadcasts against the operand."""
    return xp.reshape(value, reduced(x.shape, axis, keepdims=True))


def _sum_back(xp: Any, g: Array, out: Array, x: Array, axis: Axes, keepdims: bool, dtype: str = "") -> Array:
    return xp.broadcast_to(_spread(xp, g, x, axis), x.shape)


def _extremum_back(xp: Any, g: Array, out: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
    hit = xp.astype(x == _spread(xp, out, x, axis), x.dtype)  # ties share
    return hit * (_spread(xp, g, x, axis) / xp.sum(hit, axis=axis, keepdims=True))


def _infer_sum(x: Type, axis: Axes, keepdims: bool, dtype: str = "") -> Type:
    """``dtype`` is the type of the sums where it is wider than that of the terms: the planner's own option."""
    found = _sum.infer(x, axis=axis, keepdims=keepdims)
    return Type(found.shape, dtype or found.dtype)


def _evaluate_sum(run: Evaluator, x: Array, axis: Axes, keepdims: bool, dtype: str = "") -> Array:
    return run.xp.sum(x, axis=axis, keepdims=keepdims, dtype=run.dtype(dtype) if dtype else x.dtype)


def _infer_argsort(x: Type, axis: int, descending: bool) -> Type:
    return Type(_checked("argsort", x, NUMERIC), "int64")


def _infer_cumulative(x: Type, axis: int) -> Type:
    return Type(_checked("cumulative_sum", x, NUMERIC), x.dtype)


def _cumulative_back(xp: Any, g: Array, out: Array, x: Array, axis: int) -> Array:
    return xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis)


_sum = _row("sum", NUMERIC, _sum_back, empty=True)

add_rows(
    [
        Primitive("sum", "reduction", _infer_sum, _evaluate_sum, _sum.derivatives, _sum.flops),
        _row("max", NUMERIC, _extremum_back, empty=False),
        _row("min", NUMERIC, _extremum_back, empty=False),
        _row("all", ("bool",), None, empty=True, result="bool"),
        _row("any", ("bool",), None, empty=True, result="bool"),
        _row("argmax", NUMERIC, None, empty=False, result="int64"),
        _row("argmin", NUMERIC, None, empty=False, result="int64"),
        Primitive(
            "argsort",
            "reduction",
            _infer_argsort,
            lambda run, x, axis, descending: run.xp.astype(
                run.xp.argsort(x, axis=axis, descending=descending), run.dtype("int64")
            ),
            (None,),
            lambda output, x, **_: elements(x.shape),
        ),
        Primitive(
            "cumulative_sum",
            "reduction",
            _infer_cumulative,
            lambda run, x, axis: run.xp.cumulative_sum(x, axis=axis, dtype=x.dtype),
            (_cumulative_back,),
            lambda output, x, **_: elements(x.shape),
        ),
    ]
)
