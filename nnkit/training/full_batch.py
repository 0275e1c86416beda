"""Training on all rows at once, by a method that decides on the host how far to go: an epoch is one update."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nnkit.errors import ArgumentError
from nnkit.graph import Graph
from nnkit.optimizers.lbfgs import LBFGS, Array, Minimizer
from nnkit.plan.schedule import GUARD, guarded
from nnkit.training.compiling import Compiler
from nnkit.training.data import Rows
from nnkit.training.graphs import NONE, evaluation_graph, training_graph
from nnkit.training.layout import Layout
from nnkit.training.means import Means
from nnkit.training.objective import Objective
from nnkit.training.programs import Epoch, Walk
from nnkit.training.targets import signature

LOSS, GRADIENT = "loss", "gradient"
LOOK_ROWS = 1024
EVALUATIONS = 2
"""Of loss and gradient, that an update takes in most cases."""
START = {"counter.cursor": 0}


def slopes(graph: Graph) -> Graph:
    """Of a training step only what its guard looks at: the loss and the gradient, at the parameters as they are."""
    needed = graph.ancestors([graph.output[GUARD]])
    if any(node.operation == "random_bits" for i, node in graph if i in needed):
        raise ArgumentError(
            "optimizer 'lbfgs' compares losses at different weights, and this network draws random numbers in each "
            "step: leave out Dropout and the like, or choose another optimizer"
        )
    count = graph.nodes[graph.inputs["parameter"]].shape
    looked_at = {graph.nodes[i].shape: i for i in guarded(graph)}
    return Graph(graph.nodes, ((LOSS, looked_at[()]), (GRADIENT, looked_at[count])))


def _refuse(layout: Layout) -> None:
    """What cannot be compared at different weights."""
    if layout.states:
        raise ArgumentError(
            "optimizer 'lbfgs' compares losses at different weights, and this network has layers that count along in "
            "each step: leave out BatchNorm and the like (LayerNorm is fine), or choose another optimizer"
        )
    if layout.constraints:
        path, constraint = next(iter(layout.constraints.items()))
        raise ArgumentError(
            f"optimizer 'lbfgs' goes where the loss falls, and parameter '{path}' has the constraint "
            f"'{constraint.name}': leave it out, or choose another optimizer"
        )


class FullBatch:
    """In the place of an :class:`Epoch`: one update in each, on all rows; then loss and accuracy of the new weights."""

    means: Means = NONE
    steps = whole = 1

    def __init__(self, compiler: Compiler, goal: Objective, method: LBFGS, rows: Rows, epochs: int) -> None:
        self._model = compiler.model
        layout, target, weighted = self._model.layout, signature(rows.y), rows.weight is not None
        _refuse(layout)
        self.batch = len(rows.indices)
        self._method, self._rows = method, rows.indices
        self._graph = partial(training_graph, layout, goal, method, target, self.batch, weighted)
        kind = (goal.loss, target, weighted)
        look = partial(evaluation_graph, layout, goal, target)
        runs = epochs * EVALUATIONS
        one = Walk(compiler, rows, self.batch, ("slopes", *kind), lambda _: slopes(self._graph()), runs)
        many = Walk(compiler, rows, LOOK_ROWS, ("look", *kind), lambda count: look(count, weighted), epochs)
        self._update, self._look = Epoch(one), Epoch(many)
        self.plan = self._update.plan
        self._steps: Minimizer | None = None
        self.done = 0

    def start(self, order: Any = None) -> None:
        """Begin the next epoch; the order of the rows makes no difference."""
        self.done = 0

    def run(self, steps: int) -> int:
        """One update; 0 if the loss or the gradient is not finite where training begins."""
        if self._steps is None:
            self._steps = self._method.minimizer(self._evaluate, self._parameters())
            if not (np.isfinite(self._steps.value) and np.isfinite(self._steps.gradient).all()):
                self._steps = None
                return 0
        self._steps.update()
        self._write(self._steps.parameter)
        self._look.start()
        self._look.run(self._look.steps)
        self.done = 1
        return 1

    def ahead(self, steps: int) -> int:
        """How many of so many steps the next ``run`` does at once."""
        return 1

    def following(self) -> tuple[Graph, Any]:
        """The graph of the next step and the rows that it works on."""
        return self._graph(), self._rows

    @property
    def rows_done(self) -> int:
        """How many rows of this epoch have been used."""
        return self.done * self.batch

    @property
    def finished(self) -> bool:
        """Whether all rows have been used."""
        return self.done == 1

    def metrics(self, outputs: int | None) -> dict[str, float]:
        """Exact loss and accuracy of all rows, with the weights after the update."""
        return self._look.metrics(outputs)

    def _parameters(self) -> Array:
        flat: Array = self._model.layout.parts.join(list(self._model.parameters().values())).astype(np.float64)
        return flat

    def _write(self, flat: Array) -> None:
        names = list(self._model.layout.parameters)
        self._model.store.write(dict(zip(names, self._model.layout.parts.split(flat), strict=True)))

    def _evaluate(self, flat: Array) -> tuple[float, Array]:
        """Loss and gradient at these parameters."""
        self._write(flat)
        self._model.store.write(START)
        found = self._update.values([LOSS, GRADIENT])
        return float(found[LOSS]), found[GRADIENT].astype(np.float64)
