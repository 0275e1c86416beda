"""Elementwise rows. Operands broadcast; differentiate adds the sum over broadcast axes that their gradients need."""

from __future__ import annotations

from math import log as ln
from math import pi, sqrt
from typing import Any

from nnkit.errors import DtypeError
from nnkit.graph.dtypes import kind, promote
from nnkit.graph.primitives.special import erf
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Rule, Type, add_rows, elements
from nnkit.graph.shapes import broadcast

NUMERIC = ("float", "signed", "unsigned")
INTEGER = ("signed", "unsigned")


def _cost(output: Type, *_: Type, **__: object) -> int:
    return elements(output.shape)


def _row(
    name: str, kinds: tuple[str, ...], *derivatives: Rule | None, result: str | None = None, evaluate: Any = None
) -> Primitive:
    """A row with as many operands as derivatives; operands must be of one of ``kinds``; ``result`` is a fixed dtype."""

    def infer(*types: Type, **_: object) -> Type:
        for operand in types:
            if kind(operand.dtype) not in kinds:
                raise DtypeError(
                    f"{name}: works on {' and '.join(kinds)} arrays, got {operand.dtype}; convert with xp.astype"
                )
        dtype = promote(name, *(operand.dtype for operand in types))
        return Type(broadcast(name, *(operand.shape for operand in types)), result or dtype)

    def standard(run: Evaluator, *arrays: Array, **_: object) -> Array:
        return getattr(run.xp, name)(*arrays)

    return Primitive(name, "elementwise", infer, evaluate or standard, derivatives, _cost)


def _mask(xp: Any, condition: Array, like: Array) -> Array:
    """A condition as 0 and 1; gradients are multiplied by it, which is many times faster than a selection."""
    return xp.astype(condition, like.dtype)


add_rows(
    _row(name, ("float",), rule)
    for name, rule in {
        "exp": lambda xp, g, out, x: g * out,
        "expm1": lambda xp, g, out, x: g * (out + 1.0),
        "log": lambda xp, g, out, x: g / x,
        "log1p": lambda xp, g, out, x: g / (x + 1.0),
        "log2": lambda xp, g, out, x: g / (x * ln(2.0)),
        "log10": lambda xp, g, out, x: g / (x * ln(10.0)),
        "sqrt": lambda xp, g, out, x: 0.5 * g / out,
        "sin": lambda xp, g, out, x: g * xp.cos(x),
        "cos": lambda xp, g, out, x: -g * xp.sin(x),
        "tan": lambda xp, g, out, x: g * (1.0 + xp.square(out)),
        "sinh": lambda xp, g, out, x: g * xp.cosh(x),
        "cosh": lambda xp, g, out, x: g * xp.sinh(x),
        "tanh": lambda xp, g, out, x: g * (1.0 - xp.square(out)),
        "asin": lambda xp, g, out, x: g / xp.sqrt(1.0 - xp.square(x)),
        "acos": lambda xp, g, out, x: -g / xp.sqrt(1.0 - xp.square(x)),
        "atan": lambda xp, g, out, x: g / (1.0 + xp.square(x)),
        "asinh": lambda xp, g, out, x: g / xp.sqrt(xp.square(x) + 1.0),
        "acosh": lambda xp, g, out, x: g / xp.sqrt(xp.square(x) - 1.0),
        "atanh": lambda xp, g, out, x: g / (1.0 - xp.square(x)),
    }.items()
)

add_rows(
    _row(name, NUMERIC, rule)
    for name, rule in {
        "negative": lambda xp, g, out, x: -g,
        "abs": lambda xp, g, out, x: g * xp.sign(x),
        "square": lambda xp, g, out, x: g * (2.0 * x),
        "sign": None,
        "floor": None,
        "ceil": None,
        "round": None,
        "trunc": None,
    }.items()
)

add_rows(_row(name, ("float",), None, result="bool") for name in ("isnan", "isinf", "isfinite"))


def _extremum(sign: str) -> tuple[Rule, Rule]:
    """Derivatives of maximum (``sign`` '>') and minimum. Ties share, or go to the second operand: then relu'(0) = 0."""

    def wins(xp: Any, a: Array, b: Array) -> Array:
        return a > b if sign == ">" else a < b

    def first(xp: Any, g: Array, out: Array, x: Array, y: Array, ties: str = "share") -> Array:
        if ties == "second":  # from the stored output: the operand need not be kept
            return g * _mask(xp, wins(xp, out, y), g)
        return g * (_mask(xp, wins(xp, x, y), g) + 0.5 * _mask(xp, x == y, g))

    def second(xp: Any, g: Array, out: Array, x: Array, y: Array, ties: str = "share") -> Array:
        if ties == "second":
            return g * _mask(xp, out == y, g)
        return first(xp, g, out, y, x)

    return first, second


