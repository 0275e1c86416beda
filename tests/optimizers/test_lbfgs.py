"""L-BFGS by itself: known minima, scipy's iterations, and functions that are not kind."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nnkit.errors import ArgumentError
from nnkit.optimizers.lbfgs import LBFGS
from nnkit.optimizers.line_search import DECREASE, FLATTER, Point, line_search


def rosenbrock(w: Any) -> tuple[float, Any]:
    a, b = w[:-1], w[1:]
    value = float(np.sum(100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2))
    slope = np.zeros_like(w)
    slope[:-1] += -400.0 * a * (b - a**2) - 2.0 * (1.0 - a)
    slope[1:] += 200.0 * (b - a**2)
    return value, slope


def quadratic(count: int, spread: float) -> Any:
    curvature, optimum = np.geomspace(1.0, spread, count), np.linspace(-1.0, 1.0, count)
    return (lambda w: (float(0.5 * curvature @ (w - optimum) ** 2), curvature * (w - optimum))), optimum


def minimised(objective: Any, start: Any, updates: int, **options: Any) -> Any:
    steps = LBFGS(**options).minimizer(objective, np.asarray(start))
    values = [steps.value]
    for _ in range(updates):
        if not steps.update():
            break
        values.append(steps.value)
    assert all(after <= before for before, after in pairwise(values))
    return steps, values


@pytest.mark.parametrize("count", [2, 3, 10])
def test_rosenbrock(count: int) -> None:
    steps, values = minimised(rosenbrock, np.full(count, -1.2), 200)
    np.testing.assert_allclose(steps.parameter, np.ones(count), atol=1e-6)
    assert len(values) < 120


@pytest.mark.parametrize("spread", [1.0, 1e3, 1e6])
def test_quadratics_of_any_condition(spread: float) -> None:
    objective, optimum = quadratic(12, spread)
    steps, _ = minimised(objective, np.zeros(12), 200, history=20)
    np.testing.assert_allclose(steps.parameter, optimum, atol=1e-5)


def test_it_takes_about_as_many_evaluations_as_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    counts = [0, 0]

    def counted(which: int) -> Any:
        def objective(w: Any) -> Any:
            counts[which] += 1
            return rosenbrock(w)

        return objective

    start = np.full(6, -1.2)
    theirs = optimize.minimize(counted(0), start, jac=True, method="L-BFGS-B", options={"ftol": 0.0, "gtol": 1e-8})
    steps = LBFGS().minimizer(counted(1), start)
    while np.abs(steps.gradient).max() > 1e-8 and steps.update():
        pass
    assert theirs.fun < 1e-15
    assert steps.value < 1e-15
    assert counts[1] <= 1.5 * counts[0]


@pytest.mark.parametrize("history", [1, 4, 10])
def test_every_direction_is_that_of_the_inverse_hessian_written_out(history: int) -> None:
    """H ← Vᵀ H V + s sᵀ / yᵀs, with V = I − y sᵀ / yᵀs, as whole matrices: Nocedal and Wright, formula 7.17."""
    steps = LBFGS(history=history).minimizer(rosenbrock, np.full(5, -1.2))
    known: list[tuple[Any, Any]] = []
    for _ in range(30):
        before, slope = steps.parameter, steps.gradient
        assert steps.update()
        s, y = known[-1] if known else (slope, slope)
        inverse = np.eye(5) * float(s @ y) / float(y @ y)
        for s, y in known[-history:]:
            v = np.eye(5) - np.outer(y, s) / float(y @ s)
            inverse = v.T @ inverse @ v + np.outer(s, s) / float(y @ s)
        went = steps.parameter - before
        along = -inverse @ slope
        np.testing.assert_allclose(went / np.linalg.norm(went), along / np.linalg.norm(along), rtol=1e-6, atol=1e-9)
        known.append((went, steps.gradient - slope))


def test_at_a_minimum_there_is_no_step() -> None:
    steps = LBFGS().minimizer(lambda w: (float(w @ w), 2.0 * w), np.zeros(3))
    assert not steps.update()
    np.testing.assert_array_equal(steps.parameter, np.zeros(3))


def test_the_first_step_of_a_steep_function_is_short() -> None:
    tried = []

    def objective(w: Any) -> Any:
        tried.append(float(np.abs(w).max()))
        return float(1e8 * w @ w), 2e8 * w

    LBFGS().minimizer(objective, np.ones(4)).update()
    assert max(tried) <= 1.0 + 1e-12


def test_infinity_beyond_a_wall_is_stepped_back_from() -> None:
    def objective(w: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(np.where(w > 0, w - np.log(w), np.inf).sum())
            return value, np.where(w > 0, 1.0 - 1.0 / w, np.nan)

    steps, _ = minimised(objective, np.asarray([0.01, 5.0]), 60)
    np.testing.assert_allclose(steps.parameter, [1.0, 1.0], atol=1e-6)


@pytest.mark.parametrize("first", [1e-6, 1e-2, 1.0, 10.0, 1e4])
@pytest.mark.parametrize(
    "value",
    [
        (lambda a: (a - 3.0) ** 2, lambda a: 2.0 * (a - 3.0)),
        (lambda a: -a / (a * a + 2.0), lambda a: (a * a - 2.0) / (a * a + 2.0) ** 2),
        (lambda a: (a + 0.004) ** 5 - 2.0 * (a + 0.004) ** 4, lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3),
        (lambda a: math.exp(-a) + 0.1 * a, lambda a: 0.1 - math.exp(-a)),
    ],
)
def test_a_search_meets_both_conditions(value: Any, first: float) -> None:
    """The second and third are those of Moré and Thuente, 1994."""

    def along(at: float) -> Point:
        return Point(at, float(value[0](at)), float(value[1](at)))

    start = along(0.0)
    found = line_search(along, start, first, 60)
    assert found is not None
    assert found.value <= start.value + DECREASE * found.at * start.slope
    assert abs(found.slope) <= FLATTER * abs(start.slope)


def test_a_search_that_may_not_go_on_takes_the_best() -> None:
    def along(at: float) -> Point:
        return Point(at, -at, -1.0)  # falls for ever

    start = along(0.0)
    found = line_search(along, start, 1.0, 3)
    assert found is not None
    assert found.at == 4.0
    assert line_search(lambda at: Point(at, at, 1.0) if at else Point(0.0, 0.0, -1.0), start, 1.0, 5) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "LBFGS: learning_rate"),
        ({"history": 0}, "LBFGS: history"),
        ({"evaluations": 0}, "LBFGS: evaluations"),
    ],
)
def test_what_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        LBFGS(**options)
