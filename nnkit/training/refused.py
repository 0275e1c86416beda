"""The step that the guard refused, as it can be done again."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.diagnosis import Step
from nnkit.graph import Graph
from nnkit.training.data import Rows
from nnkit.training.model import Model


def refused(model: Model, graph: Graph, data: Rows, chosen: Any, epoch: int, number: int) -> Step:
    """Host copies of all that the step read; ``chosen`` are the rows of its batch.

    The batch alone stands for the data, so that its order is that of the rows and its cursor is at the first.
    """
    given: dict[str, Any] = {"x": data.x[chosen], "y": data.y[chosen], "order": np.arange(len(chosen))}
    given["counter.cursor"] = np.zeros((), dtype=np.int64)
    if data.weight is not None:
        given["weight"] = data.weight[chosen]
    given |= model.store.read(name for name in graph.inputs if name not in given)
    return Step(
        graph,
        {name: given[name] for name in graph.inputs},
        tuple(map(int, chosen)),
        model.layout.parameters,
        epoch,
        number,
    )
