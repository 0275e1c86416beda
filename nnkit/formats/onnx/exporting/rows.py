"""One graph for any number of rows, from graphs that were traced for certain numbers of them.

A trace knows how many rows there are, and code may do with that number what it likes: it stands in shapes, ranges,
slices and constants. Two traces, of numbers that are nothing else's size, show where it stands and how; further ones,
of one row and of a few too, show that it does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from nnkit.errors import ArgumentError
from nnkit.graph import Graph, Node
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.primitives.creation import Constant
from nnkit.graph.shapes import broadcast, show

ROWS, OTHER = 1009, 1514
"""The traces that are compared: an odd prime number, and an even one; few layers have so many units by chance."""
CHECKED = (2027, 1, 2, 3)


@dataclass(frozen=True)
class Extent:
    """A number that depends on the number of rows: per_row · rows + fixed."""

    per_row: Any
    fixed: Any

    def at(self, rows: int) -> Any:
        """The number for so many rows."""
        return self.per_row * rows + self.fixed


EVERY_ROW = Extent(1, 0)


@dataclass(frozen=True)
class Line:
    """A node of the trace of ``ROWS`` rows, with attributes and shape in which numbers of rows are extents."""

    node: Node
    options: dict[str, Any]
    shape: tuple[Any, ...]

    @property
    def where(self) -> str:
        """The path of the layer that it came from."""
        return self.node.origin.path


@dataclass(frozen=True)
class Lines:
    """A graph for any number of rows; its positions are those of the nodes."""

    lines: tuple[Line, ...]
    output: int

    @classmethod
    def of(cls, graph: Graph) -> Lines:
        """A graph whose sizes are all fixed."""
        return cls(tuple(Line(node, node.options, node.shape) for node in graph.nodes), graph.outputs[0][1])

    def live(self) -> set[int]:
        """Positions that the output needs."""
        return Graph(tuple(line.node for line in self.lines), (("", self.output),)).ancestors([self.output])


def for_any_rows(graph_of: Callable[[int], Graph]) -> Lines:
    """The graph that ``graph_of`` gives for every number of rows.

    Raises ArgumentError, naming the layer, where there is no such graph.
    """
    first, second = graph_of(ROWS), graph_of(OTHER)
    found = tuple(_line(one, other) for one, other in zip(first.nodes, second.nodes, strict=False))
    if len(first) != len(second):
        longer = max(first, second, key=len)
        _refuse(longer.nodes[len(found)], OTHER)
    lines = Lines(found, first.outputs[0][1])
    for rows in CHECKED:
        _check(lines, rows, graph_of(rows))
    _check_output(lines.lines[lines.output])
    return without_repetition(lines)


def without_repetition(lines: Lines) -> Lines:
    """Elementwise operations read what is repeated as it was before: ONNX's operators repeat by themselves."""
    made = [
        replace(line, node=replace(line.node, inputs=_bare(lines.lines, line)))
        if PRIMITIVES[line.node.operation].family == "elementwise"
        else line
        for line in lines.lines
    ]
    return Lines(tuple(made), lines.output)


def _bare(lines: Sequence[Line], line: Line) -> tuple[int, ...]:
    chosen = list(line.node.inputs)
    for place in range(len(chosen)):
        while lines[chosen[place]].node.operation == "broadcast_to":
            shorter = [*chosen[:place], lines[chosen[place]].node.inputs[0], *chosen[place + 1 :]]
            if broadcast("export", *(lines[i].shape for i in shorter)) != line.shape:
                break
            chosen = shorter
    return tuple(chosen)


# -- what stands for the number of rows


def _line(one: Node, other: Node) -> Line:
    if (one.operation, one.inputs, one.dtype) != (other.operation, other.inputs, other.dtype):
        _refuse(other, OTHER)
    names = [name for name, _ in one.attributes]
    if names != [name for name, _ in other.attributes] or len(one.shape) != len(other.shape):
        _refuse(other, OTHER)
    options = {name: _fitted(one, value, other.options[name]) for name, value in one.attributes}
    return Line(one, options, _fitted(one, one.shape, other.shape))


