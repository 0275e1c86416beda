"""Data types as strings of our own: the standard has no bfloat16, and a graph must not depend on an array library."""

from __future__ import annotations

from types import SimpleNamespace

from nnkit.errors import DtypeError

FLOATS = ("float16", "bfloat16", "float32", "float64")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")

_BITS = {"bool": 8, "bfloat16": 16} | {
    name: int(name.lstrip("uintfloa")) for name in FLOATS[:1] + FLOATS[2:] + SIGNED + UNSIGNED
}
_KINDS = {"bool": "bool"} | {
    name: kind for kind, names in (("float", FLOATS), ("signed", SIGNED), ("unsigned", UNSIGNED)) for name in names
}
_MANTISSA = {"float16": (10, 15), "bfloat16": (7, 127), "float32": (23, 127), "float64": (52, 1023)}
KNOWN = frozenset(_BITS)


def kind(dtype: str) -> str:
    """'float', 'signed', 'unsigned' or 'bool'.

    >>> kind("float32"), kind("uint8")
    ('float', 'unsigned')
    """
    if dtype not in _KINDS:
        raise DtypeError(f"unknown data type {dtype!r}; write xp.float32 or its name: {', '.join(_KINDS)}")
    return _KINDS[dtype]


def itemsize(dtype: str) -> int:
    """Bytes of one element."""
    return _BITS[dtype] // 8


def limits(dtype: str) -> SimpleNamespace:
    """``finfo`` of the standard, with Python numbers: they mix with arrays without widening them.

    >>> limits("bfloat16").eps
    0.0078125
    """
    if kind(dtype) != "float":
        raise DtypeError(f"finfo: describes floating-point data types, got {dtype}; use xp.iinfo")
    mantissa, exponent = _MANTISSA[dtype]
    eps, top = 2.0**-mantissa, 2.0**exponent * (2.0 - 2.0**-mantissa)
    return SimpleNamespace(
        bits=_BITS[dtype], eps=eps, max=top, min=-top, smallest_normal=2.0 ** (1 - exponent), dtype=dtype
    )


def typed(operation: str, value: bool | int | float, dtype: str) -> bool | int | float:
    """A Python scalar as the Python type that stands for ``dtype``; an integer must lie in its range."""
    if kind(dtype) in ("bool", "float"):
        return bool(value) if dtype == "bool" else float(value)
    number, bits = int(value), _BITS[dtype]
    lowest = -(1 << bits - 1) if kind(dtype) == "signed" else 0
    if not lowest <= number < lowest + (1 << bits):
        raise DtypeError(f"{operation}: the int {number} does not fit {dtype}; convert with xp.astype first")
    return number


def promote(operation: str, *dtypes: str) -> str:
    """The common data type, by the standard's rules. Kinds that the standard does not mix are refused.

    >>> promote("add", "float32", "float64"), promote("add", "int8", "uint8")
    ('float64', 'int16')
    """
    kinds = {kind(dtype) for dtype in dtypes}
    if kinds == {"signed", "unsigned"} and "uint64" not in dtypes:
        return f"int{max(_BITS[dtype] * (2 if kind(dtype) == 'unsigned' else 1) for dtype in dtypes)}"
    if len(kinds) > 1:
        raise DtypeError(
            f"{operation}: cannot mix {' and '.join(dict.fromkeys(dtypes))}; "
            "convert one side with xp.astype(array, dtype)"
        )
    widest = max(dtypes, key=lambda dtype: _BITS[dtype])
    return "float32" if _BITS[widest] == 16 and {"float16", "bfloat16"} <= set(dtypes) else widest
