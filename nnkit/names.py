"""Looking things up by the names that users know, with the nearest match when a name is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from nnkit.errors import ArgumentError

T = TypeVar("T")


def lookup(kind: str, name: object, table: Mapping[str, T], aliases: Mapping[str, str] | None = None) -> T:
    """Return ``table[name]``, after aliases; an unknown name gives the known ones and the nearest match.

    >>> lookup("colour", "rad", {"red": 1, "blue": 2})
    Traceback (most recent call last):
        ...
    nnkit.errors.ArgumentError: unknown colour 'rad'. Did you mean 'red'? Known: blue, red
    """
    if not isinstance(name, str):
        raise ArgumentError(f"{kind} must be a name or an object of that kind, got {name!r} ({type(name).__name__})")
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    key = (aliases or {}).get(key, key)
    if key in table:
        return table[key]
    near = difflib.get_close_matches(key, [*table, *(aliases or {})], n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ArgumentError(f"unknown {kind} '{name}'.{hint} Known: {', '.join(sorted(table))}")
