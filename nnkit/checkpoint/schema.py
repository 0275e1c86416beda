"""What may stand in an object of a JSON text: entries by name, each of a kind.

What is wrong is raised as ValueError, worded to follow the name of the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nnkit.names import clipped

Kind = Callable[[Any, str], None]
MOST = 2**63 - 1


def entries(table: Mapping[str, Kind]) -> Kind:
    """An object with exactly these entries.

    >>> entries({"epoch": count()})({"epoch": -1}, "standing")
    Traceback (most recent call last):
        ...
    ValueError: has -1 at standing.epoch; it is a whole number from 0
    """

    def check(found: Any, where: str) -> None:
        _require(isinstance(found, dict), found, where, "an object")
        if missing := sorted(table.keys() - found.keys()):
            raise ValueError(f"lacks {where}.{missing[0]}")
        if unknown := sorted(found.keys() - table.keys()):
            raise ValueError(f"has {where}.{clipped(unknown[0])}, which nothing here expects")
        for name, kind in table.items():
            kind(found[name], f"{where}.{name}")

    return check


def mapping(kind: Kind) -> Kind:
    """An object whose entries are all of one kind."""

    def check(found: Any, where: str) -> None:
        _require(isinstance(found, dict), found, where, "an object")
        for name, value in found.items():
            kind(value, f"{where}.{clipped(name)}")

    return check


def many(kind: Kind, most: int = MOST) -> Kind:
    """A list of things of one kind."""

    def check(found: Any, where: str) -> None:
        _require(isinstance(found, list) and len(found) <= most, found, where, f"a list of up to {most:,}")
        for number, value in enumerate(found):
            kind(value, f"{where}.{number}")

    return check


def either(*kinds: Kind) -> Kind:
    """Of the first kind that fits; the last one says what is wrong."""

    def check(found: Any, where: str) -> None:
        for kind in kinds[:-1]:
            try:
                return kind(found, where)
            except ValueError:
                continue
        return kinds[-1](found, where)

    return check


def count(most: int = MOST) -> Kind:
    """A whole number."""
    text = "a whole number from 0" + ("" if most == MOST else f" to {most:,}")
    return _kind(lambda value: type(value) is int and 0 <= value <= most, text)


def _kind(fits: Callable[[Any], bool], text: str) -> Kind:
    return lambda found, where: _require(fits(found), found, where, text)


def _require(fine: bool, found: Any, where: str, text: str) -> None:
    if not fine:
        raise ValueError(f"has {clipped(repr(found))[:80]} at {where}; it is {text}")


ANY_NUMBER = _kind(lambda value: type(value) in (int, float), "a number")
NUMBER = _kind(lambda value: type(value) in (int, float) and math.isfinite(value), "a finite number")
RATE = _kind(lambda value: type(value) in (int, float) and 0 <= value < 1e30, "a number from 0")
TEXT = _kind(lambda value: isinstance(value, str), "text")
SWITCH = _kind(lambda value: isinstance(value, bool), "true or false")
NOTHING = _kind(lambda value: value is None, "null")
OBJECT = _kind(lambda value: isinstance(value, dict), "an object")
HASH = _kind(lambda value: isinstance(value, str) and len(value) == 64, "a hash of 64 digits")
