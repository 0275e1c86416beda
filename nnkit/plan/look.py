"""Where the elements of a value are: a position in a flat buffer for each index, known before the program runs.

For backends that turn plans into code of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from nnkit.graph.dtypes import itemsize
from nnkit.graph.ir import Node
from nnkit.plan.planner import Plan

Extents = tuple[int, ...]
Literal = Callable[[float | bool, str], str]
"""(number, data type) → the number in code, of exactly this type."""


def offset(elements: int) -> str:
    """A place in a buffer, in code: kernels that differ in such numbers only are one."""
    return f"OFFSET({elements})"


@dataclass(frozen=True, slots=True)
class Look:
    """Element (i₀, i₁, …) is ``buffer[offset + Σ iₖ·strideₖ]``; a known number has no buffer, but its text."""

    buffer: str
    offset: int
    shape: Extents
    strides: Extents
    text: str = ""
    rows: str = ""
    """How many there are, in code, where the shape does not say: of data."""

    def at(self, indices: Sequence[str]) -> str:
        """The element in code."""
        if self.text:
            return self.text
        return f"{self.buffer}[{self.position(indices)}]"

    def position(self, indices: Sequence[str]) -> str:
        """Where the element stands in the buffer, in code."""
        terms = [f"{i} * {s}" if s != 1 else i for i, s in zip(indices, self.strides, strict=True) if s and i != "0"]
        return " + ".join([*terms, offset(self.offset)])

    def spread(self, shape: Extents) -> Look:
        """Repeated to a larger shape."""
        extra = len(shape) - len(self.shape)
        repeated = (0 if extent == 1 else stride for extent, stride in zip(self.shape, self.strides, strict=True))
        return Look(self.buffer, self.offset, shape, (*(0,) * extra, *repeated), self.text)

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other in the order of the indices."""
        expected = steps(self.shape)
        return all(e == 1 or a == b for e, a, b in zip(self.shape, self.strides, expected, strict=True))


def steps(shape: Extents) -> Extents:
    """Strides of a contiguous array."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def fixed(shape: Sequence[int | None]) -> Extents:
    """A shape whose free number of rows counts as one."""
    return tuple(1 if extent is None else extent for extent in shape)


def looks(plan: Plan, literal: Literal, elsewhere: Mapping[int, Look] | None = None) -> dict[int, Look]:
    """The look of every value of a plan, but of those that a backend has put ``elsewhere``."""
    found: dict[int, Look] = {}
    for i, node in plan.graph:
        found[i] = (elsewhere or {}).get(i) or _look(plan, i, node, found, literal)
    return found


def _look(plan: Plan, i: int, node: Node, found: dict[int, Look], literal: Literal) -> Look:
    slot, shape = plan.slots[i], fixed(node.shape)
    if slot.kind == "constant" and type(node.options.get("value")) in (bool, int, float):
        return Look("", 0, shape, (), literal(node.options["value"], node.dtype))
    if slot.kind in ("constant", "input"):
        return Look(f"b{i}", 0, shape, steps(shape), rows=f"n_b{i}" if node.shape[:1] == (None,) else "")
    if slot.kind == "state":
        return Look(f"b{slot.ref}", 0, shape, steps(shape))
    if slot.kind == "view":
        return viewed(node, found[slot.ref])
    return Look(f"a_{node.dtype}", slot.offset // itemsize(node.dtype), shape, steps(shape))


def viewed(node: Node, source: Look) -> Look:
    """The look of a shape operation on another look; a reshape of what is not contiguous only moves ones about."""
    options, shape = node.options, fixed(node.shape)
    if source.text:  # one number, however it is repeated
        return Look("", 0, shape, (0,) * len(shape), source.text)
    if node.operation == "reshape":
        if source.contiguous:
            return Look(source.buffer, source.offset, shape, steps(shape))
        kept: Iterator[int] = (s for s, e in zip(source.strides, source.shape, strict=True) if e != 1)
        return Look(source.buffer, source.offset, shape, tuple(0 if e == 1 else next(kept) for e in shape))
    if node.operation == "permute_dims":
        return Look(source.buffer, source.offset, shape, tuple(source.strides[a] for a in options["axes"]))
    if node.operation == "broadcast_to":
        return source.spread(shape)
    if node.operation == "flip":
        ends = sum((source.shape[a] - 1) * source.strides[a] for a in options["axis"])
        strides = tuple(-s if axis in options["axis"] else s for axis, s in enumerate(source.strides))
        return Look(source.buffer, source.offset + ends, shape, strides)
    return cut(source, options["start"], options["step"], shape)


def cut(source: Look, start: Extents, step: Extents, shape: Extents) -> Look:
    """Every ``step``-th element from ``start`` on."""
    offset = sum(first * stride for first, stride in zip(start, source.strides, strict=True))
    strides = tuple(every * stride for every, stride in zip(step, source.strides, strict=True))
    return Look(source.buffer, source.offset + offset, shape, strides, source.text)


def merged(shape: Extents, over: Sequence[Look]) -> tuple[Extents, list[Look]]:
    """Fewer axes where every look walks through two of them as through one: longer loops are faster ones."""
    axes: list[int] = []
    extents: list[int] = []
    for axis, extent in enumerate(shape):
        if extent == 1:
            continue
        joins = axes and all(look.strides[axes[-1]] == extent * look.strides[axis] for look in over if not look.text)
        if joins:
            extents[-1] *= extent
            axes[-1] = axis
        else:
            extents.append(extent)
            axes.append(axis)
    result = tuple(extents)
    return result, [
        Look(look.buffer, look.offset, result, tuple(look.strides[a] for a in axes) if not look.text else (), look.text)
        for look in over
    ]
