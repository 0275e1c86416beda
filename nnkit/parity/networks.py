"""Activations, layers, losses and optimisers: values with their derivatives, and updates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnkit import nn
from nnkit.graph import Trace, gradients
from nnkit.losses import LOSSES, Loss
from nnkit.nn import Run
from nnkit.nn.activations import ACTIVATIONS
from nnkit.nn.leaves import first_values
from nnkit.optimizers import OPTIMIZERS
from nnkit.optimizers.parts import Parts
from nnkit.parity.case import Array, Case, drawn, given
from nnkit.training.graphs import Values
from nnkit.training.layout import SEEDS, Layout

ROWS, WIDTH = 48, 24
LIMIT = 256.0
"""Of values that go through many operations, sums and quotients among them."""
MOST_LIKELY = 3
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "activation": lambda: nn.Activation("elu", alpha=0.5),
    "activityregularization": lambda: nn.ActivityRegularization(0.1, 0.2),
    "alphadropout": lambda: nn.AlphaDropout(0.3),
    "batchnorm": lambda: nn.BatchNorm(),
    "dense": lambda: nn.Dense(40, "tanh"),
    "dropout": lambda: nn.Dropout(0.3),
    "flatten": lambda: nn.Flatten(),
    "gaussiandropout": lambda: nn.GaussianDropout(0.3),
    "gaussiannoise": lambda: nn.GaussianNoise(0.3),
    "groupnorm": lambda: nn.GroupNorm(4),
    "layernorm": lambda: nn.LayerNorm(),
    "prelu": lambda: nn.PReLU(),
    "rescaling": lambda: nn.Rescaling(20.0, -3.0),
    "rmsnorm": lambda: nn.RMSNorm(),
    "sequential": lambda: nn.Sequential([nn.Dense(64, "relu"), nn.Dense(10, "softmax")]),
    "spectralnorm": lambda: nn.SpectralNorm(nn.Dense(20)),
    "weightnorm": lambda: nn.WeightNorm(nn.Dense(20)),
}


def networks() -> Iterator[Case]:
    """Every name in the tables of the library."""
    for name, activation in ACTIVATIONS.items():
        yield _function("activation", name, activation.function, drawn((ROWS, WIDTH), -3.0, 3.0))
    for name, make in LAYERS.items():
        yield _layer(name, make())
    for name, loss in LOSSES.items():
        yield _loss(name, loss())
    for name, optimizer in OPTIMIZERS.items():
        yield _optimizer(name, optimizer().resolved(50))


def _function(kind: str, name: str, function: Callable[..., Any], x: Array, *others: Array) -> Case:
    """A function of x and what else it takes, and the derivative by x of a weighted mean of it."""

    def graph(dtype: str) -> Any:
        trace = Trace()
        xp = trace.namespace
        operands = given(trace, (x, *others), dtype)
        value = function(*operands)
        return trace.graph({"value": value, "slope": gradients(_mean(xp, value), operands[:1])[0]})

    return Case(kind, name, graph, {str(i): array for i, array in enumerate((x, *others))}, LIMIT)


def _mean(xp: Any, value: Any) -> Any:
    """Of all elements with weights: those of a normalised row would have the same mean square wherever it is."""
    return xp.mean(value * xp.asarray(drawn(value.shape, 0.2, 1.0, seed=9), dtype=value.dtype))


def _layer(name: str, layer: nn.Module) -> Case:
    """Its output in training, and the derivatives of a weighted mean of it by its input and its parameters."""
    first = Layout.of(layer, (WIDTH,), "float32")
    known = first_values(first.declared, first.shapes, 0)
    flat = [np.ravel(known[path]) for path in first.parameters]
    values: dict[str, Array] = {"x": drawn((ROWS, WIDTH)), **{path: known[path] for path in first.states}}
    values |= {"parameter": np.concatenate(flat).astype(np.float32)} if flat else {}
    values |= {seed: np.asarray(7, np.uint32) for seed in (*SEEDS, "counter.step")}

    def graph(dtype: str) -> Any:
        held = Values(Layout.of(layer, (WIDTH,), dtype))
        xp, trace = held.xp, held.trace
        x = trace.input("x", "data", (ROWS, WIDTH), dtype)
        seeds = tuple(held.number(seed, "setting", "uint32") for seed in (*SEEDS, "counter.step"))
        run = Run(trace, held.leaf, training=True, randomness=seeds)  # type: ignore[arg-type]
        value = held.call(layer, x, run)
        paths = list(held.layout.parameters)
        slopes = gradients(_mean(xp, value), [x, *(held.leaves[path] for path in paths)])
        outputs = dict(zip(("slope of x", *(f"slope of {path}" for path in paths)), slopes, strict=True))
        return trace.graph({"value": value, **outputs})

    return Case("layer", name, graph, values, LIMIT)


def _loss(name: str, loss: Loss) -> Case:
    """The loss of each row, with predictions and targets of its kind."""
    draw = np.random.default_rng(1)
    width = {"signs": 2, "groups": 8}.get(loss.targets, loss.outputs_for(6))
    columns = loss.targets_for(width)
    probabilities = loss.targets in ("classes", "binary") and loss.domain != "signed"
    prediction = drawn((ROWS, width), 0.05, 0.95) if probabilities else drawn((ROWS, width), 0.1, 2.0)
    if probabilities and loss.targets == "classes":
        prediction = prediction / prediction.sum(axis=1, keepdims=True)
    target: Array = drawn((ROWS, columns), 0.1, 2.0, seed=2)
    if loss.targets == "classes":
        target = draw.integers(0, width, ROWS).astype(np.int32)
    elif loss.targets == "groups":
        target = draw.integers(0, MOST_LIKELY, ROWS).astype(np.int32)
    elif loss.targets in ("binary", "signs"):
        target = (2 * (draw.random((ROWS, columns)) < 0.5) - 1).astype(np.float32)
        target = target if loss.domain == "signed" or loss.targets == "signs" else (target + 1) / 2
    return _function("loss", name, loss, prediction.astype(np.float32), target)


def _optimizer(name: str, optimizer: Any) -> Case:
    """The third update of a matrix and a bias by one gradient: moments and all."""
    parts = Parts(((40, 33), (33,)))
    shapes = optimizer.moment_shapes(parts)
    sign = np.sign(drawn((parts.count,), seed=3))
    values: dict[str, Array] = {
        "parameter": drawn((parts.count,)),
        "gradient": sign * drawn((parts.count,), 0.2, 1.0, seed=4),
        **{name: np.asarray(value, np.float32) for name, value in optimizer.settings().items()},
    }

    def graph(dtype: str) -> Any:
        trace = Trace()
        xp = trace.namespace
        parameter, gradient = (trace.input(n, "data", (parts.count,), dtype) for n in ("parameter", "gradient"))
        settings = {n: trace.input(n, "setting", (), dtype) for n in optimizer.settings()}
        moments = {n: xp.zeros(shape, dtype=parameter.dtype) for n, shape in shapes.items()}
        for step in (1, 2, 3):
            at = xp.asarray(step, dtype=parameter.dtype)
            parameter, moments = optimizer.update_parts(parts, parameter, gradient, moments, settings, at)
        return trace.graph({"parameter after": parameter})

    return Case("optimizer", name, graph, values, LIMIT)
