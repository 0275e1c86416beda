"""The row: everything the engine knows of one operation, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Protocol

from nnkit.graph.ir import Shape

Array = Any
Rule = Callable[..., Array]


class Type(NamedTuple):
    """Shape and data type of a value."""

    shape: Shape
    dtype: str


class Evaluator(Protocol):
    """What a row's evaluation may use: the namespace of the standard, its device, and its data types by our names."""

    xp: Any
    device: Any

    def dtype(self, name: str) -> Any:
        """The namespace's data type object of that name."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One row of the table.

    ``infer(*types, **options) -> Type`` is the shape and dtype rule and checks its operands;
    ``evaluate(run, *arrays, **options)`` computes with the standard alone;
    ``derivatives[i](xp, gradient, output, *inputs, **options)`` is the vector-Jacobian product for operand i, written
    with the standard on traced arrays (``None``: no gradient flows); ``flops(output, *types, **options)`` is the cost.
    """

    name: str
    family: str
    infer: Callable[..., Type]
    evaluate: Callable[..., Array]
    derivatives: tuple[Rule | None, ...] = ()
    flops: Callable[..., int] = lambda *_, **__: 0


PRIMITIVES: dict[str, Primitive] = {}


def add_rows(rows: Iterable[Primitive]) -> None:
    """Put rows into the table; a name stands there once."""
    for row in rows:
        assert row.name not in PRIMITIVES, f"two rows for {row.name}"
        PRIMITIVES[row.name] = row


def elements(shape: Shape) -> int:
    """Number of elements; a free number of rows counts as one."""
    return prod(1 if extent is None else extent for extent in shape)
