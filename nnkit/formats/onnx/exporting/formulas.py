"""Operations that ONNX lacks, by those that it has: each formula is written once, with the standard, for traced arrays.

They are exact to a few units in the last place where the obvious formula is not: near 0, and where parts overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, pi
from math import log as ln
from typing import Any

from nnkit.graph.dtypes import kind
from nnkit.graph.primitives import PRIMITIVES

Array = Any
Formula = Callable[..., Array]
LOWEST, BITS = -(2**63), 64
SHORTER = ("uint8", "uint16", "uint32")
LARGEST = 1e17
"""Its arc tangent is π/2 to the last bit of float64."""


class Inlined:
    """What the evaluation of a row may use, inside a trace: the row becomes the operations that it is made of."""

    device = None

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def dtype(self, name: str) -> str:
        """The trace's data types are their names."""
        return name


def inlined(operation: str) -> Formula:
    """The evaluation of a row, traced."""

    def formula(xp: Any, *operands: Array, **options: Any) -> Array:
        return PRIMITIVES[operation].evaluate(Inlined(xp), *operands, **options)

    return formula


# -- exponentials and logarithms


def expm1(xp: Any, x: Array) -> Array:
    """exp(x) − 1 = tanh(x/2) (exp(x) + 1), which loses no digits near 0."""
    return xp.tanh(x * 0.5) * (xp.exp(x) + 1.0)


def log1p(xp: Any, x: Array) -> Array:
    """log(u) · x / (u − 1) with u = 1 + x as it is rounded: the two roundings cancel.

    Kahan, in Goldberg, "What every computer scientist should know about floating-point arithmetic", ACM Computing
    Surveys 23, 1991, theorem 4.
    """
    u = x + 1.0
    rounded = u - 1.0
    known = (rounded == x) | (rounded == 0)  # nothing was lost, or all of it
    corrected = xp.log(u) * (x / xp.where(known, 1.0, rounded))
    return xp.where(rounded == 0, x, xp.where(rounded == x, xp.log(u), corrected))


def logaddexp(xp: Any, x: Array, y: Array) -> Array:
    """The larger one + log(1 + exp(−|x − y|)); equal ones may be infinite."""
    distance = xp.where(x == y, 0.0, abs(x - y))
    return xp.maximum(x, y) + xp.log1p(xp.exp(-distance))


def log2(xp: Any, x: Array) -> Array:
    """log(x) / log(2)."""
    return xp.log(x) / ln(2.0)


def log10(xp: Any, x: Array) -> Array:
    """log(x) / log(10)."""
    return xp.log(x) / ln(10.0)


# -- angles and hyperbolic functions, of which runtimes have no kernels in double


def atan(xp: Any, x: Array) -> Array:
    """One step of Newton's method from the value in float32, by tan(a − b) = (tan a − tan b) / (1 + tan a tan b)."""
    bounded = xp.clip(x, -LARGEST, LARGEST)
    near = xp.astype(xp.atan(xp.astype(bounded, "float32")), x.dtype)
    sine, cosine = xp.sin(near), xp.cos(near)
    return near + (bounded * cosine - sine) / (cosine + bounded * sine)


def asin(xp: Any, x: Array) -> Array:
    """The angle whose tangent is x / √(1 − x²)."""
    return xp.atan(x / xp.sqrt((1.0 - x) * (1.0 + x)))


def acos(xp: Any, x: Array) -> Array:
    """Twice the angle whose tangent is √((1 − x) / (1 + x))."""
    return xp.atan(xp.sqrt((1.0 - x) / (1.0 + x))) * 2.0


def atan2(xp: Any, y: Array, x: Array) -> Array:
    """The arc tangent of y/x, moved by π where x is negative; where both are infinite, of their signs."""
    endless = (abs(x) == inf) & (abs(y) == inf)
    y, x = xp.where(endless, xp.sign(y), y), xp.where(endless, xp.sign(x), x)
    nothing = (x == 0) & (y == 0)
    angle = xp.where(nothing, y, xp.atan(y / xp.where(nothing, 1.0, x)))
    half_turn = xp.where(_negative(y), -pi, xp.full_like(y, pi))
    return xp.where(_negative(x), angle + half_turn, angle)


def _negative(x: Array) -> Array:
    """Whether the sign is −, that of −0 too."""
    return (x < 0) | ((x == 0) & (1.0 / x < 0))


def tan(xp: Any, x: Array) -> Array:
    """sin(x) / cos(x)."""
    return xp.sin(x) / xp.cos(x)


def sinh(xp: Any, x: Array) -> Array:
    """tanh(x) cosh(x)."""
    return xp.tanh(x) * xp.cosh(x)


def cosh(xp: Any, x: Array) -> Array:
    """(exp(|x|) + exp(−|x|)) / 2, the first as a square, so that it is finite for as long as the result is."""
    root = xp.exp(abs(x) * 0.5)
    return root * (root * 0.5) + xp.exp(-abs(x)) * 0.5


def asinh(xp: Any, x: Array) -> Array:
    """sign(x) log(1 + a + a / (1/a + √(1/a² + 1))) with a = |x|."""
    size = abs(x)
    inverse = 1.0 / size
    return xp.sign(x) * xp.log1p(size + size / (inverse + xp.sqrt(xp.square(inverse) + 1.0)))


