"""A planned step as a chain: its forward pass cut where little crosses, and what its backward pass reads of it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from math import inf

from nnkit.graph.ir import Graph
from nnkit.plan.schedule import Schedule

SMALL = 64  # the largest value is so many times as large as one that is not worth computing again
LONGEST = 40  # stages; neighbours of a longer chain are taken together


@dataclass(frozen=True, slots=True)
class Forward:
    """The forward pass: its nodes in order, and which values of it are computed again where.

    ``values`` has those that may be computed again, with the last node of the forward pass that reads each. All others
    are always kept: what is read after the backward pass, what is small beside the largest value, targets and the like,
    and what is read over most of the forward pass.
    """

    graph: Graph
    root: dict[int, int]
    nodes: tuple[int, ...]
    readers: tuple[int, ...]
    values: dict[int, int]

    def reads(self, i: int) -> list[int]:
        """The values that may be computed again among those that a node reads, looked at through views."""
        roots = dict.fromkeys(self.root[operand] for operand in self.graph.nodes[i].inputs)
        return [root for root in roots if root in self.values]


@dataclass(frozen=True, slots=True)
class Stages:
    """Stages of a forward pass. ``of`` has the stage of each node, ``crossing`` what is read after each stage.

    ``backward`` has the stage of each node of the backward pass, which reads of that stage and what crosses into it.
    """

    forward: Forward
    of: dict[int, int]
    crossing: tuple[tuple[int, ...], ...]
    backward: dict[int, int]

    def own(self) -> list[list[int]]:
        """For each stage what its own part of the backward pass reads of it."""
        found: list[dict[int, None]] = [{} for _ in self.crossing]
        for reader, stage in self.backward.items():
            found[stage] |= dict.fromkeys(v for v in self.forward.reads(reader) if self.of[v] == stage)
        return [list(values) for values in found]


def stages(graph: Graph, order: Schedule, unit: int) -> Stages:
    """The stages of a step; values that the backward pass does not read in reverse order are always kept."""
    forward = _forward(graph, order, unit)
    cuts = _joined(_cuts(forward))
    of = {i: bisect_left(cuts, rank) for rank, i in enumerate(forward.nodes)}
    backward, late = _backward(forward, of, len(cuts))
    forward = replace(forward, values={v: end for v, end in forward.values.items() if v not in late})
    crossing: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for value, end in forward.values.items():
        for stage in range(of[value], of[end]):
            crossing[stage].append(value)
    return Stages(forward, of, tuple(map(tuple, crossing)), backward)


def _forward(graph: Graph, order: Schedule, unit: int) -> Forward:
    computed = sorted(i for group in order.groups[: order.computed] for i in group)
    root = list(range(len(graph)))
    for i in sorted(order.views):
        root[i] = root[graph.nodes[i].inputs[0]]
    first = next((i for i in computed if graph.nodes[i].origin.phase != "forward"), len(graph))
    nodes = computed[: bisect_left(computed, first)]
    ends = {i: i for i in nodes}
    for i in nodes:
        ends |= {root[operand]: i for operand in graph.nodes[i].inputs if root[operand] in ends}
    rank = {i: number for number, i in enumerate(nodes)}
    committed = [i for group in order.groups[order.computed :] for i in group]
    kept = {root[o] for i in committed for o in graph.nodes[i].inputs} | {root[o] for o in graph.output.values()}
    small = max(unit, max((graph.nodes[i].nbytes for i in nodes), default=0) // SMALL)
    kept |= {i for i in nodes if graph.nodes[i].nbytes <= small or 2 * (rank[ends[i]] - rank[i]) > len(nodes)}
    kept |= _joining(graph, nodes, root)
    values = {i: end for i, end in ends.items() if i not in kept}
    return Forward(graph, dict(enumerate(root)), tuple(nodes), tuple(computed[len(nodes) :]), values)


def _joining(graph: Graph, nodes: list[int], root: list[int]) -> set[int]:
    """Data that meet what was computed with parameters, such as targets and weights: they wait for the whole pass."""
    data, trained = set(), set()
    for i, node in graph:
        if node.operation == "input":
            data |= {i} if node.options["role"] == "data" else set()
            trained |= {i} if node.options["role"] == "state" and node.dtype.startswith(("float", "bfloat")) else set()
        data |= {i} if data.intersection(node.inputs) else set()
        trained |= {i} if trained.intersection(node.inputs) else set()
    found, inside = set(), set(nodes)
    for i in nodes:
        operands = {root[operand] for operand in graph.nodes[i].inputs} & inside
        found |= {operand for operand in operands & data if operand not in trained and operands & trained}
    return found


def _cuts(forward: Forward) -> list[int]:
    """Ranks of the nodes after which the pass is cut.

    That is where a single value crosses which the backward pass reads, or which is smaller than those before and after
    it; in a graph that has hardly any such place, wherever fewer bytes cross than just before and after.
    """
    read = {value for reader in forward.readers for value in forward.reads(reader)}
    single: list[tuple[int, int, bool]] = []  # rank, bytes, whether the backward pass reads it
    several: list[tuple[int, int, bool]] = []
    alive: dict[int, int] = {}
    before: tuple[int, ...] = (-1,)
    for rank, i in enumerate(forward.nodes[:-1]):
        alive |= {i: forward.values[i]} if i in forward.values else {}
        alive = {value: end for value, end in alive.items() if end > i}
        nbytes = sum(forward.graph.nodes[value].nbytes for value in alive)
        several.append((rank, nbytes, False))
        if len(alive) <= 1:
            if single and before == tuple(alive):
                single.pop()
            single.append((rank, nbytes, any(value in read for value in alive)))
            before = tuple(alive)
    found = _narrow(single)
    return found if len(found) > 2 else _narrow(several)


def _narrow(places: list[tuple[int, int, bool]]) -> list[int]:
    sizes = [nbytes for _, nbytes, _ in places]
    around = zip([inf, *sizes], sizes, [*sizes[1:], -inf], strict=False)
    narrow = [before >= size < after or not size for before, size, after in around]
    return [rank for (rank, _, read), here in zip(places, narrow, strict=True) if read or here]


def _joined(cuts: list[int]) -> list[int]:
    """At most as many as make the longest chain, evenly chosen."""
    most = LONGEST - 1
    return cuts if len(cuts) <= most else [cuts[round(k * (len(cuts) - 1) / (most - 1))] for k in range(most)]


def _backward(forward: Forward, of: dict[int, int], last: int) -> tuple[dict[int, int], set[int]]:
    """The stage of each reader, as late a one as can be, and the values that are read when their turn is over."""
    found, late, stage = {}, set(), last
    for reader in forward.readers:
        reads = forward.reads(reader)
        stage = min([stage, *(of[forward.values[value]] for value in reads)])
        late |= {value for value in reads if of[value] > stage}
        found[reader] = stage
    return found, late
