"""Steps as they can be done again node by node: one that the guard refused, and one for the doctor."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.data.checks import scaling
from nnkit.diagnosis import Finding, Step, findings, vitals
from nnkit.errors import ArgumentError
from nnkit.graph import Graph
from nnkit.nn import Activation
from nnkit.nn.module import walk
from nnkit.optimizers import Optimizer
from nnkit.training.data import Rows
from nnkit.training.graphs import training_graph
from nnkit.training.model import Model
from nnkit.training.objective import Objective
from nnkit.training.targets import signature

ROWS = 256
"""What the doctor looks at."""
LARGE = 100.0
REMEDY = (
    "Standardise them: (y - y.mean()) / y.std(), or end the network with nn.Rescaling(y.std(), y.mean()), "
    "as nnkit train --standardize does"
)
"""A mean or standard deviation of targets from which on usual learning rates are too small for them."""


def step_on(model: Model, graph: Graph, data: Rows, chosen: Any, epoch: int, number: int) -> Step:
    """Host copies of all that a step on these rows reads.

    The batch alone stands for the data, so that its order is that of the rows and its cursor is at the first.
    """
    given: dict[str, Any] = {"x": data.x[chosen], "y": data.y[chosen], "order": np.arange(len(chosen))}
    given["counter.cursor"] = np.zeros((), dtype=np.int64)
    if data.weight is not None:
        given["weight"] = data.weight[chosen]
    given |= model.store.read(name for name in graph.inputs if name not in given)
    inputs = {name: given[name] for name in graph.inputs}
    return Step(graph, inputs, tuple(map(int, chosen)), model.layout.parameters, epoch, number)


class Examination:
    """What the doctor finds in a network after its training, when it is first asked for."""

    def __init__(
        self,
        model: Model,
        goal: Objective,
        optimizer: Optimizer,
        data: Rows,
        history: dict[str, list[float]],
        fresh: bool,
    ) -> None:
        self._model, self._goal, self._optimizer = model, goal, optimizer
        self._data, self._history = data, history
        self._steps = model.steps_done
        self._fresh = fresh
        self._found: list[Finding] | None = None

    @property
    def possible(self) -> bool:
        """Whether the network is still the one that this training left, or was examined while it was."""
        return self._found is not None or self._model.steps_done == self._steps

    def findings(self) -> list[Finding]:
        """The most telling first; none is a good sign."""
        if not self.possible:
            raise ArgumentError("the network has been trained further since; ask run.doctor() before the next fit")
        if self._found is None:
            seen = vitals(self._step(), self._activations(), self._first_weights())
            self._found = [*_scales(self._data, self._goal), *findings(seen, self._history)]
        return self._found

    def _step(self) -> Step:
        """One more step of this training, on rows from all of its data."""
        model, data = self._model, self._data
        chosen = data.indices[:: -(-len(data.indices) // ROWS)]
        kind = signature(data.y)
        weighted = data.weight is not None
        graph = training_graph(model.layout, self._goal, self._optimizer, kind, len(chosen), weighted)
        return step_on(model, graph, data, chosen, len(self._history["loss"]), 0)

    def _first_weights(self) -> dict[str, Any]:
        """Those that this training began with, if it was the network's first."""
        return self._model.initial_parameters() if self._fresh else {}

    def _activations(self) -> dict[str, str]:
        return {path: part.name for path, part in walk(self._model.module) if isinstance(part, Activation)}


def _scales(data: Rows, goal: Objective) -> list[Finding]:
    found = []
    unscaled = scaling(data.x)
    if unscaled is not None:
        text, _, remedy = unscaled.partition("; ")
        found.append(
            Finding("unscaled inputs", "x", float(np.abs(data.x).max()), text, remedy[:1].upper() + remedy[1:])
        )
    if goal.loss.targets == "numbers":
        target = data.y[data.indices].astype(np.float64)
        target = target if goal.units is None else goal.units.undone(target)
        figure = float(max(abs(target.mean()), target.std()))
        if figure > LARGE:
            text = f"the targets have a mean or standard deviation of {figure:.3g}"
            found.append(Finding("unscaled targets", "y", figure, text, REMEDY))
    return found
