"""Exponentials and logarithms, in the language itself: without branches, so that loops over them run on whole vectors.

x = k·ln 2 + r with |r| ≤ ½ ln 2, and eˣ = 2ᵏ·eʳ by the series of eʳ − 1; the logarithm of 2ᵏ·m is k·ln 2 + 2 artanh s
with s = (m − 1)/(m + 1) and |s| ≤ 0.172, by its series (Muller, "Elementary Functions", 2016, chapters 10 and 11).
Errors are below 4 units in the last place; subnormal results are zero where the processor says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

NUMBERS: dict[str, dict[str, str]] = {
    "float32": {
        "WORD": "int32",
        "FRACTION": "23",
        "BIAS": "127",
        "LOG2E": "1.4426950408889634",
        "LN2_HIGH": "0.693359375",
        "LN2_LOW": "-0.00021219444005469057",
        "ROUNDER": "12582912.0",  # 1.5·2²³: what is added to it is rounded to a whole number, in its last bits
        "LOWEST": "-104.0",
        "HIGHEST": "89.0",
        "FLAT": "20.0",  # tanh(x) = 1 from x = FLAT/2 on
        "HALF": "1060439283",  # the bits of √½
        "ONE": "1065353216",
        "SMALLEST": "1.1754943508222875e-38",
    },
    "float64": {
        "WORD": "int64",
        "FRACTION": "52",
        "BIAS": "1023",
        "LOG2E": "1.4426950408889634",
        "LN2_HIGH": "0.6931471803691238",
        "LN2_LOW": "1.9082149292705877e-10",
        "ROUNDER": "6755399441055744.0",
        "LOWEST": "-746.0",
        "HIGHEST": "710.0",
        "FLAT": "44.0",
        "HALF": "4604544271217802189",
        "ONE": "4607182418800017408",
        "SMALLEST": "2.2250738585072014e-308",
    },
}
TERMS = {"float32": (7, 5), "float64": (13, 11)}
"""Of the two series, such that the rest is less than half a unit in the last place."""


def _horner(coefficients: Sequence[float], x: str) -> str:
    """c₀ + x·(c₁ + x·(…))."""
    *lower, text = [repr(c) for c in coefficients]
    for c in reversed(lower):
        text = f"{c} + {x} * ({text})"
    return text


REDUCED = """
    y = LOWEST if x < LOWEST else x
    y = HIGHEST if y > HIGHEST else y
    shifted = y * LOG2E + ROUNDER
    n = shifted - ROUNDER
    k = bitcast(shifted, WORD) - bitcast(DTYPE(ROUNDER), WORD)
    r = (y - n * LN2_HIGH) - n * LN2_LOW
    p = r * (EXP_SERIES)
    a = bitcast(((k >> 1) + BIAS) << FRACTION, DTYPE)
    b = bitcast((k - (k >> 1) + BIAS) << FRACTION, DTYPE)
"""
TEXTS = {
    "exp": f"""
@inline
def NAME(x: DTYPE) -> DTYPE:{REDUCED}    return (a + a * p) * b
""",
    "expm1": f"""
@inline
def NAME(x: DTYPE) -> DTYPE:{REDUCED}    result = b * (a * p + (a - 1.0 / b))
    return x if x == 0.0 else result
""",
    "tanh": """
@inline
def NAME(x: DTYPE) -> DTYPE:
    twice = 2.0 * abs(x)
    twice = FLAT if twice > FLAT else twice
    e = expm1(twice)
    return copysign(e / (e + 2.0), x)
""",
    "log": """
@inline
def NAME(x: DTYPE) -> DTYPE:
    scaled = x * SCALE if x < SMALLEST else x
    word = bitcast(scaled, WORD)
    k = (word - HALF) >> FRACTION
    m = bitcast(word - (k << FRACTION), DTYPE)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    n = DTYPE(k) - FRACTION.0 * DTYPE(x < SMALLEST)
    result = n * LN2_HIGH + (n * LN2_LOW + 2.0 * s * (LOG_SERIES))
    result = x if x == inf else result
    result = -inf if x == 0.0 else result
    return result if x >= 0.0 else nan
""",
    "log1p": """
@inline
def NAME(x: DTYPE) -> DTYPE:
    u = 1.0 + x
    result = log(u) + (x - (u - 1.0)) / u
    result = x if u == 1.0 else result
    result = -inf if u == 0.0 else result
    return x if x == inf else result
""",
}


def text(name: str, dtype: str) -> str:
    """The function ``NAME`` for numbers of this type."""
    exponential, logarithm = TERMS[dtype]
    series = {
        "EXP_SERIES": _horner([1 / factorial(n) for n in range(1, exponential + 1)], "r"),
        "LOG_SERIES": _horner([1 / (2 * n + 1) for n in range(logarithm)], "z"),
        "SCALE": repr(2.0 ** int(NUMBERS[dtype]["FRACTION"])),
        "DTYPE": dtype,
    }
    found = TEXTS[name]
    for word, number in (NUMBERS[dtype] | series).items():
        found = found.replace(word, number)
    return found
