"""Predictions, outputs of layers, exact losses and gradients of a model on given data, batch by batch."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nnkit.backend import Program
from nnkit.errors import NnkitWarning
from nnkit.graph import Graph
from nnkit.training.compiling import Compiler
from nnkit.training.graphs import (
    LAYER,
    PULL,
    SLOPE,
    activation_graph,
    gradient_graph,
    prediction_graph,
    scoring_graph,
)
from nnkit.training.model import Model
from nnkit.training.objective import Objective
from nnkit.training.targets import signature

Array = npt.NDArray[Any]
ROWS = 1024
KEPT = 8
"""Who watches a training asks in turn for outputs, losses and gradients of several sets of rows."""
PREDICTION = ("prediction",)
ABSENT = -1
"""The label that belongs to no row."""


class Bound(NamedTuple):
    """A program and the arrays that it reads its batch from."""

    program: Program
    x: Any
    y: Any = None
    weight: Any = None
    outputs: tuple[str, ...] = PREDICTION


class Evaluator:
    """Keeps the programs of the latest batch sizes. The last, smaller batch runs in the same program, padded."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._bound: OrderedDict[Any, Bound] = OrderedDict()
        self._lock = Lock()  # a program's buffers serve one caller at a time

    def predict(self, x: Array, mode: str, bare: bool = False) -> Array:
        """The network's output for every row, in the network's dtype; ``mode`` is when to compile.

        With ``bare``, what its output activation is called with instead.
        """
        rows = min(len(x), ROWS)
        pieces = -(-len(x) // ROWS)
        with self._lock:
            bound = self._prediction(rows, mode, pieces, bare)
            return self._forward(bound, x)["prediction"]

    def activations(self, x: Array) -> dict[str, Array]:
        """The output of every layer for every row, by path."""
        with self._lock:
            found = self._forward(self._activation(min(len(x), ROWS)), x)
        return {name.removeprefix(LAYER): value for name, value in found.items()}

    def _forward(self, bound: Bound, x: Array) -> dict[str, Array]:
        """What comes out for all rows."""
        rows = len(bound.x)
        if len(x) == rows:
            return self._outputs(bound, x)
        results: dict[str, Array] = {}
        whole = len(x) // rows * rows
        for start in range(0, whole, rows):
            bound.program.feed("x", x[start : start + rows])
            _collect(results, self._run(bound), start, len(x))
        bound.program.feed("x", bound.x)
        if whole < len(x):
            _collect(results, self._outputs(bound, x[whole:]), whole, len(x))
        return results

    def _outputs(self, bound: Bound, x: Array) -> dict[str, Array]:
        """What comes out for rows that go into a batch."""
        self._fill(bound.x, x)
        return self._run(bound)

    def _run(self, bound: Bound) -> dict[str, Array]:
        bound.program.run(1)
        return bound.program.read(bound.outputs)

    def score(self, objective: Objective, x: Array, y: Array, weight: Array | None) -> tuple[float, Array]:
        """Weighted mean loss with penalties, exact in float64, and the predictions."""
        result = np.empty((len(x), *self._model.layout.output_shape), dtype=x.dtype)
        weights = _all_weights(x, weight)
        total = penalty = 0.0
        with self._lock:
            bound = self._scoring("score", scoring_graph, objective, y, min(len(x), ROWS))
            for start, outputs in self._batches(bound, objective, x, y, weights):
                result[start : start + ROWS] = outputs["prediction"][: len(x) - start]
                total += float(outputs["loss"])
                penalty = float(outputs["penalty"])
        return total / float(weights.sum()) + penalty, result

    def gradients(self, objective: Objective, x: Array, y: Array, weight: Array | None) -> dict[str, Array]:
        """The derivative of that loss by every parameter, by path; batches are added up in float64."""
        layout = self._model.layout
        if not layout.parameters:
            return {}
        weights = _all_weights(x, weight)
        total, penalty = np.zeros(layout.count), np.zeros(layout.count)
        with self._lock:
            bound = self._scoring("gradients", gradient_graph, objective, y, min(len(x), ROWS))
            for _, outputs in self._batches(bound, objective, x, y, weights):
                total += outputs[SLOPE]
                penalty = outputs.get(PULL, penalty)
        flat = (total / weights.sum() + penalty).astype(layout.dtype)
        return dict(zip(layout.parameters, layout.parts.split(flat), strict=True))

    def _batches(
        self, bound: Bound, objective: Objective, x: Array, y: Array, weights: Array
    ) -> Iterator[tuple[int, dict[str, Array]]]:
        """Run the rows batch by batch: where each begins, and what it gave.

        What the last one leaves free is filled with rows that weigh nothing: copies of one that is there, which every
        layer and loss can take, though with labels of its own where rows are compared with each other.
        """
        rows = len(bound.x)
        for start in range(0, len(x), rows):
            stop = start + rows
            self._fill(bound.x, x[start:stop], x[start])
            self._fill(bound.y, y[start:stop], ABSENT if objective.loss.targets == "groups" else y[start])
            self._fill(bound.weight, weights[start:stop])
            yield start, self._run(bound)

    def _fill(self, target: Any, piece: Array, rest: Any = 0) -> None:
        """Copy rows into a batch, and ``rest`` into each row that is left of it."""
        overwrite = self._model.backend.overwrite
        if len(piece) == len(target):
            overwrite(target, piece)
            return
        overwrite(target[: len(piece)], piece)
        overwrite(target[len(piece) :], np.asarray(rest, dtype=piece.dtype))

    def _prediction(self, rows: int, mode: str, pieces: int, bare: bool) -> Bound:
        model = self._model
        key = ("predict", bare, rows, mode, pieces)
        if key not in self._bound:
            compiler = Compiler(model, mode, single=True)
            module = model.module.without_output_activation() if bare else model.module
            _, code = compiler.choose(key[:3], lambda: prediction_graph(model.layout, module, rows), pieces)
            if mode == "first" and compiler.fallbacks:
                warnings.warn(f"predictions are not compiled: {compiler.fallbacks[0]}", NnkitWarning, stacklevel=5)
            x = self._batch((rows, *model.layout.input_shape), model.layout.dtype)
            self._keep(key, Bound(code.bind(model.store, {"x": x}), x))
        return self._kept(key)

    def _activation(self, rows: int) -> Bound:
        model = self._model
        key = ("activations", rows)
        if key not in self._bound:
            plan, code = model.planned(key, lambda: activation_graph(model.layout, model.module, rows))
            x = self._batch((rows, *model.layout.input_shape), model.layout.dtype)
            self._keep(key, Bound(code.bind(model.store, {"x": x}), x, outputs=tuple(plan.graph.output)))
        return self._kept(key)

    def _scoring(self, kind: str, graph: Callable[..., Graph], objective: Objective, y: Array, rows: int) -> Bound:
        model = self._model
        target = signature(y)
        key = (kind, objective.loss, target, rows)
        if key not in self._bound:
            plan, code = model.planned(key, lambda: graph(model.layout, objective, target, rows))
            x = self._batch((rows, *model.layout.input_shape), model.layout.dtype)
            inputs = {
                "x": x,
                "y": self._batch((rows, *target[0]), target[1]),
                "weight": self._batch((rows,), "float64"),
            }
            program = code.bind(model.store, inputs)
            self._keep(key, Bound(program, x, inputs["y"], inputs["weight"], tuple(plan.graph.output)))
        return self._kept(key)

    def _batch(self, shape: tuple[int, ...], dtype: str) -> Any:
        return self._model.backend.to_device(np.zeros(shape, dtype=dtype))

    def _kept(self, key: Any) -> Bound:
        self._bound.move_to_end(key)
        return self._bound[key]

    def _keep(self, key: Any, bound: Bound) -> None:
        self._bound[key] = bound
        if len(self._bound) > KEPT:
            self._bound.popitem(last=False)


def _all_weights(x: Array, weight: Array | None) -> Array:
    """One for each row, in float64."""
    return np.ones(len(x)) if weight is None else weight.astype(np.float64)


def _collect(results: dict[str, Array], outputs: dict[str, Array], start: int, rows: int) -> None:
    """Put what a batch gave in its place; the last one may have more rows than are left."""
    for name, value in outputs.items():
        if name not in results:
            results[name] = np.empty((rows, *value.shape[1:]), dtype=value.dtype)
        results[name][start : start + len(value)] = value[: rows - start]
