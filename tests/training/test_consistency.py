"""Every loss and optimiser, and layers together, on every array library and as a program: one step with gradients."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import losses
from nnkit.graph import Trace, gradients, interpret
from nnkit.nn import Activation, BatchNorm, Dense, Dropout, Sequential
from nnkit.nn.activations import ACTIVATIONS
from nnkit.optimizers import SGD, Adam, ClipByGlobalNorm, RMSprop
from nnkit.optimizers.schedules import Exponential, Step
from tests.nn.calling import Called
from tests.optimizers.cases import CASES, PARTS
from tests.plan.running import Bench, close

# What stands in no row of tests/nn/table.py.
MODULES = {
    "without bias": lambda: Dense(4, bias=False),
    "several": lambda: Sequential([Dense(4, bias=False), BatchNorm(), Activation("tanh"), Dropout(0.4), Dense(2)]),
    "empty": lambda: Sequential([]),
    **{name: lambda name=name: Dense(4, name) for name in ("relu", "gelu", "softmax", "sparsemax", "maxout")},
}


def single(graph_of, library):
    """The graph in a data type that the library has, with its values, and how close results must be."""
    dtype = "float32" if library.single else "float64"
    tolerance = {"rtol": 2e-4, "atol": 1e-5} if library.single else {"rtol": 1e-9, "atol": 1e-11}
    return graph_of(dtype), tolerance


def agree(graph, values, library, tolerance):
    given = {name: library.array(value) for name, value in values.items()}
    got = interpret(graph, library.xp, given, library.device)
    got = {name: library.numpy(value) for name, value in got.items()}
    expected = Bench(graph, values).step()
    for name, value in expected.items():
        assert got[name].dtype == value.dtype, name
        np.testing.assert_allclose(got[name], value, err_msg=name, **tolerance)


@pytest.mark.parametrize("training", [True, False], ids=["training", ""])
@pytest.mark.parametrize("name", MODULES)
def test_layers(name, training, library):
    called, tolerance = single(
        lambda dtype: Called(MODULES[name](), (5, 3), training=training, slopes=True, dtype=dtype), library
    )
    agree(called.graph, called.values, library, tolerance)


def targets(kind, rows, width):
    draw = np.random.default_rng(3)
    return {
        "numbers": draw.normal(size=(rows, width)),
        "counts": draw.poisson(2.0, (rows, width)).astype(float),
        "yes": (draw.random((rows, width)) < 0.5).astype(float),
        "classes": draw.integers(0, width, rows).astype("int32"),
        "shares": draw.dirichlet(np.ones(width), rows),
        "means": draw.normal(size=(rows, width // 2)),
        "signs": draw.choice([-1.0, 1.0], rows),
    }[kind]


# Loss, kind of targets, activation that makes predictions of raw values; from those themselves where it is paired.
LOSSES = [
    (losses.MeanSquaredError(), "numbers", "identity"),
    (losses.MeanAbsoluteError(), "numbers", "identity"),
    (losses.Huber(0.7), "numbers", "identity"),
    (losses.BinaryCrossEntropy(), "yes", "sigmoid"),
    (losses.CrossEntropy(), "classes", "softmax"),
    (losses.CrossEntropy(), "shares", "softmax"),
    (losses.CrossEntropy(0.1), "classes", "log_softmax"),
    (losses.CrossEntropy(0.1), "shares", "softmax"),
    (losses.Poisson(), "counts", "exponential"),
    (losses.LogCosh(), "numbers", "identity"),
    (losses.Quantile(0.7), "numbers", "identity"),
    (losses.MeanAbsolutePercentageError(0.1), "numbers", "identity"),
    (losses.MeanSquaredLogarithmicError(), "counts", "softplus"),
    (losses.CosineSimilarity(), "numbers", "identity"),
    (losses.GaussianNLL(), "means", "identity"),
    (losses.BinaryFocal(), "yes", "sigmoid"),
    (losses.Hinge(), "yes", "identity"),
    (losses.SquaredHinge(), "yes", "identity"),
    (losses.Focal(), "classes", "softmax"),
    (losses.CategoricalHinge(), "classes", "identity"),
    (losses.KLDivergence(), "shares", "softmax"),
    (losses.Triplet(), "classes", "identity"),
    (losses.Triplet(None), "classes", "identity"),
    (losses.Triplet(1.0, "all"), "classes", "identity"),
    (losses.MarginRanking(1.0), "signs", "identity"),
]


# Of raw values where it is paired, and of predictions where it has those.
FORMS = [(*row, True) for row in LOSSES if row[2] in row[0].paired]
FORMS += [(*row, False) for row in LOSSES if row[2] != "log_softmax"]


@pytest.mark.parametrize(("loss", "kind", "activation", "paired"), FORMS, ids=str)
def test_losses(loss, kind, activation, paired, library):
    width = {"means": 4, "signs": 2}.get(kind, 3)

    def build(dtype):
        trace = Trace()
        z = trace.input("z", "data", (6, width), dtype)
        y = targets(kind, 6, width)
        y = y if y.dtype == "int32" else y.astype(dtype)
        target = trace.input("y", "data", y.shape, str(y.dtype))
        per_row = loss.paired[activation](z, target) if paired else loss(ACTIVATIONS[activation].function(z), target)
        (slope,) = gradients(trace.namespace.sum(per_row), [z])
        graph = trace.graph({"loss": per_row, "slope": slope})
        return graph, {"z": np.random.default_rng(4).normal(size=(6, width)).astype(dtype), "y": y}

    (graph, values), tolerance = single(build, library)
    agree(graph, values, library, tolerance)


OPTIMIZERS = CASES | {
    "rmsprop, scheduled": RMSprop(Step(0.1, every=2), momentum=0.5),
    "adam, scheduled": Adam(Exponential(0.1, factor=0.9)),
    "clipped twice": ClipByGlobalNorm(ClipByGlobalNorm(SGD(0.1, momentum=0.9), 2.0), 1e9),
}


def update(optimizer, dtype):
    """One update as a graph, and values for it in the middle of a training."""
    trace, draw, values = Trace(), np.random.default_rng(6), {}

    def given(name, role, value):
        values[name] = np.asarray(value, dtype=dtype)
        return trace.input(name, role, values[name].shape, dtype)

    shapes = optimizer.moment_shapes(PARTS)
    moments = {name: given(f"moment.{name}", "state", draw.uniform(0.1, 1.0, shape)) for name, shape in shapes.items()}
    settings = {name: given(f"setting.{name}", "setting", value) for name, value in optimizer.settings().items()}
    parameter, gradient = (
        given("parameter", "state", draw.normal(size=9)),
        given("gradient", "data", draw.normal(size=9)),
    )
    step = given("step", "setting", 3.0)
    new, moved = optimizer.update_parts(PARTS, parameter, gradient, moments, settings, step)
    return trace.graph({"parameter": new} | {f"moment.{name}": value for name, value in moved.items()}), values


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, library):
    optimizer = OPTIMIZERS[name].resolved(10)
    (graph, values), tolerance = single(lambda dtype: update(optimizer, dtype), library)
    agree(graph, values, library, tolerance)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_after_step(name):
    """The states of the program, written over themselves, against the interpreter's.

    Only what was joined from the parts of several parameters is copied into its place.
    """
    graph, values = update(OPTIMIZERS[name].resolved(10), "float64")
    bench = Bench(graph, values)
    nodes = bench.plan.graph.nodes
    assert {nodes[copy.new].operation for copy in bench.plan.copies} <= {"concat"}
    for _ in range(5):
        expected = bench.expected()
        close(bench.step(), expected, rtol=1e-12, atol=1e-14)
