"""What the launches of a step read and write, which of them wait for which others, and in which lanes they run.

Launches that do not depend on each other run side by side: a gradient of weights beside that of the layer before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from nnkit.plan import Plan
from nnkit.plan.look import Look

LANES = 4
"""How many launches may run side by side."""


class Region(NamedTuple):
    """Bytes of a buffer, from the first up to, but not, the last."""

    buffer: str
    first: int = 0
    last: int = 1 << 62


class Touched(NamedTuple):
    """What a launch reads and what it writes."""

    reads: tuple[Region, ...] = ()
    writes: tuple[Region, ...] = ()

    def before(self, later: Touched) -> bool:
        """Whether the other one, which comes later, has to wait for this one."""
        return _meet(self.writes, later.reads) or _meet(self.writes, later.writes) or _meet(self.reads, later.writes)

    def overwritten(self, other: Touched) -> bool:
        """Whether the other one writes what this one reads."""
        return _meet(self.reads, other.writes)

    def joined(self, other: Touched) -> Touched:
        """By both."""
        return Touched((*self.reads, *other.reads), (*self.writes, *other.writes))


NOTHING = Touched()


def _meet(some: Sequence[Region], others: Sequence[Region]) -> bool:
    """Whether they have bytes in common. All pairs of launches are asked, so there are no calls within."""
    for buffer, first, last in some:
        for other, begin, end in others:
            if buffer == other and first < end and begin < last:
                return True
    return False


def region(plan: Plan, i: int, elsewhere: Mapping[int, Look]) -> tuple[Region, ...]:
    """Where a value lies; nowhere, if it is a variable of a kernel or does not change."""
    while plan.slots[i].kind == "view":
        i = plan.slots[i].ref
    slot = plan.slots[i]
    if i in elsewhere:
        return (Region(elsewhere[i].buffer, elsewhere[i].offset, elsewhere[i].offset + 1),)
    if slot.kind == "arena":
        return () if slot.tiled else (Region("arena", slot.offset, slot.offset + plan.graph.nodes[i].nbytes),)
    if slot.kind == "constant":
        return ()
    return (Region(f"b{slot.ref if slot.kind == 'state' else i}"),)


def touched(plan: Plan, nodes: Iterable[int], elsewhere: Mapping[int, Look]) -> Touched:
    """By the launches of these nodes."""
    nodes = list(nodes)
    reads = dict.fromkeys(o for i in nodes for o in plan.graph.nodes[i].inputs)
    return Touched(
        tuple(place for o in reads for place in region(plan, o, elsewhere)),
        tuple(place for i in nodes for place in region(plan, i, elsewhere)),
    )


def urgent_first(launches: Sequence[Touched]) -> list[int]:
    """Their numbers, with those first, of such as may run side by side, that the most launches after them wait for.

    A GPU begins what it is given first, and the end of a step is that of the longest chain.
    """
    behind = _chains(launches)
    found: list[int] = []
    group: list[int] = []
    for number, each in enumerate(launches):
        if any(launches[k].before(each) for k in group):
            found += sorted(group, key=lambda k: -behind[k])
            group = []
        group.append(number)
    return found + sorted(group, key=lambda k: -behind[k])


def _chains(launches: Sequence[Touched]) -> list[int]:
    """How many launches follow each in the longest chain of those that wait for each other."""
    behind = [0] * len(launches)
    for number in reversed(range(len(launches))):
        later = (k for k in range(number + 1, len(launches)) if launches[number].before(launches[k]))
        behind[number] = max((1 + behind[k] for k in later), default=0)
    return behind


class Placed(NamedTuple):
    """In which lane a launch runs, and for which launches of other lanes it waits."""

    lane: int
    waits: tuple[int, ...]


def placed(launches: Sequence[Touched]) -> list[Placed]:
    """Each launch goes behind one that it waits for anyway, or into the lane that has been idle longest."""
    known: list[int] = []  # for each launch, the set of those that have ended when it begins, and itself, as bits
    lanes: list[int] = [-1] * LANES
    found: list[Placed] = []
    for number, each in enumerate(launches):
        needed = [k for k in range(number) if launches[k].before(each)]
        behind = [lane for lane, last in enumerate(lanes) if last in needed]
        lane = max(behind, key=lambda at: lanes[at]) if behind else min(range(LANES), key=lambda at: lanes[at])
        ended = known[lanes[lane]] if lanes[lane] >= 0 else 0
        waits = []
        for k in reversed(needed):
            if not ended >> k & 1:
                waits.append(k)
                ended |= known[k]
        found.append(Placed(lane, tuple(waits)))
        known.append(ended | 1 << number)
        lanes[lane] = number
    return found
