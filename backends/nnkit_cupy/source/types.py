"""Data types and numbers in CUDA C++."""

from __future__ import annotations

import math

from nnkit.graph.dtypes import itemsize, kind

TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long long",
    "uint8": "unsigned char",
    "uint16": "unsigned short",
    "uint32": "unsigned int",
    "uint64": "unsigned long long",
    "float16": "nn_float16",
    "bfloat16": "nn_bfloat16",
    "float32": "float",
    "float64": "double",
}


HALVES = ("float16", "bfloat16")
"""Data types that are only converted to and from, and multiplied by the library."""


def literal(value: float | bool, dtype: str) -> str:
    """A number in code, of exactly this data type: fractions in hexadecimal, so that no bit is lost.

    >>> literal(0.1, "float32"), literal(-1, "uint32"), literal(True, "bool")
    ('0x1.99999a0000000p-4f', '4294967295u', 'true')
    """
    if dtype == "bool":
        return "true" if value else "false"
    if kind(dtype) != "float":
        bits = 8 * itemsize(dtype)
        whole = int(value) % (1 << bits) if dtype.startswith("u") else int(value)
        suffix = {"uint32": "u", "uint64": "ull", "int64": "ll"}.get(dtype, "")
        return f"({TYPES[dtype]}){whole}" if not suffix else f"{whole}{suffix}"
    number = float(value)
    if math.isnan(number):
        return f"({TYPES[dtype]})NAN"
    if math.isinf(number):
        return f"({TYPES[dtype]})({'-' if number < 0 else ''}INFINITY)"
    if dtype == "float32":
        import numpy as np

        number = float(np.float32(number))
    return f"{number.hex()}{'f' if dtype == 'float32' else ''}"


def cast(code: str, source: str, dtype: str) -> str:
    """Another data type."""
    return code if dtype == source else f"({TYPES[dtype]})({code})"
