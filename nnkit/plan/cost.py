"""What a step costs: FLOPs and bytes exactly, seconds by the target's rates."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.graph.ir import Graph
from nnkit.graph.primitives import PRIMITIVES, Type
from nnkit.plan.passes import phases, space
from nnkit.plan.rounding import read_as
from nnkit.plan.target import Target
from nnkit.plan.tiles import fits


@dataclass(frozen=True, slots=True)
class Cost:
    """Floating-point operations, bytes read and written, and predicted seconds."""

    flops: int = 0
    nbytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.nbytes + other.nbytes, self.seconds + other.seconds)


def node_flops(graph: Graph, i: int) -> int:
    """FLOPs of one node by its row."""
    node = graph.nodes[i]
    types = [Type(graph.nodes[o].shape, graph.nodes[o].dtype) for o in node.inputs]
    return PRIMITIVES[node.operation].flops(Type(node.shape, node.dtype), *types, **node.options)


def group_cost(graph: Graph, group: tuple[int, ...], escaping: set[int], tile: int, target: Target) -> Cost:
    """A fused group reads its outer operands once and writes what others read; the rest stays in the cache."""
    members = set(group)
    outer = dict.fromkeys(o for i in group for o in graph.nodes[i].inputs if o not in members)
    moved = sum(_read_bytes(graph, group, o) for o in outer)
    moved += sum(graph.nodes[i].nbytes for i in group if i in escaping)
    passes = len(group) > 1 and not tile and not target.loops
    if passes and not fits(graph, group, escaping, target):  # every operation is a pass over memory
        read = sum(_read_bytes(graph, (i,), o) for i in group for o in graph.nodes[i].inputs)
        moved = read + sum(graph.nodes[i].nbytes for i in group)
    flops = sum(node_flops(graph, i) for i in group)
    tiles = -(-(space(graph, group)[0] or 1) // tile) if tile else 1
    return Cost(flops, moved, _seconds(graph, group, moved, flops, tiles, target))


def _read_bytes(graph: Graph, group: tuple[int, ...], operand: int) -> int:
    """A gather reads the rows that it takes, not the data set; a constant number costs nothing."""
    node = graph.nodes[group[0]]
    if node.operation == "take" and node.inputs[0] == operand:
        return node.nbytes
    return graph.nodes[operand].nbytes if graph.nodes[operand].shape else 0


def _seconds(graph: Graph, group: tuple[int, ...], moved: int, flops: int, tiles: int, target: Target) -> float:
    calls = (len(phases(graph, group)) if target.loops else len(group) * tiles) * target.call_s
    slow = sum(graph.nodes[i].size * target.seconds_per_element(graph.nodes[i].operation) for i in group)
    memory = moved / target.pass_rate(moved)
    if graph.nodes[group[0]].operation == "matmul":
        return calls + max(flops / target.product_rate(read_as(graph, graph.nodes[group[0]])), memory)
    if target.loops:
        return calls + max(memory, slow + sum(graph.nodes[i].size for i in group) * target.operation_s)
    inner = sum(graph.nodes[o].nbytes for i in group for o in (i, *graph.nodes[i].inputs) if graph.nodes[o].shape)
    return calls + slow + max(memory, inner / target.cached_bytes_per_s)
