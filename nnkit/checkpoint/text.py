"""JSON text in a file that is not trusted: size and depth are known before it is parsed, and nothing is ambiguous.

What is wrong is raised as ValueError, worded to follow the name of the text.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from numbers import Integral, Real
from typing import Any

LONGEST = 4_000_000  # bytes
DEEPEST = 32
MOST = 200_000  # lists and objects
DIGITS = 20  # of the largest seed

# Possessive, so that a long string costs no memory for going back.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


def written(value: Any) -> bytes:
    """The value as JSON in ASCII; NumPy's numbers are written as plain ones.

    >>> written({"name": "café", "sizes": (1, 2.5)})
    b'{"name":"caf\\\\u00e9","sizes":[1,2.5]}'
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_number).encode("ascii")


def parsed(text: bytes) -> Any:
    """The value that JSON text stands for.

    >>> parsed(b'{"seed": 1, "seed": 2}')
    Traceback (most recent call last):
        ...
    ValueError: names 'seed' twice
    """
    check_length(len(text))
    try:
        plain = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: {error}") from error
    _check_nesting(plain)
    try:
        return json.loads(
            plain, object_pairs_hook=_once, parse_int=_int, parse_float=_float, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from error


def check_length(length: int) -> None:
    """Refuse text that is too long to be parsed."""
    if length > LONGEST:
        raise ValueError(f"has {length:,} bytes, more than the {LONGEST:,} that are read")


def _check_nesting(text: str) -> None:
    depth = count = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth, count = depth + 1, count + 1
            if depth > DEEPEST:
                raise ValueError(f"is nested more than {DEEPEST} deep")
            if count > MOST:
                raise ValueError(f"has more than {MOST:,} lists and objects")
        elif token[0] in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"names {name!r} twice")
        found[name] = value
    return found


def _int(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"has a whole number of {len(digits):,} digits; {DIGITS} are the most")
    return int(digits)


def _float(digits: str) -> float:
    if not isfinite(value := float(digits)):
        raise ValueError(f"has a number that is too large: {digits[:DIGITS]}")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"holds {name}, which is no number in JSON")


def _number(value: object) -> int | float:
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"{value!r} ({type(value).__name__}) has no place in JSON")
