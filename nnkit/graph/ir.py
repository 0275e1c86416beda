"""The intermediate representation: a Graph is a topologically ordered tuple of Nodes, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from nnkit.display import preformatted
from nnkit.graph.dtypes import itemsize

Shape = tuple[int | None, ...]
"""Sizes of the axes. ``None`` is the free number of rows of a data set; only ``take`` along axis 0 reads it."""

ROLES = ("state", "data", "setting", "constant")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node came from: the module's path, the user's source line, and the phase of the step."""

    path: str = ""
    source: str = ""
    phase: str = "forward"

    def __str__(self) -> str:
        return " ".join(part for part in (self.path, f"({self.source})" if self.source else "") if part)


@dataclass(frozen=True, slots=True)
class Node:
    """One primitive operation. ``inputs`` are positions in the graph; ``attributes`` are static and hashable."""

    operation: str
    inputs: tuple[int, ...]
    attributes: tuple[tuple[str, Any], ...]
    shape: Shape
    dtype: str
    origin: Origin = field(default=Origin(), compare=False)

    @property
    def options(self) -> dict[str, Any]:
        """The attributes as keyword arguments."""
        return dict(self.attributes)

    @property
    def size(self) -> int:
        """Number of elements; a free number of rows counts as one."""
        return prod(extent or (1 if extent is None else 0) for extent in self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the value."""
        return self.size * itemsize(self.dtype)


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order and named outputs. Inputs are nodes of operation ``input`` with a name and a role."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]

    @cached_property
    def inputs(self) -> dict[str, int]:
        """Name of each input and its position."""
        return {node.options["name"]: i for i, node in enumerate(self.nodes) if node.operation == "input"}

    @cached_property
    def output(self) -> dict[str, int]:
        """Name of each output and its position."""
        return dict(self.outputs)

    @cached_property
    def state(self) -> dict[int, int]:
        """Position of each state input and the position of its new value."""
        return {
            position: self.output[name]
            for name, position in self.inputs.items()
            if self.nodes[position].options["role"] == "state" and name in self.output
        }

    @cached_property
    def users(self) -> tuple[tuple[int, ...], ...]:
        """For each node, the positions of the nodes that read it."""
        readers: list[list[int]] = [[] for _ in self.nodes]
        for position, node in enumerate(self.nodes):
            for operand in dict.fromkeys(node.inputs):
                readers[operand].append(position)
        return tuple(map(tuple, readers))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the structure; origins do not enter."""
        text = "\n".join(f"{n.operation}{n.inputs}{n.attributes}{n.shape}{n.dtype}" for n in self.nodes)
        return hashlib.sha256(f"{text}\n{self.outputs}".encode()).hexdigest()

    def ancestors(self, positions: Iterable[int]) -> set[int]:
        """Positions of all nodes that the given ones need, themselves included."""
        needed: set[int] = set()
        waiting = list(positions)
        while waiting:
            position = waiting.pop()
            if position not in needed:
                needed.add(position)
                waiting.extend(self.nodes[position].inputs)
        return needed

    def __iter__(self) -> Iterator[tuple[int, Node]]:
        return enumerate(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def _repr_html_(self) -> str:
        """For notebooks: one line for each node."""
        return preformatted(str(self))

    def __str__(self) -> str:
        lines = [f"%{i} = {describe(node)}" for i, node in self]
        return "\n".join([*lines, "return " + ", ".join(f"{name}=%{i}" for name, i in self.outputs)])


def describe(node: Node) -> str:
    """One line for a person: operation, operands, attributes, type and origin."""
    operands = ", ".join(f"%{i}" for i in node.inputs)
    options = ", ".join(f"{name}={value}" for name, value in node.attributes)
    where = f"  # {node.origin}" if str(node.origin) else ""
    return f"{node.operation}({', '.join(filter(None, (operands, options)))}) : {node.dtype}{list(node.shape)}{where}"
