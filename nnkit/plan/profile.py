"""What the stages of a planned step take: bytes as the allocator has them, seconds by the cost model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from nnkit.graph.ir import Graph
from nnkit.plan.chain import Stage
from nnkit.plan.cost import group_cost
from nnkit.plan.schedule import Schedule
from nnkit.plan.stages import Stages
from nnkit.plan.storage import Allocator, Storage
from nnkit.plan.target import Target


@dataclass(frozen=True, slots=True)
class Life:
    """A value in its block of memory from step ``first`` to ``last``; the block is in use until ``end``."""

    value: int
    nbytes: int
    first: int
    last: int
    end: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A schedule with its memory, from which the sizes and costs of stages are read."""

    graph: Graph
    order: Schedule
    storage: Storage
    memory: Allocator
    target: Target

    def lives(self) -> list[Life]:
        """Every value that lies in a block of its own, one after the other where they take over each other's memory."""
        inhabitants = defaultdict(list)
        for value in self.memory.blocks:
            inhabitants[self.memory.alias.get(value, value)].append((self.memory.order[value], value))
        found = []
        for holder, values in inhabitants.items():
            block = self.memory.blocks[holder]
            if block.inside is None:
                values.sort()
                starts = [block.first, *(start for start, _ in values[1:]), block.last + 1]
                for (_, value), (first, following) in zip(values, pairwise(starts), strict=True):
                    found.append(Life(value, block.nbytes, first, following - 1, block.last))
        return found

    def seconds(self, nodes: set[int]) -> float:
        """The cost of some of the nodes, each pass with what it has of them."""
        total = 0.0
        for group, tile in zip(self.order.groups, self.storage.tiles, strict=True):
            chosen = tuple(i for i in group if i in nodes)
            if chosen:
                escaping = {i for i in chosen if any(user not in chosen for user in self.graph.users[i])}
                total += group_cost(self.graph, chosen, escaping, tile, self.target).seconds
        return total


@dataclass(frozen=True, slots=True)
class Chain:
    """A step as the dynamic programme sees it: its stages, and the bytes beside them in the forward pass.

    ``cut`` is what was measured, with the backward part of each stage begun where the fewest bytes wait.
    """

    cut: Stages
    stages: tuple[Stage, ...]
    pinned: int


def chain(cut: Stages, profile: Profile) -> Chain:
    """The sizes and costs of the stages of a step."""
    lives, order = profile.lives(), profile.memory.order
    kept = [life for life in lives if life.value not in cut.forward.values]
    beside = _total([(life.nbytes, life.first, life.last) for life in kept])
    waiting = _total([(life.nbytes, life.first + 1, min(life.last + 1, life.end)) for life in kept])
    cut = replace(cut, backward=_begun(cut, {i: waiting[order[i]] for i in cut.backward}))
    members, readers = (_by_stage(of, len(cut.crossing)) for of in (cut.of, cut.backward))
    size = {value: profile.graph.nodes[value].nbytes for value in cut.forward.values}  # of parts of a joined array
    size |= {life.value: life.nbytes for life in lives}
    found = []
    for number, own in enumerate(cut.own()):
        passed = cut.crossing[number]
        known = {*(cut.crossing[number - 1] if number else ()), *members[number]} & cut.forward.values.keys()
        here = [life for life in lives if life.value in known]
        seconds = [
            profile.seconds(_needed(profile.graph, values, members[number]))
            for values in (passed, {*passed, *own}, own)
        ]
        found.append(
            Stage(
                passed=sum(size[value] for value in passed),
                kept=sum(size[value] for value in {*passed, *own}),
                forward=max((_alive(here, order[i]) for i in members[number]), default=0),
                backward=max((beside[order[i]] + _alive(here, order[i]) for i in readers[number]), default=0),
                waiting=waiting[order[readers[number][0]]] if readers[number] else 0,
                run=seconds[0],
                whole=seconds[1],
                last=seconds[2],
                alone=bool(own),
            )
        )
    pinned = max((beside[order[i]] for i in cut.forward.nodes[-1:]), default=0)
    return Chain(cut, tuple(found), pinned)


def _begun(cut: Stages, waiting: dict[int, int]) -> dict[int, int]:
    """The stage of each node of the backward pass, each begun after the last read of the one before it."""
    found = dict(cut.backward)
    since: list[int] = []  # the last node that read something, and all after it
    for reader, stage in cut.backward.items():
        if since and cut.backward[since[0]] != stage:
            candidates = [*since[1:], reader]
            start = min(reversed(candidates), key=waiting.__getitem__)
            found |= dict.fromkeys(candidates[candidates.index(start) :], stage)
            since = []
        since = [reader] if cut.forward.reads(reader) else [*since, reader]
    return found


def _by_stage(of: dict[int, int], count: int) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(count)]
    for node, stage in of.items():
        found[stage].append(node)
    return found


def _alive(lives: list[Life], step: int) -> int:
    return sum(life.nbytes for life in lives if life.first <= step <= life.last)


def _total(spans: list[tuple[int, int, int]]) -> list[int]:
    """Bytes at every step, from (bytes, first step, last step)."""
    change = [0] * (max((last for *_, last in spans), default=0) + 2)
    for nbytes, first, last in spans:
        if first <= last:
            change[first] += nbytes
            change[last + 1] -= nbytes
    return list(accumulate(change))


def _needed(graph: Graph, values: Iterable[int], members: Iterable[int]) -> set[int]:
    """What must be computed for some values inside a stage."""
    found: set[int] = set()
    waiting, inside = list(values), set(members)
    while waiting:
        i = waiting.pop()
        if i in inside and i not in found:
            found.add(i)
            waiting.extend(graph.nodes[i].inputs)
    return found
