"""A table of a network's layers."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple, Protocol

from nnkit.display import Column
from nnkit.nn import Activation, Dense, Module, Sequential
from nnkit.nn.module import walk
from nnkit.training.layout import Layout


class Described(Protocol):
    """A module with the layout of its leaves: a model, or what a file says of one."""

    @property
    def module(self) -> Module: ...  # noqa: D102
    @property
    def layout(self) -> Layout: ...  # noqa: D102


class Row(NamedTuple):
    """One layer: its path, what it is, its leaves with their shapes, and how many values they have."""

    path: str
    layer: str
    parameters: str
    values: int


def columns(model: Described) -> list[Column]:
    """The layers as they are drawn: neurons for what has a number of units, and boxes for what changes values only."""
    shape = model.layout.input_shape
    dense: set[str] = set()
    found = [Column("inputs", "×".join(map(str, shape)), prod(shape))]
    for path, part in _layers(model):
        if isinstance(part, Dense):
            name = part.activation.name if isinstance(part.activation, Activation) else type(part.activation).__name__
            kind = f"Dense {part.units}" + (f" {name}" if name != "identity" else "")
            found.append(Column(path or "(whole)", kind, part.units))
            dense.add(path)
        elif path.rpartition(".")[0] not in dense:  # whose activation stands there already
            found.append(Column(path or "(whole)", _short(part)))
    return found


def _short(part: Module) -> str:
    """A layer in a few letters."""
    return part.name if isinstance(part, Activation) else type(part).__name__


def rows(model: Described) -> list[Row]:
    """One for each layer that holds arrays or is part of a Sequential.

    A constraint is named in brackets after the shape of its parameter.
    """
    layout, owned = model.layout, _owned(model)
    found = []
    for path, part in _layers(model):
        if path not in owned and isinstance(part, Activation):
            continue
        leaves = owned.get(path, [])
        shapes = ", ".join(_leaf(layout, leaf) for leaf in leaves)
        kind = repr(part) if len(repr(part)) <= 46 else type(part).__name__
        found.append(Row(path or "(whole)", kind, shapes, sum(prod(layout.shapes[leaf]) for leaf in leaves)))
    return found


def summary(model: Described) -> str:
    """The rows as a table, and a line of sums."""
    layout = model.layout
    cells = [("layer", "kind", "parameters", "values"), *((*row[:3], f"{row.values:,}") for row in rows(model))]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=False)), row[3].rjust(widths[3])])
        for row in cells
    ]
    lines.insert(1, "-" * len(lines[0]))
    ends = f"{sized(layout.input_shape, 'input')}, {sized(layout.output_shape, 'output')}"
    lines.append(f"{ends}, {layout.count:,} trained values of {layout.dtype}")
    return "\n".join(line.rstrip() for line in lines)


def sized(shape: tuple[int, ...], noun: str) -> str:
    """How many there are, along each axis.

    >>> sized((28, 28), "input"), sized((1,), "output")
    ('28×28 inputs', '1 output')
    """
    return f"{'×'.join(map(str, shape))} {noun}{'' if shape == (1,) else 's'}"


def _owned(model: Described) -> dict[str, list[str]]:
    """The leaves of each module that has any."""
    owned: dict[str, list[str]] = {}
    for path in model.layout.shapes:
        owned.setdefault(path.rpartition(".")[0], []).append(path)
    return owned


def _layers(model: Described) -> Iterator[tuple[str, Module]]:
    """Path and module of each layer; what only holds others is none."""
    owned = _owned(model)
    for path, part in walk(model.module):
        if isinstance(part, Module) and (path in owned or not isinstance(part, Sequential)):
            yield path, part


def _leaf(layout: Layout, path: str) -> str:
    """Name, shape and constraint."""
    constraint = layout.constraints.get(path)
    shape = "×".join(map(str, layout.shapes[path]))
    return f"{path.rpartition('.')[2]} {shape}" + (f" ({constraint.name})" if constraint else "")
