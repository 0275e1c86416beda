"""Points that people draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit.playground.settings import Settings
from nnkit.playground.strokes import MOST, NotEnough, Strokes, plane_of, strokes

COORDINATES = st.floats(-6, 6)
LABELS = st.integers(0, 5)
VALUES = st.floats(-1, 1)


def drawn(values: list[float]) -> Strokes:
    return strokes([[at % 7 - 3, at % 5 - 2, value] for at, value in enumerate(values)])


def test_points_are_taken_as_they_come() -> None:
    found = strokes([[1, -2.5, 5], (6, -6, -0.25)])
    assert found.points == ((1.0, -2.5, 5.0), (6.0, -6.0, -0.25))
    assert strokes([]) == Strokes(())


WRONG = {
    "nothing": (None, r"the points are None, expected a list of \[x, y, label or value\]"),
    "text": ("[[0,0,0]]", r"the points are '\[\[0,0,0\]\]', expected a list"),
    "an object": ({"x": 1}, r"the points are \{'x': 1\}, expected a list"),
    "too many": ([[0, 0, 0]] * (MOST + 1), r"there are 2,001 points, and 2,000 are the most; draw fewer"),
    "a number": ([3], r"point 1 is 3, expected three numbers: \[x, y, label or value\]"),
    "two numbers": ([[0, 0, 0], [1, 2]], r"point 2 is \[1, 2\], expected three numbers"),
    "letters": (["abc"], r"point 1 is 'abc', expected three numbers"),
    "text for a number": ([["0", 0, 0]], r"point 1 has the coordinate '0', expected a number from -6 to 6"),
    "yes": ([[True, 0, 0]], r"point 1 has the coordinate True, expected a number"),
    "far away": ([[0, 6.01, 0]], r"point 1 has the coordinate 6\.01, expected a number from -6 to 6"),
    "NaN": ([[float("nan"), 0, 0]], r"point 1 has the coordinate nan, expected a number from -6 to 6"),
    "huge": ([[0, 10**400, 0]], r"point 1 has the coordinate 1000.*, expected a number from -6 to 6"),
    "infinite value": ([[0, 0, float("inf")]], r"point 1 has the value inf, expected a class from 0 to 5, or a number"),
    "no class": ([[0, 0, 6]], r"point 1 has the value 6, expected a class from 0 to 5, or a number from -1 to 1"),
    "between classes": ([[0, 0, 1.5]], r"point 1 has the value 1\.5, expected a class"),
    "no value": ([[0, 0, None]], r"point 1 has the value None, expected a class"),
}


@pytest.mark.parametrize(("points", "message"), WRONG.values(), ids=WRONG)
def test_what_are_no_points_is_told(points: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strokes(points)


@pytest.mark.parametrize(
    ("values", "message"),
    [([], r"no drawn points yet: draw at least 2, one to learn from and one to test"), ([1], r"one drawn point: draw")],
)
def test_too_few_points_ask_for_more(values: list, message: str) -> None:
    with pytest.raises(NotEnough, match=message):
        plane_of(drawn(values), Settings())


def test_classes() -> None:
    plane = plane_of(drawn([0, 1, 1, 0, 1, 0]), Settings())
    assert plane.classes == ("0", "1")
    assert plane.target.tolist() == [0, 1, 1, 0, 1, 0]
    assert plane.target.dtype == np.int64
    assert plane.rows[4].tolist() == [1, 2]
    assert plane.of_points
    assert plane.summary == "6 drawn points, 2 classes"
    assert plane_of(drawn([0, 1]), Settings(classes=5)).classes == tuple("01234")
    assert plane_of(drawn([0, 3]), Settings(classes=2)).classes == tuple("0123")


def test_values() -> None:
    plane = plane_of(drawn([0, 1, -0.5]), Settings(problem="regression"))
    assert plane.classes == ()
    assert plane.target.tolist() == [0, 1, -0.5]
    assert plane.target.dtype == np.float64
    assert plane.summary == "3 drawn points, values from −1 to 1"


def test_what_was_drawn_for_the_other_problem_goes_on() -> None:
    assert plane_of(drawn([0.5, 0, -0.5, 1]), Settings()).target.tolist() == [1, 0, 0, 1]
    assert plane_of(drawn([-1, 1]), Settings()).target.tolist() == [0, 1]
    values = plane_of(drawn([0, 1, 2, 4]), Settings(problem="regression")).target
    assert values.tolist() == [-1, -0.5, 0, 1]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(COORDINATES, COORDINATES, LABELS | VALUES), min_size=2, max_size=40),
    st.sampled_from(["classification", "regression"]),
    st.floats(10, 90),
    st.integers(0, 2**32 - 1),
)
def test_both_parts_have_points(points: list, problem: str, train: float, seed: int) -> None:
    plane = plane_of(strokes(points), Settings(problem=problem, train=train, seed=seed))
    assert 0 < plane.test.sum() < len(points)
    if problem == "classification":
        assert plane.target.min() >= 0
        assert plane.target.max() < len(plane.classes) <= 6
    else:
        assert np.abs(plane.target).max() <= 1


@pytest.mark.parametrize("train", [10, 50, 90])
@pytest.mark.parametrize("values", [[0, 1], [0, 0], [0, 1, 2], [0, 0, 1, 1], [0.5, 0.25]])
def test_the_fewest_points_are_divided(values: list, train: float) -> None:
    plane = plane_of(drawn(values), Settings(train=train))
    assert 0 < plane.test.sum() < len(values)
