"""How many rows of its arrays a pass works on at a time."""

from __future__ import annotations

from collections.abc import Collection

from nnkit.graph.ir import Graph, Shape
from nnkit.plan.passes import is_pass, phases, space
from nnkit.plan.target import Target


def tile(graph: Graph, group: tuple[int, ...], kept: Collection[int], target: Target, small: bool) -> int:
    """Rows of the first axis of a tile, 0 where a group has none; ``kept`` of its values are read by others.

    If ``small``, all arrays of a tile fit the cache. To a target that loops over elements every pass is tiled, for its
    readers come back for every element.
    """
    shape = space(graph, group) if is_pass(graph, group) else ()
    if not shape:
        return 0
    if target.loops and len(phases(graph, group)) == 1:
        return 1
    rows = shape[0] or 0
    found = _fitting(graph, group, kept, shape, target) if small and len(group) > 1 else rows
    return found if found < rows or target.loops else 0


def pieces(graph: Graph, group: tuple[int, ...], rows: int, target: Target) -> int:
    """Rows of a piece of a pass whose tile is known, 0 where the pass is done in one go."""
    one = rows and target.loops and len(phases(graph, group)) == 1
    return 0 if one or not rows or rows >= (space(graph, group)[0] or 0) else rows


def fits(graph: Graph, group: tuple[int, ...], kept: Collection[int], target: Target) -> bool:
    """Whether all arrays that a pass goes over fit the cache as they are."""
    shape = space(graph, group)
    return not shape or _fitting(graph, group, kept, shape, target) >= (shape[0] or 0)


def _fitting(graph: Graph, group: tuple[int, ...], kept: Collection[int], shape: Shape, target: Target) -> int:
    """As many rows as fit, in tiles that are equally large."""
    rows = shape[0] or 0
    row_bytes = sum(graph.nodes[i].nbytes for i in _touched(graph, group, kept, shape)) // max(rows, 1)
    count = max(-(-rows * row_bytes // target.tile_bytes), 1)
    even = -(-rows // count)
    return -(-even // 16) * 16 if len(shape) == 1 else even


def _touched(graph: Graph, group: tuple[int, ...], kept: Collection[int], shape: Shape) -> list[int]:
    """The arrays that a pass goes over: what comes from outside, what others read, and two for all in between."""
    members = set(group)
    outer = dict.fromkeys(o for i in group for o in graph.nodes[i].inputs if o not in members)
    full, between = ([i for i in values if graph.nodes[i].shape == shape] for values in ((*outer, *kept), group))
    # A new state is written over the old one, which is counted already.
    found = [i for i in full if i in outer or i not in graph.state.values()]
    return found + [i for i in between if i not in kept][:2]