def _fitted(node: Node, value: Any, other: Any) -> Any:
    """The two values as one that depends on the number of rows."""
    if repr(value) == repr(other):  # so that NaN is itself
        return value
    if isinstance(value, tuple) and isinstance(other, tuple) and len(value) == len(other):
        return tuple(_fitted(node, *pair) for pair in zip(value, other, strict=True))
    if {type(value), type(other)} in ({int}, {float}):
        slope = (other - value) / (OTHER - ROWS)
        per_row = round(slope) if isinstance(value, int) else slope
        extent = Extent(per_row, value - per_row * ROWS)
        if extent.at(OTHER) == other:
            return extent
    raise ArgumentError(
        f"export: {place(node)}: '{node.operation}' has {_shown(value)} for {ROWS} rows and {_shown(other)} for "
        f"{OTHER}; an ONNX file is for any number of rows, and takes only sizes that grow evenly with it: compute with "
        "x.shape, and make arrays of that length with xp.ones or xp.arange, not with NumPy"
    )


def _shown(value: Any) -> str:
    return f"an array of shape {show(value.array.shape)}" if isinstance(value, Constant) else str(value)


# -- nothing else depends on it


def _check(lines: Lines, rows: int, graph: Graph) -> None:
    expected, found = _plain(_at(lines, rows), lines.output), _plain(graph.nodes, graph.outputs[0][1])
    for one, other in zip(expected, found, strict=False):
        if _described(one) != _described(other):
            _refuse(other, rows)
    if len(expected) != len(found):
        _refuse(max(expected, found, key=len)[-1], rows)


def _check_output(line: Line) -> None:
    if line.shape[:1] != (EVERY_ROW,) or any(isinstance(size, Extent) for size in line.shape[1:]):
        raise ArgumentError(
            f"export: {place(line.node)}: the network makes {show(line.node.shape)} of {ROWS} rows; an ONNX file needs "
            "an output with one row for each that comes in, and otherwise of one shape"
        )


def _described(node: Node) -> str:
    """All that a node computes; NaN is itself."""
    return f"{node.operation} {node.inputs} {sorted(node.attributes)} {node.shape} {node.dtype}"


def _at(lines: Lines, rows: int) -> list[Node]:
    """The nodes for so many rows."""
    return [
        replace(
            line.node,
            attributes=tuple((name, _number(value, rows)) for name, value in line.options.items()),
            shape=_number(line.shape, rows),
        )
        for line in lines.lines
    ]


def _number(value: Any, rows: int) -> Any:
    if isinstance(value, Extent):
        return value.at(rows)
    return tuple(_number(part, rows) for part in value) if isinstance(value, tuple) else value


def _plain(nodes: Sequence[Node], output: int) -> list[Node]:
    """The nodes that the output needs, without those that change nothing: a trace leaves them out by itself."""
    needed = Graph(tuple(nodes), (("", output),)).ancestors([output])
    place: dict[int, int] = {}
    kept: list[Node] = []
    for position in sorted(needed):
        node = nodes[position]
        inputs = tuple(place[i] for i in node.inputs)
        if _changes_nothing(node, [nodes[i] for i in node.inputs]):
            place[position] = inputs[0]
        else:
            kept.append(replace(node, inputs=inputs))
            place[position] = len(kept) - 1
    return kept


def _changes_nothing(node: Node, operands: Iterable[Node]) -> bool:
    return node.operation in ("reshape", "broadcast_to", "slice") and all(o.shape == node.shape for o in operands)


def _refuse(node: Node, rows: int) -> NoReturn:
    raise ArgumentError(
        f"export: {place(node)} computes something else for {rows} rows than for {ROWS}; an ONNX file holds one graph "
        "for any number of rows: let the number of rows decide nothing in __call__"
    )


def place(node: Node) -> str:
    """Where a node came from, for messages."""
    layer = f"layer '{node.origin.path}'" if node.origin.path else "the network"
    return f"{layer} (at {node.origin.source})" if node.origin.source else layer
