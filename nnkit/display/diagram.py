"""The layers of a network as a picture: columns of neurons with their connections, and boxes for what has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from nnkit.display.svg import ACCENTS, line, picture, text

SHOWN = 8
"""Neurons of a layer that are drawn; of more, the first and the last."""
WIDE, NARROW, STEP, RADIUS, TOP = 116.0, 84.0, 22.0, 7.0, 20.0


@dataclass(frozen=True)
class Column:
    """A layer: what stands under it, and how many neurons it has (None where it changes values only)."""

    name: str
    kind: str
    units: int | None = None


def diagram(columns: Sequence[Column]) -> str:
    """An SVG picture of the layers from left to right.

    >>> diagram([Column("inputs", "2", 2), Column("layers.0", "Dense", 3)]).count("<circle")
    5
    """
    widths = list(map(_width, columns))
    centres = [end - width / 2 for end, width in zip(accumulate(widths), widths, strict=True)]
    heights = [len(_neurons(column)) for column in columns]
    height = max(heights, default=1) * STEP + TOP
    middle = (max(heights, default=1) * STEP) / 2 + TOP / 2
    parts: list[str] = []
    drawn = [i for i, column in enumerate(columns) if column.units is not None]
    for left, right in pairwise(drawn):
        parts += _connections(columns[left], columns[right], centres[left], centres[right], middle)
    for column, x in zip(columns, centres, strict=True):
        parts += _column(column, x, middle)
        parts += [text(x, height + 14, column.name), text(x, height + 30, column.kind, faint=True)]
    words = " → ".join(f"{column.name} ({column.kind})" for column in columns)
    return picture(sum(widths), height + 38, parts, f"network: {words}")


def _width(column: Column) -> float:
    least = WIDE if column.units is not None else NARROW
    return max(least, 7.0 * max(len(column.name), len(column.kind)) + 10)


def _neurons(column: Column) -> list[int | None]:
    """The neurons that are drawn, by number; None is a gap."""
    count = column.units
    if count is None:
        return [None]
    if count <= SHOWN:
        return list(range(count))
    half = (SHOWN - 1) // 2
    return [*range(SHOWN - 1 - half), None, *range(count - half, count)]


def _places(column: Column, middle: float) -> list[tuple[int | None, float]]:
    shown = _neurons(column)
    top = middle - (len(shown) - 1) * STEP / 2
    return [(neuron, top + place * STEP) for place, neuron in enumerate(shown)]


def _connections(left: Column, right: Column, x1: float, x2: float, middle: float) -> Iterator[str]:
    starts, ends = ([y for neuron, y in _places(side, middle) if neuron is not None] for side in (left, right))
    for y1 in starts:
        for y2 in ends:
            yield line(x1 + RADIUS, y1, x2 - RADIUS, y2, opacity=0.18)


def _column(column: Column, x: float, middle: float) -> Iterator[str]:
    if column.units is None:
        shape = f'x="{x - 9:g}" y="{middle - 34:g}" width="18" height="68" rx="9"'
        yield f'<rect {shape} fill="{ACCENTS[1]}" fill-opacity="0.25" stroke="{ACCENTS[1]}"/>'
        return
    for neuron, y in _places(column, middle):
        if neuron is None:
            yield text(x, y + 4, "⋮")
        else:
            yield f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS:g}" fill="{ACCENTS[0]}"/>'
