"""The graphs of whole steps: training, evaluation over resident data, and prediction of a batch that is given."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

from nnkit.graph import Graph, Trace, TracedArray, gradients
from nnkit.nn import Module, Run, State
from nnkit.nn.leaves import Declared
from nnkit.nn.tracing import call_module
from nnkit.optimizers import LossScale, Optimizer
from nnkit.plan.schedule import GUARD
from nnkit.training.comparable import check_comparable
from nnkit.training.constraining import constrained
from nnkit.training.layout import SEEDS, Layout
from nnkit.training.means import Means
from nnkit.training.objective import Objective

NONE = Means()
LOSS, GRADIENT = "loss", "gradient"
LAYER = "output of "
"""What the outputs of layers are called, before their paths: with a space, so that no state is written over."""
WHOLE = "(whole)"
"""The path of a network that is one layer, as in its summary."""
SLOPE, PULL = "gradient of the loss", "gradient of the penalty"
BATCH = "x of the network"
"""A name that no leaf has: a path has no spaces before its last part."""


class Values:
    """The inputs of one step's graph and the leaves that modules get, as views of the flat parameter vector."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.trace = Trace()
        self.xp = self.trace.namespace
        self.leaves: dict[str, TracedArray] = {}
        start = 0
        for path, shape in layout.parameters.items():
            self.trace.path = path.rpartition(".")[0]
            piece = self.flat[start : start + prod(shape)]
            self.leaves[path] = self.xp.reshape(piece, shape)
            start += prod(shape)
        self.trace.path = ""

    @cached_property
    def flat(self) -> TracedArray:
        """All parameters, one after the other; not there for a module that has none."""
        return self.trace.input("parameter", "state", (self.layout.count,), self.layout.dtype)

    def leaf(self, path: str, leaf: Declared, shape: tuple[int, ...]) -> TracedArray:
        """The traced array of a declared leaf."""
        if path not in self.leaves and isinstance(leaf, State):
            self.leaves[path] = self.trace.input(path, "state", shape, self.layout.dtype)
        return self.leaves[path]

    def number(self, name: str, role: str, dtype: str) -> TracedArray:
        """A 0-d input."""
        return self.trace.input(name, role, (), dtype)

    def call(self, module: Module, x: TracedArray, run: Run) -> TracedArray:
        """The module's output."""
        return call_module(module, x, run)


class Kept:
    """What an optimiser has in the store: its moments and its settings, as inputs of the step's graph."""

    def __init__(self, values: Values, optimizer: Optimizer) -> None:
        dtype = values.layout.dtype
        shapes = optimizer.moment_shapes(values.layout.parts)
        self.moments = {n: values.trace.input(f"moment.{n}", "state", shape, dtype) for n, shape in shapes.items()}
        self.settings = {n: values.number(f"setting.optimizer.{n}", "setting", dtype) for n in optimizer.settings()}
        self.values, self.optimizer = values, optimizer

    def larger(self, loss: TracedArray) -> TracedArray:
        """The loss as the optimiser wants it for the gradient."""
        if not isinstance(self.optimizer, LossScale):
            return loss
        scaled: TracedArray = loss * self.optimizer.scale(self.moments, self.settings)
        return scaled

    def accepts(self, xp: Any, gradient: TracedArray) -> TracedArray:
        """Whether the gradient is finite, or the optimiser knows what to do if it is not."""
        fine: TracedArray = xp.all(xp.isfinite(gradient))
        if isinstance(self.optimizer, LossScale):
            fine = fine | self.optimizer.may_skip(self.moments, self.settings)
        return fine

    def limited(self, new: TracedArray, gradient: TracedArray) -> TracedArray:
        """The new parameters within the constraints; those of a skipped step stay as they are, to the bit."""
        within, xp = constrained(self.values.layout, new), self.values.xp
        if within is new or not isinstance(self.optimizer, LossScale):
            return within
        kept: TracedArray = xp.where(xp.all(xp.isfinite(gradient)), within, self.values.flat)
        return kept


class Batch:
    """The rows that one step works on, gathered from resident data at the cursor; the cursor moves on."""

    def __init__(self, values: Values, target: tuple[tuple[int, ...], str], rows: int, weighted: bool) -> None:
        xp, trace, layout = values.xp, values.trace, values.layout
        cursor = values.number("counter.cursor", "state", "int64")
        order = trace.input("order", "data", (None,), "int64")
        chosen = xp.take(order, cursor + xp.arange(rows))
        self.x = xp.take(trace.input("x", "data", (None, *layout.input_shape), layout.dtype), chosen, axis=0)
        self.y = xp.take(trace.input("y", "data", (None, *target[0]), target[1]), chosen, axis=0)
        self.weight: TracedArray | None = None
        if weighted:
            self.weight = xp.take(trace.input("weight", "data", (None,), layout.dtype), chosen, axis=0)
        self.outputs: dict[str, TracedArray] = {"counter.cursor": cursor + rows}


