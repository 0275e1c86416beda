"""Points that a person draws: what comes from the browser, and the plane that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.playground.plane import Plane, held_out
from nnkit.playground.points import RANGE
from nnkit.playground.rules import shown
from nnkit.playground.settings import MOST_CLASSES, Settings

MOST = 2000
FEWEST = 2
"""One to learn from, and one to test."""


class NotEnough(ValueError):  # noqa: N818  # it asks for more; nothing is wrong
    """Fewer points than one to learn from and one to test; the message asks for more."""


@dataclass(frozen=True)
class Strokes:
    """Drawn points (x, y, value): a coordinate is from −6 to 6, a value a class 0 … 5, or a number from −1 to 1."""

    points: tuple[tuple[float, float, float], ...]

    def target(self, settings: Settings) -> Array:
        """Labels, or values from −1 to 1, as the problem asks for: (points,).

        What was drawn for the other problem goes on: of values, those above 0 become class 1 and the rest 0; classes
        beyond 1 become values at equal distances.

        >>> Strokes(((0, 0, -0.5), (1, 1, 0.5))).target(Settings(problem="classification")).tolist()
        [0, 1]
        """
        values = np.array([value for _, _, value in self.points], dtype=np.float64)
        if settings.problem == "classification":
            labels = (values >= 0) & (values == np.round(values))
            return (values if labels.all() else values > 0).astype(np.int64)
        return values.clip(0) / values.max() * 2 - 1 if values.max() > 1 else values


def strokes(points: Any) -> Strokes:
    """The points in a message, once they are sure to be points.

    Raises:
        ValueError: what else came, and what was expected.

    >>> strokes([[0.5, -2, 1]])
    Strokes(points=((0.5, -2.0, 1.0),))
    >>> strokes([[0.5, -20, 1]])
    Traceback (most recent call last):
        ...
    ValueError: point 1 has the coordinate -20, expected a number from -6 to 6
    """
    if not isinstance(points, list | tuple):
        raise ValueError(f"the points are {shown(points)}, expected a list of [x, y, label or value]")
    if len(points) > MOST:
        raise ValueError(f"there are {len(points):,} points, and {MOST:,} are the most; draw fewer")
    return Strokes(tuple(_point(number, point) for number, point in enumerate(points, 1)))


def plane_of(strokes: Strokes, settings: Settings) -> Plane:
    """The plane with these points, of as many classes as the settings or the labels ask for.

    Raises:
        NotEnough: no points yet, or one alone.

    >>> plane_of(strokes([[0, 0, 0], [1, 1, 1], [2, 1, 1]]), Settings()).summary
    '3 drawn points, 2 classes'
    """
    if len(strokes.points) < FEWEST:
        there = "one drawn point" if strokes.points else "no drawn points yet"
        raise NotEnough(f"{there}: draw at least {FEWEST}, one to learn from and one to test")
    rows = np.array([(x, y) for x, y, _ in strokes.points], dtype=np.float64)
    target = strokes.target(settings)
    classes: tuple[str, ...] = ()
    if settings.problem == "classification":
        classes = tuple(str(number) for number in range(max(settings.classes, int(target.max()) + 1)))
    what = f"{len(classes)} classes" if classes else "values from −1 to 1"
    share, stratified = split_of(target, settings)
    test = held_out(target, share, settings.seed, stratified)
    return Plane(rows, target, test, classes, summary=f"{len(rows)} drawn points, {what}")


def split_of(target: Array, settings: Settings) -> tuple[float, bool]:
    """The share of the points for testing, and whether it is taken of each class: so that neither part is empty."""
    share = min(settings.test_share, (len(target) - 1) / len(target))
    # A class with one point keeps it to learn from; where all are like that, none would be left for testing.
    return share, settings.problem == "classification" and int(np.bincount(target).max()) > 1


def _point(number: int, point: Any) -> tuple[float, float, float]:
    if not isinstance(point, Sequence) or isinstance(point, str) or len(point) != 3:
        raise ValueError(f"point {number} is {shown(point)}, expected three numbers: [x, y, label or value]")
    x, y, value = point
    for coordinate in (x, y):
        if not _is_number(coordinate, -RANGE, RANGE):
            raise ValueError(
                f"point {number} has the coordinate {shown(coordinate)}, expected a number from {-RANGE:g} to {RANGE:g}"
            )
    label = _is_number(value, 0, MOST_CLASSES - 1) and value == int(value)
    if not label and not _is_number(value, -1, 1):
        raise ValueError(
            f"point {number} has the value {shown(value)}, expected a class from 0 to {MOST_CLASSES - 1}, or a number "
            "from -1 to 1"
        )
    return float(x), float(y), float(value)


def _is_number(value: Any, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high
