"""What a file has of parameters beside what a network expects: the difference in words, for every format."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping

from nnkit.names import clipped, listed, nearest

Shape = tuple[int, ...]

MOST = 10  # names in a list; a count stands for the others
NEIGHBOURS = 20  # before and after a name, among which the nearest is looked for
LIKENESS = 0.7  # that the nearest has at least; most names in a network are like each other
LONGEST = 60  # characters of a name that are compared, its last ones


def mismatch(expected: Mapping[str, Shape], found: Mapping[str, Shape]) -> str | None:
    """What is missing, what is there beyond that, and what has another shape, sorted; None if all is as expected.

    The text follows the name of the file.

    >>> mismatch({"a.weight": (3, 2), "a.bias": (2,)}, {"a.weight": (2, 3), "a.biases": (2,)})
    'lacks a.bias (2,) [nearest: a.biases]; has a.biases (2,), which the network does not; \
has a.weight (2, 3) where the network has (3, 2)'
    >>> mismatch({"a": (3, 2)}, {"a": (3, 2)}) is None
    True
    """
    extra = sorted(found.keys() - expected.keys())
    other = sorted(name for name in expected.keys() & found.keys() if expected[name] != found[name])
    parts = []
    if missing := sorted(expected.keys() - found.keys()):
        parts.append(f"lacks {_listed(missing, lambda name: _shown(name, expected[name]) + _hint(name, extra))}")
    if extra:
        shown = _listed(extra, lambda name: _shown(name, found[name]))
        parts.append(f"has {shown}, which the network does not")
    if other:
        shown = _listed(other, lambda name: f"{_shown(name, found[name])} where the network has {expected[name]}")
        parts.append(f"has {shown}")
    return "; ".join(parts) or None


def _listed(names: list[str], text: Callable[[str], str]) -> str:
    """The first of them by their texts; the others only count."""
    return listed([*map(text, names[:MOST]), *names[MOST:]], MOST)


def _shown(name: str, shape: Shape) -> str:
    return f"{clipped(name)} {clipped(str(shape))}"


def _hint(name: str, candidates: list[str]) -> str:
    place = bisect(candidates, name)
    around = candidates[max(place - NEIGHBOURS, 0) : place + NEIGHBOURS]
    ends = {candidate[-LONGEST:]: candidate for candidate in around}
    near = nearest(name[-LONGEST:], ends, LIKENESS)
    return "" if near is None else f" [nearest: {clipped(ends[near])}]"