def training_graph(
    layout: Layout,
    objective: Objective,
    optimizer: Optimizer,
    target: tuple[tuple[int, ...], str],
    rows: int,
    weighted: bool,
    means: Means = NONE,
) -> Graph:
    """Gather, forward, loss, gradients; then, behind the guard, update, counters and metrics.

    For an optimiser that searches on the host there are loss and gradient in the place of update and counters.
    """
    values = Values(layout)
    xp, trace = values.xp, values.trace
    batch = Batch(values, target, rows, weighted)
    step = values.number("counter.step", "state", "uint32")
    low, high = (values.number(name, "setting", "uint32") for name in SEEDS)
    run = Run(trace, values.leaf, training=True, randomness=(low, high, step))
    out = values.call(objective.module, batch.x, run)
    trace.path = "loss"
    mean, weight = _mean_loss(xp, objective.losses(out, batch.y, run), batch.weight)
    loss = _with_penalties(values, mean)
    paths = list(layout.parameters)
    kept = Kept(values, optimizer) if optimizer.by_steps else None
    # The gradient of the input is asked for as in a plain backward pass, and dropped by the planner: nobody reads it.
    source = kept.larger(loss) if kept else loss
    slopes = gradients(source, [*(values.leaves[path] for path in paths), batch.x])[: len(paths)]
    outputs = dict(batch.outputs)
    with trace.within("update"):
        trace.path = "update"
        gradient = xp.concat([xp.reshape(slope, (-1,)) for slope in slopes])
        outputs[GUARD] = xp.isfinite(loss) & (kept.accepts(xp, gradient) if kept else xp.all(xp.isfinite(gradient)))
        for value in run.updates.values():
            outputs[GUARD] = outputs[GUARD] & xp.all(xp.isfinite(value))
        if kept:
            outputs |= _update(values, kept, gradient) | {"counter.step": step + 1} | run.updates
        else:
            check_comparable(optimizer, layout, trace.nodes)
            outputs |= {LOSS: loss, GRADIENT: gradient}
        trace.path = "metrics"
        outputs |= _metrics(values, objective, out, batch, loss, weight)
        outputs |= means.add(trace, objective, out, batch.y, batch.weight)
    return trace.graph(outputs)


def evaluation_graph(
    layout: Layout, objective: Objective, target: tuple[tuple[int, ...], str], rows: int, weighted: bool
) -> Graph:
    """Gather and forward, and the sums that loss and accuracy are made of."""
    values = Values(layout)
    batch = Batch(values, target, rows, weighted)
    run = Run(values.trace, values.leaf)
    out = values.call(objective.module, batch.x, run)
    values.trace.path = "loss"
    mean, weight = _mean_loss(values.xp, objective.losses(out, batch.y, run), batch.weight)
    loss = _with_penalties(values, mean)
    return values.trace.graph(batch.outputs | _metrics(values, objective, out, batch, loss, weight))


def prediction_graph(layout: Layout, module: Module, rows: int) -> Graph:
    """Forward for a batch that stands in the input ``x``."""
    values = Values(layout)
    x = values.trace.input("x", "data", (rows, *layout.input_shape), layout.dtype)
    return values.trace.graph({"prediction": values.call(module, x, Run(values.trace, values.leaf))})


def leafwise_graph(layout: Layout, module: Module, rows: int) -> Graph:
    """Forward for a batch that stands in the input ``BATCH``, with each leaf as an input of its own."""
    trace = Trace()

    def give(path: str, leaf: Declared, shape: tuple[int, ...]) -> TracedArray:
        return trace.input(path, "state", shape, layout.dtype)

    x = trace.input(BATCH, "data", (rows, *layout.input_shape), layout.dtype)
    return trace.graph({"prediction": call_module(module, x, Run(trace, give))})


def activation_graph(layout: Layout, module: Module, rows: int) -> Graph:
    """Forward for a batch that stands in the input ``x``, with an output for every layer.

    What has no entry for each row, as a matrix that a module makes of weights alone, is no output: another number of
    rows shows which these are.
    """
    trace, found = _layers(layout, module, rows)
    others = {path: array.shape for path, array in _layers(layout, module, rows + 1)[1].items()}
    by_row = {
        path: array
        for path, array in found.items()
        if array.shape[:1] == (rows,) and others.get(path) == (rows + 1, *array.shape[1:])
    }
    whole = by_row.pop(WHOLE)
    return trace.graph({LAYER + path: array for path, array in (by_row or {WHOLE: whole}).items()})


