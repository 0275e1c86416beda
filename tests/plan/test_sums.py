"""Sums with a common factor, and sums that are known: what is added up, and that the value stays."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from nnkit import nn
from nnkit.graph import Trace, interpret
from nnkit.optimizers import SGD
from nnkit.plan import plan
from nnkit.plan.rewrites import simplify
from nnkit.plan.sums import factor_sums
from tests.plan.running import TARGET, Bench, close
from tests.training.steps import Job

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(6, 5)), DRAW.normal(size=(6, 5))
ROW, COLUMN = DRAW.normal(size=(5,)), DRAW.normal(size=(6, 1))


def traced(build, **values):
    trace = Trace()
    given = {name: trace.input(name, "data", value.shape, str(value.dtype)) for name, value in values.items()}
    return trace.graph({"value": build(trace.namespace, **given)})


def added(graph):
    """Elements that go into sums."""
    return [prod(graph.nodes[n.inputs[0]].shape) for _, n in graph if n.operation == "sum"]


def elements(graph, operation):
    return [n.size for _, n in graph if n.operation == operation]


def both(build, **values):
    """The graph before and after, after it was seen that they give the same."""
    before = simplify(traced(build, **values))
    after = simplify(factor_sums(before))
    results = [interpret(g, np, values)["value"] for g in (before, after)]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-12, atol=1e-13)
    assert results[1].shape == results[0].shape
    return before, after


def mean(xp, x, axis):
    return xp.mean(x, axis=axis, keepdims=True)


FACTORS = {
    "a number": lambda xp, x, row, column: xp.sum(x * 3.0),
    "a sign": lambda xp, x, row, column: xp.sum(-x, axis=0),
    "a row": lambda xp, x, row, column: xp.sum(row * x, axis=0),
    "a column": lambda xp, x, row, column: xp.sum(x * column, axis=1),
    "a column, axes kept": lambda xp, x, row, column: xp.sum(x * column, axis=1, keepdims=True),
    "a divisor": lambda xp, x, row, column: xp.sum(x / row, axis=0),
    "several": lambda xp, x, row, column: xp.sum(-(x * row) / 3.0, axis=0),
}


@pytest.mark.parametrize("case", FACTORS)
def test_a_factor_that_all_terms_share_is_applied_to_the_sum(case):
    _, after = both(FACTORS[case], x=X, row=ROW, column=COLUMN)
    assert added(after) == [30]
    for operation in ("multiply", "divide", "negative"):
        assert max(elements(after, operation), default=0) < 30


KEPT = {
    "factors along the sum": lambda xp, x, row, column: xp.sum(x * row, axis=1),
    "a sum over nothing": lambda xp, x, row, column: xp.sum(x * 3.0, axis=()),
    "a dividend": lambda xp, x, row, column: xp.sum(row / x, axis=0),
    "a product that is needed": lambda xp, x, row, column: (lambda p: xp.sum(p, axis=0) + p)(x * row),
    "the larger of both": lambda xp, x, row, column: xp.sum(xp.maximum(x, row), axis=0),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_stays(case):
    before, after = both(KEPT[case], x=X, row=ROW, column=COLUMN)
    assert [n.operation for _, n in after] == [n.operation for _, n in before]


LONG = {
    "factors": lambda xp, x, y: y * 1.0001,
    "parts around a mean": lambda xp, x, y: y + 0.001 * (x - mean(xp, x, 0)),
}


@pytest.mark.parametrize("case", LONG)
def test_a_chain_may_be_longer_than_the_stack_is_deep(case):
    def chain(xp, x):
        y = x
        for _ in range(3000):
            y = LONG[case](xp, x, y)
        return xp.sum(y, axis=0)

    both(chain, x=X)


def test_sums_of_whole_numbers_stay():
    graph = simplify(traced(lambda xp, x: xp.sum(x * 3), x=np.arange(6, dtype=np.uint8)))
    assert [n.operation for _, n in factor_sums(graph)] == [n.operation for _, n in graph]


KNOWN = {
    "the same with a factor": (lambda xp, x, y, row: xp.sum(x, axis=0) + xp.sum(x * row, axis=0) + x * row, 1),
    "of both parts": (lambda xp, x, y, row: xp.sum(x + y, axis=0) * xp.sum(x, axis=0) * xp.sum(y, axis=0) + y + x, 3),
    "of a repeated row": (lambda xp, x, y, row: xp.sum(xp.broadcast_to(row, (6, 5)), axis=0), 0),
    "around a mean": (lambda xp, x, y, row: xp.sum(x - mean(xp, x, 0), axis=0), 0),
    "around a mean, with factors": (lambda xp, x, y, row: xp.sum(2.0 * (x - mean(xp, x, 1)), axis=1), 0),
    "with a part around a mean": (lambda xp, x, y, row: xp.sum(y + row * (x - mean(xp, x, 0)), axis=0), 1),
    "all that and a row": (lambda xp, x, y, row: xp.sum(x - mean(xp, x, 0) - row, axis=0), 0),
}


@pytest.mark.parametrize("case", KNOWN)
def test_what_is_known_is_not_added_up(case):
    build, sums = KNOWN[case]
    before, after = both(build, x=X, y=Y, row=ROW)
    assert len(added(after)) == sums <= len(added(before))
    if case != "of both parts":
        assert len(added(after)) < len(added(before))


def test_the_mean_of_other_rows_is_not_taken_for_their_own():
    both(lambda xp, x, y: xp.sum(x - mean(xp, y, 0), axis=0), x=X, y=Y)
    both(lambda xp, x, y: xp.sum(x - mean(xp, x, 0) * 1.5, axis=0), x=X, y=Y)
    both(lambda xp, x, y: xp.sum(x - xp.sum(x, axis=0) / 5.0, axis=0), x=X, y=Y)  # of six rows
    both(lambda xp, x, y: xp.sum(x - mean(xp, x, 1), axis=0), x=X, y=Y)


def backward(layer):
    module = nn.Sequential([nn.Dense(20), layer, nn.Dense(3, "softmax")])
    job = Job(module, (7,), "auto", SGD(0.1), "classes", dtype="float64")
    return job, job.graph(8)


def wide_sums(made):
    nodes = made.graph.nodes
    found = [nodes[i] for step in made.steps for i in step.nodes if nodes[i].operation == "sum"]
    return sum(prod(nodes[n.inputs[0]].shape) == 160 and n.origin.phase.startswith("backward") for n in found)


@pytest.mark.parametrize(("layer", "with_", "without"), [(nn.BatchNorm(), 2, 5), (nn.LayerNorm(), 5, 5)])
def test_the_derivative_of_a_normalisation_adds_up_what_its_formula_does(layer, with_, without):
    """Batch normalisation: dx = γ/σ·(g − mean(g) − x̂·mean(g·x̂)); the sum for a bias before it is known too."""
    job, graph = backward(layer)
    made, plain = plan(graph, TARGET), plan(graph, TARGET, ("factor_sums",))
    assert (wide_sums(made), wide_sums(plain)) == (with_, without)
    values = job.values(graph)
    for _ in range(3):
        close(Bench(graph, values).step(), Bench(graph, values, disable=("factor_sums",)).step(), rtol=1e-9)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_what_is_not_finite_stays_so(bad):
    def derivative(xp, x, y):
        centred = x - mean(xp, x, 0)
        return xp.sum(y + centred * xp.sum(y * centred, axis=0), axis=0) * centred

    x = X.copy()
    x[2, 1] = bad
    before = simplify(traced(derivative, x=x, y=Y))
    with np.errstate(invalid="ignore"):
        results = [interpret(g, np, {"x": x, "y": Y})["value"] for g in (before, factor_sums(before))]
    np.testing.assert_array_equal(np.isfinite(results[1]), np.isfinite(results[0]))
    assert not np.isfinite(results[1][:, 1]).any()
