"""The modules that the names in a ``state_dict`` speak of, and what is known of their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P")
Path = tuple[str, ...]

MOST = 64  # modules whose order is looked for
STATES = 2000  # that are looked at for it
_NUMBERED = re.compile(r"(.*?)(\d{1,18})", re.DOTALL)


class Group(NamedTuple):
    """What one module has: its path, and the names in the file by the module's own names for them."""

    path: Path
    names: Mapping[str, str]


def groups(names: Iterable[str]) -> list[Group]:
    """The modules, sorted by their paths, numbers in them by size.

    >>> [(group.path, *group.names) for group in groups(["net.10.bias", "net.2.bias", "net.2.weight"])]
    [(('net', '2'), 'bias', 'weight'), (('net', '10'), 'bias')]
    """
    found: dict[Path, dict[str, str]] = {}
    for name in names:
        path, own = _split(name)
        found.setdefault(path, {})[own] = name
    by_number = sorted(found, key=lambda path: [(*_key(part), part) for part in path])
    return [Group(path, found[path]) for path in by_number]


class UnknownOrderError(ValueError):
    """Neither names nor shapes say in which order modules stand."""


def ordered(found: Sequence[Group], places: Sequence[P], fits: Callable[[P, Group], bool]) -> list[Group]:
    """The groups, each in the place that it fits; sorted as they come if there is no such order.

    Modules stand in the order of their numbers. Of modules with different names it is not known which comes first;
    what they have may fit in one order alone. Raises UnknownOrderError if it fits in several, or if that
    would take too long to find out.
    """
    given = list(found)
    if len(given) != len(places) or all(map(_before, given, given[1:])):
        return given
    if len(given) > MOST:
        raise UnknownOrderError
    return _Search(given, places, fits).order() or given


class _Search(Generic[P]):
    """Place by place, each time one of the groups that nothing else has to come before."""

    def __init__(self, found: list[Group], places: Sequence[P], fits: Callable[[P, Group], bool]) -> None:
        numbers = range(len(found))
        self._found = found
        self._fitting = [{number for number in numbers if fits(place, found[number])} for place in places]
        self._earlier = [{a for a in numbers if _before(found[a], found[b])} for b in numbers]
        self._dead: set[frozenset[int]] = set()
        self._orders: list[list[int]] = []

    def order(self) -> list[Group] | None:
        """The only one; None if there is none."""
        if all(self._fitting):
            self._go_on([])
        return [self._found[number] for number in self._orders[0]] if self._orders else None

    def _go_on(self, taken: list[int]) -> None:
        if len(taken) == len(self._found):
            self._orders.append(taken)
        if len(self._orders) > 1 or len(self._dead) > STATES:
            raise UnknownOrderError
        used = frozenset(taken)
        if len(taken) == len(self._found) or used in self._dead:
            return
        before = len(self._orders)
        for number in sorted(self._fitting[len(taken)] - used):
            if self._earlier[number] <= used:
                self._go_on([*taken, number])
        if len(self._orders) == before:
            self._dead.add(used)


def _split(name: str) -> tuple[Path, str]:
    """The path of the module, and its own name for the array."""
    path, mark, rest = name.rpartition("parametrizations.")
    if mark and (not path or path.endswith(".")):
        return tuple(path.split(".")[:-1]), mark + rest
    path, _, own = name.rpartition(".")
    return tuple(path.split(".")) if path else (), own


def _key(part: str) -> tuple[str, int]:
    """What stands before the number at the end of a name, and the number; −1 without one."""
    found = _NUMBERED.fullmatch(part)
    return (found[1], int(found[2])) if found else (part, -1)


def _before(a: Group, b: Group) -> bool:
    """Whether the names say that one comes first: where their paths part, the names differ in their numbers alone."""
    for one, other in zip(a.path, b.path, strict=False):
        if one != other:
            (stem, number), (other_stem, other_number) = _key(one), _key(other)
            return stem == other_stem and -1 < number < other_number
    return False
