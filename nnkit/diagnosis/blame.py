"""Which number was the first to leave its range."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.diagnosis.step import Step
from nnkit.graph.ir import Node
from nnkit.plan.schedule import guarded


@dataclass(frozen=True)
class Blame:
    """The node of the graph whose value is not finite although its operands are, and the first row of the batch in it.

    ``row`` is None where the value is not one of each row: of a parameter, or summed over the batch.
    """

    node: int
    row: int | None


def blame(step: Step) -> Blame | None:
    """From what the guard looks at back to where it began; None if all that it looks at is finite."""
    graph, facts = step.graph, step.facts
    waiting = [i for i in guarded(graph) if not facts[i].finite]
    seen: set[int] = set()
    origins = []
    while waiting:
        i = waiting.pop()
        if i not in seen:
            seen.add(i)
            before = [o for o in graph.nodes[i].inputs if not facts[o].finite]
            waiting += before
            origins += [] if before else [i]
    if not origins:
        return None
    first = min(origins)
    return Blame(first, facts[first].bad if _has_rows(step, graph.nodes[first]) else None)


def _has_rows(step: Step, node: Node) -> bool:
    """Whether there is one value for each row of the batch. Parameters may happen to have as many."""
    if node.operation == "input":
        return bool(node.options["role"] == "data")
    return node.shape[:1] == (len(step.rows),) and node.origin.phase != "update"
