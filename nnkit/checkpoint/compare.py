"""Comparing what a file says of an object with what the object made from it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def difference(found: Any, again: Any, where: str) -> str | None:
    """The path of the first part of ``found`` that stands otherwise, or not at all, in ``again``; None without one.

    What ``again`` has beyond that are options of a later version, at their defaults.

    >>> difference({"layer": "Dense", "bias": 1}, {"layer": "Dense", "bias": True, "units": 2}, "module")
    'module.bias'
    """
    if isinstance(found, Mapping) and isinstance(again, Mapping):
        parts = [(f"{where}.{name}", value, again.get(name, _Absent)) for name, value in found.items()]
    elif isinstance(found, list) and isinstance(again, list) and len(found) == len(again):
        parts = [(f"{where}.{number}", value, again[number]) for number, value in enumerate(found)]
    else:
        return None if type(found) is type(again) and found == again else where
    return next((odd for name, value, other in parts if (odd := difference(value, other, name))), None)


class _Absent:
    """Stands for an option that the object does not have."""
