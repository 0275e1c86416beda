"""Data types as strings of our own: the standard has no bfloat16, and a graph must not depend on an array library."""

from __future__ import annotations

from nnkit.errors import DtypeError

FLOATS = ("float16", "bfloat16", "float32", "float64")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")

_BITS = {"bool": 8, "bfloat16": 16} | {name: int(name.lstrip("uintfloa")) for name in FLOATS[:1] + FLOATS[2:] + SIGNED + UNSIGNED}
KNOWN = frozenset(_BITS)


def kind(dtype: str) -> str:
    """'float', 'signed', 'unsigned' or 'bool'.

    >>> kind("float32"), kind("uint8")
    ('float', 'unsigned')
    """
    if dtype in FLOATS:
        return "float"
    if dtype in SIGNED:
        return "signed"
    return "unsigned" if dtype in UNSIGNED else "bool"


def itemsize(dtype: str) -> int:
    """Bytes of one element."""
    return _BITS[dtype] // 8


def promote(operation: str, *dtypes: str) -> str:
    """The common data type of arrays of one kind; mixed kinds are undefined in the standard and refused here."""
    if len({kind(dtype) for dtype in dtypes}) > 1:
        raise DtypeError(
            f"{operation}: cannot mix {' and '.join(dict.fromkeys(dtypes))}; convert one side with xp.astype(array, dtype)"
        )
    if {"float16", "bfloat16"} <= set(dtypes):
        return "float32"
    return max(dtypes, key=lambda dtype: (_BITS[dtype], dtype))
