"""A table of a network's layers."""

from __future__ import annotations

from math import prod

from nnkit.nn import Module
from nnkit.nn.module import walk
from nnkit.training.layout import Layout
from nnkit.training.model import Model


def summary(model: Model) -> str:
    """One line for each layer that holds arrays or is part of a Sequential: path, layer, shapes, number of values.

    A constraint is named in brackets after the shape of its parameter.
    """
    layout = model.layout
    owned: dict[str, list[str]] = {}
    for path in layout.shapes:
        owned.setdefault(path.rpartition(".")[0], []).append(path)
    rows = [("layer", "kind", "parameters", "values")]
    for path, part in walk(model.module):
        if not isinstance(part, Module) or (path not in owned and type(part).__name__ in ("Sequential", "Activation")):
            continue
        leaves = owned.get(path, [])
        shapes = ", ".join(_leaf(layout, leaf) for leaf in leaves)
        count = sum(prod(layout.shapes[leaf]) for leaf in leaves)
        rows.append(
            (path or "(whole)", repr(part) if len(repr(part)) <= 46 else type(part).__name__, shapes, f"{count:,}")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=False)), row[3].rjust(widths[3])])
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    inputs, outputs = ("×".join(map(str, shape)) for shape in (layout.input_shape, layout.output_shape))
    lines.append(f"{inputs} inputs, {outputs} outputs, {layout.count:,} trained values of {layout.dtype}")
    return "\n".join(line.rstrip() for line in lines)


def _leaf(layout: Layout, path: str) -> str:
    """Name, shape and constraint."""
    constraint = layout.constraints.get(path)
    shape = "×".join(map(str, layout.shapes[path]))
    return f"{path.rpartition('.')[2]} {shape}" + (f" ({constraint.name})" if constraint else "")
