"""Which values of a graph are whole operations of ONNX: products with a bias, means, and the table's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from nnkit.errors import NnkitError
from nnkit.formats.onnx.exporting.operators import Operand
from nnkit.formats.onnx.exporting.rows import Line, Lines
from nnkit.formats.onnx.exporting.wholes import WHOLES, Whole
from nnkit.formats.onnx.exporting.writer import Writer
from nnkit.graph import Node
from nnkit.graph.primitives.creation import Constant

Write = Callable[[Writer, Line, list[Operand]], str]
KEPT = 4096
FLOATS = ("float32", "float64")


@dataclass(frozen=True)
class Found:
    """A value as one operation: what it reads, which values are inside it, and how it is written."""

    inputs: tuple[int, ...]
    inside: frozenset[int]
    write: Write


class Recogniser:
    """Looks at the values of one graph, from the output backwards."""

    def __init__(self, graph: Lines, opset: int) -> None:
        self._nodes = [line.node for line in graph.lines]
        self._lines = graph.lines
        self._wholes = [whole for whole in WHOLES if whole.since <= opset]
        live = graph.live()
        self._readers: dict[int, set[int]] = {i: set() for i in live}
        for position in live:
            for operand in self._nodes[position].inputs:
                self._readers[operand].add(position)
        self._output = graph.output

    def at(self, position: int) -> Found | None:
        """The operation whose value stands there; the largest, if there are several."""
        found = [each for each in self._candidates(position) if self._closed(position, each)]
        return max(found, key=lambda each: len(each.inside), default=None)

    def _candidates(self, position: int) -> Iterator[Found]:
        for special in (self._gemm, self._mean):
            found = special(position)
            if found is not None:
                yield found
        node = self._nodes[position]
        for whole in self._wholes:
            if node.dtype in whole.dtypes and len(node.shape) in whole.ranks and self._alike(whole, node):
                for axis in reversed(range(len(node.shape))) if whole.by_axis else (None,):
                    matched = self._matched(whole, position, axis)
                    if matched is not None:
                        yield matched

    def _closed(self, position: int, found: Found) -> bool:
        """Whether nothing else reads what is inside: it would have to be computed once more."""
        inside = found.inside | {position}
        return all(self._readers[i] <= inside and i != self._output for i in found.inside)

    # -- by hand

    def _gemm(self, position: int) -> Found | None:
        """x @ w + b of matrices, where b has one number for each column, or is one."""
        node = self._nodes[position]
        if node.operation != "add" or len(node.shape) != 2 or node.dtype not in FLOATS:
            return None
        for product, bias in (node.inputs, node.inputs[::-1]):
            made, added = self._nodes[product], self._nodes[bias]
            if (
                made.operation == "matmul"
                and made.shape == node.shape
                and added.shape in ((), (1,), node.shape[1:], (1, *node.shape[1:]))
            ):
                sides, flips = zip(*map(self._untransposed, made.inputs), strict=True)
                flags = {name: 1 for name, flip in zip(("transA", "transB"), flips, strict=True) if flip}
                if all(len(self._nodes[side].shape) == 2 for side in sides):
                    return Found((*sides, bias), frozenset((product,)), _as("Gemm", **flags))
        return None

    def _untransposed(self, position: int) -> tuple[int, bool]:
        node = self._nodes[position]
        flipped = node.operation == "permute_dims" and node.options["axes"] == (1, 0)
        return (node.inputs[0], True) if flipped else (position, False)

    def _mean(self, position: int) -> Found | None:
        """A sum divided by the number of its terms."""
        node = self._nodes[position]
        if node.operation != "divide" or node.dtype not in FLOATS:
            return None
        total, count = (self._lines[i] for i in node.inputs)
        if total.node.operation != "sum" or total.node.shape != node.shape:
            return None
        sizes = self._lines[total.node.inputs[0]].shape
        extents = [sizes[axis] for axis in total.options["axis"]]
        if not all(isinstance(size, int) for size in extents) or count.options.get("value") != prod(extents):
            return None
        axes, keepdims = list(total.options["axis"]), int(total.options["keepdims"])
        return Found(total.node.inputs, frozenset((node.inputs[0],)), _mean(axes, keepdims))

    # -- by the table

    def _alike(self, whole: Whole, node: Node) -> bool:
        """Whether the last two steps are those of the function: a quick look before the thorough one."""
        operations = [self._nodes[i].operation for i in node.inputs]
        name, inner = _last_steps(whole, len(node.shape), node.dtype)
        same = zip(inner, operations, strict=False)
        return node.operation == name and all(wanted in ("input", found) for wanted, found in same)

    def _matched(self, whole: Whole, position: int, axis: int | None) -> Found | None:
        node = self._nodes[position]
        given = {} if axis is None else {"axis": axis}
        marks = tuple(whole.parameters.items())
        pattern = _pattern(whole, node.shape, node.dtype, (*given.items(), *marks))
        if pattern is None:
            return None
        values = {mark: name for name, mark in marks}
        first = Match(self._nodes, pattern, values)
        if not first.matches(position) or len(first.parameters) < len(marks):
            return None
        found = tuple(sorted(first.parameters.items()))
        exact = _pattern(whole, node.shape, node.dtype, (*given.items(), *found))
        second = None if exact is None else Match(self._nodes, exact, {})
        if second is None or not second.matches(position):
            return None
        read = tuple(second.inputs[name] for name in whole.inputs if name in second.inputs)
        return Found(read, frozenset(second.inside - {position}), _written(whole, dict(found) | given))


class Match:
    """An attempt to see a pattern in a graph; constants that are ``marks`` of parameters may be any number."""

    def __init__(self, nodes: list[Node], pattern: Lines, marks: dict[float, str]) -> None:
        self.inputs: dict[str, int] = {}
        self.parameters: dict[str, float] = {}
        self.inside: set[int] = set()
        self._nodes, self._pattern, self._marks = nodes, pattern, marks

    def matches(self, position: int) -> bool:
        """Whether the value there is the pattern's output."""
        seen: dict[int, int] = {}
        waiting = [(self._pattern.output, position)]
        while waiting:
            wanted, found = waiting.pop()
            if seen.setdefault(wanted, found) != found or not self._same(wanted, found):
                return False
            operands = self._pattern.lines[wanted].node.inputs  # none of the pattern's own inputs
            waiting.extend(zip(operands, self._nodes[found].inputs, strict=False))
        return True

    def _same(self, wanted: int, found: int) -> bool:
        pattern, node = self._pattern.lines[wanted].node, self._nodes[found]
        if (pattern.shape, pattern.dtype) != (node.shape, node.dtype):
            return False
        if pattern.operation == "input":
            return self.inputs.setdefault(pattern.options["name"], found) == found
        if pattern.operation != node.operation or len(pattern.inputs) != len(node.inputs):
            return False
        if pattern.operation == "constant":
            return self._constant(pattern.options["value"], node.options["value"])
        self.inside.add(found)
        return pattern.attributes == node.attributes

    def _constant(self, wanted: Any, found: Any) -> bool:
        if not self._marks:
            return bool(wanted == found)
        if wanted in self._marks and isinstance(found, float):
            return self.parameters.setdefault(self._marks[wanted], found) == found
        return not isinstance(found, Constant)  # it may follow from the parameters: the second attempt knows


