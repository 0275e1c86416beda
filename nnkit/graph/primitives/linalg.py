"""The matrix product, over stacks of matrices.

The planner folds transposes into two flags. Two more options are its own as well: ``dtype`` is the type of the result
where operands are halves, whose sums are in float32, and ``tf32`` allows the device to round operands to 10 bits.
"""

from __future__ import annotations

from typing import Any

from nnkit.errors import DtypeError, ShapeError
from nnkit.graph.dtypes import kind, promote
from nnkit.graph.primitives.shape import unbroadcast
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Type, add_rows, elements
from nnkit.graph.shapes import broadcast, fixed, show

SUMS = "float32"
"""The data type in which products of halves add up."""


def _flipped(shape: tuple[int, ...], transpose: bool) -> tuple[int, ...]:
    return (*shape[:-2], shape[-1], shape[-2]) if transpose else shape


def _infer(
    a: Type, b: Type, transpose_a: bool = False, transpose_b: bool = False, dtype: str = "", tf32: bool = False
) -> Type:
    shape_a, shape_b = fixed(a.shape, "matmul"), fixed(b.shape, "matmul")
    dtype = dtype or promote("matmul", a.dtype, b.dtype)
    if kind(dtype) == "bool":
        raise DtypeError("matmul: works on numbers, got bool; convert with xp.astype")
    left, right = _flipped(shape_a, transpose_a), _flipped(shape_b, transpose_b)
    if left[-1] != right[-2]:
        raise ShapeError(
            f"matmul: {show(left)} @ {show(right)}: the last size of the left, {left[-1]}, must equal "
            f"the second-last of the right, {right[-2]}"
        )
    return Type((*broadcast("matmul", left[:-2], right[:-2]), left[-2], right[-1]), dtype)


def _evaluate(
    run: Evaluator,
    a: Array,
    b: Array,
    transpose_a: bool = False,
    transpose_b: bool = False,
    dtype: str = "",
    tf32: bool = False,
) -> Array:
    a, b = (run.xp.astype(side, run.dtype(SUMS)) for side in (a, b)) if dtype else (a, b)
    a = run.xp.matrix_transpose(a) if transpose_a else a
    b = run.xp.matrix_transpose(b) if transpose_b else b
    product = run.xp.matmul(a, b)
    return run.xp.astype(product, run.dtype(dtype)) if dtype else product


def _flops(output: Type, a: Type, b: Type, transpose_a: bool = False, **_: Any) -> int:
    inner = a.shape[-2 if transpose_a else -1] or 0
    return 2 * elements(output.shape) * inner


def _left(
    xp: Any, g: Array, out: Array, a: Array, b: Array, transpose_a: bool = False, transpose_b: bool = False
) -> Array:
    gradient = g @ (b if transpose_b else b.mT)
    return unbroadcast(xp, gradient.mT if transpose_a else gradient, a.shape)


def _right(
    xp: Any, g: Array, out: Array, a: Array, b: Array, transpose_a: bool = False, transpose_b: bool = False
) -> Array:
    gradient = (a if transpose_a else a.mT) @ g
    return unbroadcast(xp, gradient.mT if transpose_b else gradient, b.shape)


add_rows([Primitive("matmul", "linalg", _infer, _evaluate, (_left, _right), _flops)])