def _power_base(xp: Any, g: Array, out: Array, x: Array, y: Array) -> Array:
    return g * (y * x ** xp.where(y == 0, 1, y - 1.0))  # 0 where the exponent is 0, also at x = 0


def _power_exponent(xp: Any, g: Array, out: Array, x: Array, y: Array) -> Array:
    return g * (out * xp.log(xp.where(x == 0, 1, x)))  # 0 where the base is 0


add_rows(
    _row(name, NUMERIC if name != "divide" else ("float",), *rules)
    for name, rules in {
        "add": (lambda xp, g, out, x, y: g, lambda xp, g, out, x, y: g),
        "subtract": (lambda xp, g, out, x, y: g, lambda xp, g, out, x, y: -g),
        "multiply": (lambda xp, g, out, x, y: g * y, lambda xp, g, out, x, y: g * x),
        "divide": (lambda xp, g, out, x, y: g / y, lambda xp, g, out, x, y: -g * out / y),
        "pow": (_power_base, _power_exponent),
        "maximum": _extremum(">"),
        "minimum": _extremum("<"),
        "floor_divide": (None, None),
        "remainder": (lambda xp, g, out, x, y: g, lambda xp, g, out, x, y: -g * xp.floor(x / y)),
    }.items()
)

add_rows(
    _row(name, ("float",), *rules)
    for name, rules in {
        "atan2": (
            lambda xp, g, out, x, y: g * y / (xp.square(x) + xp.square(y)),
            lambda xp, g, out, x, y: -g * x / (xp.square(x) + xp.square(y)),
        ),
        "hypot": (lambda xp, g, out, x, y: g * (x / out), lambda xp, g, out, x, y: g * (y / out)),
        "logaddexp": (lambda xp, g, out, x, y: g * xp.exp(x - out), lambda xp, g, out, x, y: g * xp.exp(y - out)),
    }.items()
)

add_rows(_row(name, NUMERIC, None, None, result="bool") for name in ("less", "less_equal", "greater", "greater_equal"))
add_rows(_row(name, (*NUMERIC, "bool"), None, None, result="bool") for name in ("equal", "not_equal"))
add_rows(_row(name, ("bool",), None, None) for name in ("logical_and", "logical_or", "logical_xor"))
add_rows([_row("logical_not", ("bool",), None)])
add_rows(_row(name, (*INTEGER, "bool"), None, None) for name in ("bitwise_and", "bitwise_or", "bitwise_xor"))
add_rows(_row(name, INTEGER, None, None) for name in ("bitwise_left_shift", "bitwise_right_shift"))
add_rows([_row("bitwise_invert", (*INTEGER, "bool"), None)])


def _infer_where(condition: Type, x: Type, y: Type) -> Type:
    if condition.dtype != "bool":
        raise DtypeError(f"where: the condition must be bool, got {condition.dtype}; compare first, for example x > 0")
    return Type(broadcast("where", condition.shape, x.shape, y.shape), promote("where", x.dtype, y.dtype))


def _infer_cast(x: Type, dtype: str) -> Type:
    kind(dtype)  # refuses what is no data type
    return Type(broadcast("astype", x.shape), dtype)


def _cast_back(xp: Any, g: Array, out: Array, x: Array, dtype: str) -> Array:
    return xp.astype(g, x.dtype)


add_rows(
    [
        Primitive(
            "where",
            "elementwise",
            _infer_where,
            lambda run, condition, x, y: run.xp.where(condition, x, y),
            (None, lambda xp, g, out, c, x, y: g * _mask(xp, c, g), lambda xp, g, out, c, x, y: g * _mask(xp, ~c, g)),
            _cost,
        ),
        Primitive(
            "astype",
            "elementwise",
            _infer_cast,
            lambda run, x, dtype: run.xp.astype(x, run.dtype(dtype)),
            (_cast_back,),
        ),
        _row("stop_gradient", (*NUMERIC, "bool"), None, evaluate=lambda run, x: x),
        _row(
            "erf",
            ("float",),
            lambda xp, g, out, x: g * (2.0 / sqrt(pi) * xp.exp(-xp.square(x))),
            evaluate=lambda run, x: erf(run.xp, x),
        ),
    ]
)