@lru_cache(KEPT)
def _pattern(whole: Whole, shape: tuple[int, ...], dtype: str, parameters: tuple[tuple[str, Any], ...]) -> Lines | None:
    """What the function looks like; None where it takes no such input or parameters."""
    try:
        return whole.graph(shape, dtype, **dict(parameters))
    except NnkitError:
        return None


@lru_cache(KEPT)
def _last_steps(whole: Whole, rank: int, dtype: str) -> tuple[str, tuple[str, ...]]:
    axis = {"axis": rank - 1} if whole.by_axis else {}
    graph = whole.graph((3,) * rank, dtype, **whole.parameters, **axis)
    last = graph.lines[graph.output].node
    return last.operation, tuple(graph.lines[i].node.operation for i in last.inputs)


# -- how they are written


def _as(operator: str, **attributes: Any) -> Write:
    return lambda writer, line, operands: writer.node(
        operator, *(each.name for each in operands), where=line.where, **attributes
    )


def _mean(axes: list[int], keepdims: int) -> Write:
    """Axes are an input since opset 18."""

    def write(writer: Writer, line: Line, operands: list[Operand]) -> str:
        name = operands[0].name
        if writer.opset < 18:
            return writer.node("ReduceMean", name, where=line.where, axes=axes, keepdims=keepdims)
        return writer.node("ReduceMean", name, writer.sizes(tuple(axes)), where=line.where, keepdims=keepdims)

    return write


def _written(whole: Whole, parameters: dict[str, Any]) -> Write:
    attributes = {name: parameters.get(value, value) for name, value in whole.attributes.items()}
    attributes |= {"axis": parameters["axis"]} if whole.by_axis else {}

    def write(writer: Writer, line: Line, operands: list[Operand]) -> str:
        read, dtype, given = iter(operands), line.node.dtype, dict(attributes)
        names = {
            name: writer.constant(parameters[name], dtype) if name in parameters else next(read).name
            for name in whole.inputs
        }
        if whole.added is not None and dtype == "float64":
            attribute, receiver = whole.added
            given[attribute], rest = _in_32_bits(given[attribute])
            if rest:
                names[receiver] = writer.node("Add", names[receiver], writer.constant(rest, dtype), where=line.where)
        return writer.node(whole.operator, *names.values(), where=line.where, **given)

    return write


def _in_32_bits(number: float) -> tuple[float, float]:
    """The largest fraction of 32 bits up to a positive number, and what it lacks to it."""
    near = np.float32(number)
    near = near if float(near) <= number else np.nextafter(near, np.float32(0))
    return float(near), number - float(near)
