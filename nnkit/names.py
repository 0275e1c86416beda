"""Looking things up by the names that users know, with the nearest match when a name is wrong; names in messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
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
        fix = _instead_of_class(name, table) if isinstance(name, type) else ""
        raise ArgumentError(
            f"{kind} must be a name or an object of that kind, got {name!r} ({type(name).__name__}){fix}"
        )
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    key = (aliases or {}).get(key, key)
    if key in table:
        return table[key]
    near = nearest(key, [*table, *(aliases or {})])
    hint = "" if near is None else f" Did you mean '{near}'?"
    raise ArgumentError(f"unknown {kind} '{name}'.{hint} Known: {', '.join(sorted(table))}")


def _instead_of_class(given: type, table: Mapping[str, object]) -> str:
    """What to write for ``SGD`` or ``numpy.float32``, if there is a name for it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", given.__name__).lower()
    if name not in table:
        return ""
    return f"; write '{name}'" + (f", or {given.__name__}() with its brackets" if table[name] is given else "")


def nearest(name: str, known: Iterable[str], likeness: float = 0.5) -> str | None:
    """The known name that looks most like this one; None if none is as like, from 0 to 1.

    >>> nearest("layers.0.wieght", ["layers.0.weight", "layers.0.bias"])
    'layers.0.weight'
    """
    found = difflib.get_close_matches(name, known, n=1, cutoff=likeness)
    return found[0] if found else None


def listed(names: Sequence[str], most: int) -> str:
    """The first of some names for a message, and how many more there are.

    >>> listed(["'a'", "'b'", "'c'"], most=2)
    "'a', 'b' and 1 more"
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def clipped(name: str) -> str:
    """A name from elsewhere for a message: without marks that act on a terminal, and not too long.

    >>> clipped("a\\nb")
    "'a\\\\nb'"
    """
    plain = name if name.isprintable() else ascii(name)
    return plain if len(plain) <= 200 else f"{plain[:197]}..."
