"""What is computed twice: a graph in two precisions, on the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nnkit.graph import Graph, Trace

Array = npt.NDArray[Any]


class Case(NamedTuple):
    """``graph(dtype)`` is the same computation in "float32" or "float64"; ``values`` are its inputs by name.

    Fractions among the values are numbers of float32, so that both precisions begin with the same. ``limit`` is the
    largest error that is right, in units in the last place of float32 at the largest value of a result.
    """

    kind: str
    name: str
    graph: Callable[[str], Graph]
    values: Mapping[str, Array]
    limit: float


def drawn(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0, seed: int = 0) -> Array:
    """Fractions that both precisions have."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def given(trace: Trace, arrays: Iterable[Array], dtype: str) -> list[Any]:
    """Data of a trace for these arrays, called "0", "1" and so on; fractions in this data type."""
    return [
        trace.input(str(i), "data", array.shape, dtype if array.dtype == np.float32 else str(array.dtype))
        for i, array in enumerate(arrays)
    ]