def _layers(layout: Layout, module: Module, rows: int) -> tuple[Trace, dict[str, TracedArray]]:
    """What comes out of every layer, and of the whole network."""
    values = Values(layout)
    run = Run(values.trace, values.leaf)
    x = values.trace.input("x", "data", (rows, *layout.input_shape), layout.dtype)
    whole = values.call(module, x, run)
    return values.trace, run.outputs.layers() | {WHOLE: whole}


class Scored:
    """A given batch: what the loss reads, the weighted sum of the losses of its rows in float64, and the penalty."""

    def __init__(self, values: Values, objective: Objective, target: tuple[tuple[int, ...], str], rows: int) -> None:
        layout, xp, trace = values.layout, values.xp, values.trace
        x = trace.input("x", "data", (rows, *layout.input_shape), layout.dtype)
        y = trace.input("y", "data", (rows, *target[0]), target[1])
        weight = trace.input("weight", "data", (rows,), "float64")
        run = Run(trace, values.leaf)
        self.out = values.call(objective.module, x, run)
        trace.path = "loss"
        self.total = xp.sum(xp.astype(objective.losses(self.out, y, run), "float64") * weight)
        self.penalty = _with_penalties(values, xp.zeros((), dtype=layout.dtype))


def scoring_graph(layout: Layout, objective: Objective, target: tuple[tuple[int, ...], str], rows: int) -> Graph:
    """Forward for a given batch: predictions, and the weighted sum of the losses of its rows in float64."""
    values = Values(layout)
    found = Scored(values, objective, target, rows)
    outputs = {"prediction": objective.predictions(found.out), "loss": found.total, "penalty": found.penalty}
    return values.trace.graph(outputs)


def gradient_graph(layout: Layout, objective: Objective, target: tuple[tuple[int, ...], str], rows: int) -> Graph:
    """Forward as in prediction and backward for a given batch: the flat gradients of that sum and of the penalty."""
    values = Values(layout)
    found = Scored(values, objective, target, rows)
    outputs = {SLOPE: _flat_gradient(values, found.total)}
    if layout.factors:
        outputs[PULL] = _flat_gradient(values, found.penalty)
    return values.trace.graph(outputs)


def _flat_gradient(values: Values, of: TracedArray) -> TracedArray:
    """The derivative by all parameters, one after the other."""
    flat: TracedArray = values.layout.parts.join(
        gradients(of, [values.leaves[path] for path in values.layout.parameters])
    )
    return flat


def _mean_loss(xp: Any, per_row: TracedArray, weight: TracedArray | None) -> tuple[TracedArray, TracedArray | None]:
    """Mean over the rows, or the weighted sum over the sum of weights, and that sum."""
    if weight is None:
        return xp.mean(per_row), None
    total = xp.sum(weight)
    nothing = xp.astype(total == 0, total.dtype)  # a batch of samples that all weigh nothing has the loss 0, not 0/0
    return xp.sum(per_row * weight) / (total + nothing), total


def _with_penalties(values: Values, loss: TracedArray) -> TracedArray:
    xp = values.xp
    for path, penalty in values.layout.penalties.items():
        for name, norm in (("l1", xp.abs), ("l2", xp.square)):
            if getattr(penalty, name):
                factor = values.number(f"setting.{path}.{name}", "setting", values.layout.dtype)
                loss = loss + factor * xp.sum(norm(values.leaves[path]))
    return loss


def _update(values: Values, kept: Kept, gradient: TracedArray) -> dict[str, TracedArray]:
    update = values.number("counter.update", "state", "uint32") + 1
    step = values.xp.astype(update, values.layout.dtype)
    parts, moments, settings = values.layout.parts, kept.moments, kept.settings
    new, moved = kept.optimizer.update_parts(parts, values.flat, gradient, moments, settings, step)
    new = kept.limited(new, gradient)
    return {"parameter": new, "counter.update": update} | {f"moment.{n}": value for n, value in moved.items()}


def _metrics(
    values: Values, objective: Objective, out: TracedArray, batch: Batch, loss: TracedArray, weight: TracedArray | None
) -> dict[str, TracedArray]:
    """Running sums: loss times weight, weight, and correct predictions. In float64, so that an epoch adds up."""
    xp = values.xp
    sums = {name: values.number(f"metric.{name}", "state", "float64") for name in ("loss", "weight")}
    rows = batch.x.shape[0]
    share = float(rows or 0) if weight is None else xp.astype(weight, "float64")
    outputs = {
        "metric.loss": sums["loss"] + xp.astype(loss, "float64") * share,
        "metric.weight": sums["weight"] + share,
    }
    if objective.counts_correct:
        correct = values.number("metric.correct", "state", "int64")
        outputs["metric.correct"] = correct + objective.correct(out, batch.y)
    return outputs
