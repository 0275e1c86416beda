"""Values and their data types: numbers, flat arrays of them, and literals, which take the type of their neighbour."""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir

WORD = ir.IntType(64)
DTYPES = {
    "bool": ir.IntType(1),
    **{f"{sign}int{bits}": ir.IntType(int(bits)) for sign in ("", "u") for bits in ("8", "16", "32", "64")},
    "float32": ir.FloatType(),
    "float64": ir.DoubleType(),
}
ARRAY = "[:]"
"""Ends the type of an array, as in ``float32[:]``."""


class Value(NamedTuple):
    """A number or an array in code; of a literal, whose type is "", the number itself."""

    dtype: str
    code: Any


class LanguageError(Exception):
    """The text is not of the language: a mistake in what wrote it."""


def llvm(dtype: str) -> Any:
    """LLVM's name for the type; an array is its address."""
    if is_array(dtype):
        return DTYPES["uint8" if element(dtype) == "bool" else element(dtype)].as_pointer()
    return DTYPES[dtype]


def element(dtype: str) -> str:
    """The type of an array's numbers."""
    return dtype.removesuffix(ARRAY)


def is_array(dtype: str) -> bool:
    """Whether it is the type of an array."""
    return dtype.endswith(ARRAY)


def is_real(dtype: str) -> bool:
    """Whether numbers of this type have a fraction."""
    return dtype.startswith("float")


def is_signed(dtype: str) -> bool:
    """Whether whole numbers of this type may be negative."""
    return dtype.startswith("int")


def settled(value: Value, dtype: str = "") -> Value:
    """A literal as a number of this type, or of its own; what is no literal stays."""
    if value.dtype:
        return value
    own = "float64" if isinstance(value.code, float) else "bool" if isinstance(value.code, bool) else "int64"
    dtype = dtype or own
    number = float(value.code) if is_real(dtype) else int(value.code)
    return Value(dtype, ir.Constant(llvm(dtype), number))


def alike(left: Value, right: Value) -> tuple[Value, Value]:
    """Both of one type: a literal takes the other's; of two, a whole one that of the one with a fraction."""
    if isinstance(left.code, float) or isinstance(right.code, float):
        left, right = (Value("", float(v.code)) if type(v.code) is int else v for v in (left, right))
    left, right = settled(left, right.dtype), settled(right, left.dtype)
    if left.dtype != right.dtype:
        raise LanguageError(f"{left.dtype} beside {right.dtype}")
    return left, right


def converted(builder: Any, value: Value, dtype: str) -> Value:
    """The number in another type; from a number with a fraction to a whole one, towards zero."""
    if not value.dtype:
        return settled(value, dtype)
    if value.dtype == dtype:
        return value
    target = llvm(dtype)
    if dtype == "bool":
        zero = ir.Constant(llvm(value.dtype), 0)
        compare = builder.fcmp_unordered if is_real(value.dtype) else builder.icmp_signed
        return Value(dtype, compare("!=", value.code, zero))
    if is_real(value.dtype):
        if is_real(dtype):
            change = builder.fpext if dtype == "float64" else builder.fptrunc
        else:
            change = builder.fptosi if is_signed(dtype) else builder.fptoui
    elif is_real(dtype):
        change = builder.sitofp if is_signed(value.dtype) else builder.uitofp
    elif target.width < llvm(value.dtype).width:
        change = builder.trunc
    elif target.width == llvm(value.dtype).width:
        return Value(dtype, value.code)
    else:
        change = builder.sext if is_signed(value.dtype) else builder.zext
    return Value(dtype, change(value.code, target))
