"""One training step that can be done again: its graph and all that it read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.graph.interpret import Eager
from nnkit.graph.ir import Graph

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a value: whether all of it is finite, its largest magnitude, its least element, whether any is
    zero, and the first entry along its first axis that is not finite.
    """

    finite: bool = True
    largest: float = 0.0
    least: float = 0.0
    has_zero: bool = False
    bad: int | None = None

    @classmethod
    def of(cls, value: Array) -> Facts:
        """Of an array; what has no fraction is finite."""
        if not value.size or value.dtype.kind not in "fiu":
            return cls()
        rows = np.isfinite(value.reshape(len(value) if value.ndim else 1, -1)).all(axis=1)
        fine = bool(rows.all())
        largest = float(max(abs(float(value.max())), abs(float(value.min()))))
        return cls(fine, largest, float(value.min()), not value.all(), None if fine else int(np.argmin(rows)))


@dataclass(frozen=True, eq=False)
class Step:
    """A training graph with the values of its inputs on the host.

    ``inputs`` has parameters and states as they were before the step; of the data it has the rows of the batch alone.
    ``rows`` says which rows of the given data these are, ``parameters`` the shape of each parameter in the order in
    which they lie in the flat vector, and ``epoch`` and ``number`` count from 1.
    """

    graph: Graph
    inputs: Mapping[str, Array]
    rows: tuple[int, ...]
    parameters: Mapping[str, tuple[int, ...]]
    epoch: int
    number: int

    @cached_property
    def facts(self) -> tuple[Facts, ...]:
        """Of the value of every node."""
        with np.errstate(all="ignore"):
            return tuple(Facts.of(value) for _, value in self.evaluated())

    def evaluated(self) -> Iterator[tuple[int, Array]]:
        """Every node and its value, by the reference with NumPy in the data types of the step; none is kept long."""
        from array_api_compat import numpy as host

        evaluate = Eager(host).evaluate
        last = {operand: i for i, node in self.graph for operand in node.inputs}
        values: dict[int, Array] = {}
        for i, node in self.graph:
            given = [self.inputs[node.options["name"]]] if node.operation == "input" else None
            with np.errstate(all="ignore"):
                values[i] = np.asarray(evaluate(node, given or [values[o] for o in node.inputs]))
            yield i, values[i]
            for operand in {i, *node.inputs}:
                if last.get(operand, i) == i:
                    del values[operand]

    def leaves(self, flat: Array) -> Iterator[tuple[str, Array]]:
        """Path and values of each parameter, or of what belongs to it, in a vector as long as all of them."""
        start = 0
        for path, shape in self.parameters.items():
            yield path, flat[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
