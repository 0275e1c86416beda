"""Predictions and exact losses of a model on given data, batch by batch."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nnkit.backend import Program
from nnkit.errors import NnkitWarning
from nnkit.training.compiling import Compiler
from nnkit.training.graphs import prediction_graph, scoring_graph
from nnkit.training.model import Model
from nnkit.training.objective import Objective
from nnkit.training.targets import signature

Array = npt.NDArray[Any]
ROWS = 1024
KEPT = 4
PREDICTION = ("prediction",)


class Bound(NamedTuple):
    """A program and the arrays that it reads its batch from."""

    program: Program
    x: Any
    y: Any
    weight: Any


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
            if pieces == 1:
                return self._output(bound, x)
            result = np.empty((len(x), *self._model.layout.output_shape), dtype=x.dtype)
            whole = len(x) // rows * rows
            for start in range(0, whole, rows):
                bound.program.feed("x", x[start : start + rows])
                result[start : start + rows] = self._run(bound)
            bound.program.feed("x", bound.x)
            if whole < len(x):
                result[whole:] = self._output(bound, x[whole:])[: len(x) - whole]
        return result

    def _output(self, bound: Bound, x: Array) -> Array:
        """What comes out for rows that go into a batch."""
        self._fill(bound.x, x)
        return self._run(bound)

    def _run(self, bound: Bound) -> Array:
        bound.program.run(1)
        output: Array = bound.program.read(PREDICTION)["prediction"]
        return output

    def score(self, objective: Objective, x: Array, y: Array, weight: Array | None) -> tuple[float, Array]:
        """Weighted mean loss with penalties, exact in float64, and the predictions."""
        rows = min(len(x), ROWS)
        result = np.empty((len(x), *self._model.layout.output_shape), dtype=x.dtype)
        weights = np.ones(len(x)) if weight is None else weight.astype(np.float64)
        total = penalty = 0.0
        with self._lock:
            bound = self._scoring(objective, y, rows)
            absent = -1 if objective.loss.targets == "groups" else 0
            for start in range(0, len(x), rows):
                stop = min(start + rows, len(x))
                for target, source, rest in ((bound.x, x, 0), (bound.y, y, absent), (bound.weight, weights, 0)):
                    self._fill(target, source[start:stop], rest)
                bound.program.run(1)
                outputs = bound.program.read(["prediction", "loss", "penalty"])
                result[start:stop] = outputs["prediction"][: stop - start]
                total += float(outputs["loss"])
                penalty = float(outputs["penalty"])
        return total / float(weights.sum()) + penalty, result

    def _fill(self, target: Any, piece: Array, rest: int = 0) -> None:
        """Copy rows into a batch, and ``rest`` into what is left of it: zeros, weights among them, and for labels that
        are compared with each other the one that belongs to no row."""
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
                warnings.warn(f"predictions are not compiled: {compiler.fallbacks[0]}", NnkitWarning, stacklevel=4)
            x = self._batch((rows, *model.layout.input_shape), model.layout.dtype)
            self._keep(key, Bound(code.bind(model.store, {"x": x}), x, None, None))
        return self._bound[key]

    def _scoring(self, objective: Objective, y: Array, rows: int) -> Bound:
        model = self._model
        target = signature(y)
        key = ("score", objective.loss, target, rows)
        if key not in self._bound:
            _, code = model.planned(key, lambda: scoring_graph(model.layout, objective, target, rows))
            x = self._batch((rows, *model.layout.input_shape), model.layout.dtype)
            inputs = {
                "x": x,
                "y": self._batch((rows, *target[0]), target[1]),
                "weight": self._batch((rows,), "float64"),
            }
            self._keep(key, Bound(code.bind(model.store, inputs), x, inputs["y"], inputs["weight"]))
        return self._bound[key]

    def _batch(self, shape: tuple[int, ...], dtype: str) -> Any:
        return self._model.backend.to_device(np.zeros(shape, dtype=dtype))

    def _keep(self, key: Any, bound: Bound) -> None:
        self._bound[key] = bound
        if len(self._bound) > KEPT:
            self._bound.popitem(last=False)
