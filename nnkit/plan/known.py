"""Plans that were made before: networks of one form, of a search or of folds, need planning once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from nnkit.graph.ir import Graph
from nnkit.plan.planner import Plan, plan
from nnkit.plan.target import Target

KEPT = 32
LARGEST = 2000
"""Nodes of a graph whose plan is kept; that of a larger one takes memory that nobody may ever need again."""


def planned(graph: Graph, target: Target, memory_limit: int | None = None) -> Plan:
    """The ``plan`` of a graph: one of the last 32 if it was asked for then, of whichever network."""
    if len(graph) > LARGEST:
        return plan(graph, target, memory_limit=memory_limit)
    return _made(_Asked(graph, target, memory_limit))


@lru_cache(KEPT)
def _made(asked: _Asked) -> Plan:
    return plan(asked.graph, asked.target, memory_limit=asked.memory_limit)


@dataclass(frozen=True, eq=False)
class _Asked:
    """Equal to another if the plan is the same, and what it says of layers and lines of code."""

    graph: Graph
    target: Target
    memory_limit: int | None

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """All of it. Numbers as they are written: 0.0 and −0.0 are equal otherwise."""
        origins = tuple(node.origin for node in self.graph.nodes)
        return self.graph.fingerprint, origins, self.target, self.memory_limit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.key == other.key

    def __hash__(self) -> int:
        return hash((self.graph.fingerprint, self.target.name, self.memory_limit))