def acosh(xp: Any, x: Array) -> Array:
    """log(1 + t + √t √(t + 2)) with t = x − 1."""
    above = x - 1.0
    return xp.log1p(above + xp.sqrt(above) * xp.sqrt(above + 2.0))


def atanh(xp: Any, x: Array) -> Array:
    """sign(x) log(1 + 2a / (1 − a)) / 2 with a = |x|."""
    size = abs(x)
    return xp.sign(x) * 0.5 * xp.log1p(size * 2.0 / (1.0 - size))


def hypot(xp: Any, x: Array, y: Array) -> Array:
    """a √(1 + (b/a)²) with the larger a and the smaller b of the two sizes: no square overflows."""
    larger, smaller = xp.maximum(abs(x), abs(y)), xp.minimum(abs(x), abs(y))
    plain = (larger == 0) | (larger == inf)
    return larger * xp.sqrt(xp.square(smaller / xp.where(plain, 1.0, larger)) + 1.0)


# -- small things


def square(xp: Any, x: Array) -> Array:
    """x · x."""
    return x * x


def trunc(xp: Any, x: Array) -> Array:
    """sign(x) ⌊|x|⌋; whole numbers stay."""
    return xp.sign(x) * xp.floor(abs(x)) if kind(x.dtype) == "float" else x


def same(xp: Any, x: Array) -> Array:
    """x itself."""
    return x


def isinf(xp: Any, x: Array) -> Array:
    """Whether |x| is infinite."""
    return abs(x) == inf


def isfinite(xp: Any, x: Array) -> Array:
    """Whether |x| is below infinity, which NaN is not."""
    return abs(x) < inf


def not_equal(xp: Any, x: Array, y: Array) -> Array:
    """Not equal."""
    return xp.logical_not(x == y)


def negative(xp: Any, x: Array) -> Array:
    """0 − x, for numbers without sign."""
    return 0 - x


def choose(xp: Any, condition: Array, x: Array, y: Array) -> Array:
    """Of truths: x where the condition holds, else y."""
    return (condition & x) | (xp.logical_not(condition) & y)


def all_of(xp: Any, x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """No element is false: true where there is none at all."""
    return xp.sum(xp.astype(xp.logical_not(x), "int64"), axis=axis, keepdims=keepdims) == 0


def any_of(xp: Any, x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Some element is true."""
    return xp.sum(xp.astype(x, "int64"), axis=axis, keepdims=keepdims) > 0


def first_of_sorted(descending: bool) -> Formula:
    """The index of the extreme as the first of an order, which is stable."""

    def formula(xp: Any, x: Array, axis: int, keepdims: bool) -> Array:
        order = xp.argsort(x, axis=axis, descending=descending)
        first = order[(*(slice(None),) * axis, slice(0, 1))]
        return first if keepdims else xp.squeeze(first, axis=axis)

    return formula


def product(a: Array, b: Array, transpose_a: bool = False, transpose_b: bool = False) -> Array:
    """The matrix product, with its flags as transposes."""
    return (a.mT if transpose_a else a) @ (b.mT if transpose_b else b)


# -- whole numbers


def floor_divide(xp: Any, x: Array, y: Array) -> Array:
    """(x − x mod y) / y, which is whole but for its rounding; by an infinite y it is 0 or −1, by 0 it is x/y."""
    quotient = xp.round((x - xp.remainder(x, y)) / y)
    below = xp.where((x != 0) & ((x < 0) != (y < 0)), -1.0, 0.0 * x)
    quotient = xp.where((abs(y) == inf) & (abs(x) < inf), below, quotient)
    return xp.where(y == 0, x / y, quotient)


def shifted_left(xp: Any, x: Array, by: Array) -> Array:
    """In 64 bits, of which the lowest are kept."""
    wide = xp.astype(x, "uint64") << xp.astype(by, "uint64")
    return xp.astype(xp.where(by < BITS, wide, 0), x.dtype)


def shifted_right(xp: Any, x: Array, by: Array) -> Array:
    """Of negative numbers as ~(~x >> n), which shifts in ones."""
    steps = xp.astype(xp.minimum(by, BITS - 1), "uint64")
    size = xp.where(x < 0, -1 - x, x) if kind(x.dtype) == "signed" else x
    moved = xp.astype(xp.astype(size, "uint64") >> steps, x.dtype)
    return xp.where(x < 0, -1 - moved, moved) if kind(x.dtype) == "signed" else moved


def inverted(xp: Any, x: Array) -> Array:
    """~x = −1 − x."""
    return xp.astype(-1 - xp.astype(x, "int64"), x.dtype)


def sign_of_unsigned(xp: Any, x: Array) -> Array:
    """1, and 0 for 0."""
    return xp.astype(x != 0, x.dtype)


def ordered(operation: str, back: bool = False) -> Formula:
    """Of uint64 by int64: both have the same order when 2⁶³ is taken off."""

    def formula(xp: Any, *operands: Array, **options: Any) -> Array:
        signed = [xp.astype(operand, "int64") + LOWEST for operand in operands]
        found = signed[0].trace.record(operation, signed, **options)
        return xp.astype(found + LOWEST, "uint64") if back else found

    return formula
