"""Samples over time in a bounded number of points, however long a run lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nnkit.measure.sampler import INTERVAL_S

MOST = 256
"""Points that are kept: enough for a picture, some kilobytes in a record."""


class Point(NamedTuple):
    """What is known of the time from the point before to this one."""

    elapsed_s: float
    totals: tuple[float | None, ...]
    levels: tuple[float | None, ...]


class Timeline:
    """Rates and levels over time. When `most` points are there, each two neighbours become one.

    A *rate* is given as its total so far (processor time, energy) and read as what it rose by between two points,
    divided by the seconds between them; so merging loses resolution and nothing else. A *level* (memory,
    temperature) is the highest between two points. The first sample only begins the first interval.

    >>> line = Timeline(("power_w",), ("temperature_c",), most=2)
    >>> for second, joules, heat in [(0, 0, 30), (1, 10, 40), (2, 30, 45), (3, 60, 41), (4, 100, 50)]:
    ...     line.add(second, (joules,), (heat,))
    >>> line.columns()
    {'elapsed_s': [2, 4], 'power_w': [15.0, 35.0], 'temperature_c': [45, 50]}
    """

    def __init__(self, rates: Sequence[str], levels: Sequence[str], most: int = MOST) -> None:
        self._names = (*rates, *levels)
        self._rates = len(rates)
        self._most = most
        self._begin: Point | None = None
        self._points: list[Point] = []
        self._stride = 1
        self._in_last = 0

    def add(self, elapsed_s: float, totals: tuple[float | None, ...], levels: tuple[float | None, ...]) -> None:
        """Add a sample, taken so many seconds after the start; None is what was not answered."""
        point = Point(elapsed_s, totals, levels)
        if self._begin is None:
            self._begin = point
        elif self._points and (self._in_last < self._stride or self._soon(point)):
            self._points[-1] = _merged(self._points[-1], point)
            self._in_last += 1
        else:
            self._points.append(point)
            self._in_last = 1
            self._halve()

    def columns(self) -> dict[str, list[float | None] | None]:
        """Name → one value for each point, where None was not answered; None for what never was."""
        points = list(self._points)  # a thread that hangs may come back
        found: dict[str, list[float | None] | None] = {"elapsed_s": [round(point.elapsed_s, 3) for point in points]}
        for number, name in enumerate(self._names):
            if number < self._rates:
                column = list(self._rate(points, number))
            else:
                column = [point.levels[number - self._rates] for point in points]
            found[name] = column if any(value is not None for value in column) else None
        return found

    def _soon(self, point: Point) -> bool:
        """Whether too little time went by for a rate of its own, as for the sample at the end of a run."""
        return point.elapsed_s - self._points[-1].elapsed_s < INTERVAL_S / 2

    def _halve(self) -> None:
        if len(self._points) > self._most:
            *full, last = self._points
            self._points = [_merged(*pair) for pair in zip(full[::2], full[1::2], strict=True)] + [last]
            self._stride *= 2

    def _rate(self, points: Sequence[Point], number: int) -> Iterator[float | None]:
        before = self._begin
        for point in points:
            total, known = point.totals[number], None if before is None else before.totals[number]
            rate = None
            if total is not None and known is not None and before is not None:
                rate = round((total - known) / max(point.elapsed_s - before.elapsed_s, 1e-9), 2)
            yield None if rate is None or rate < 0 else rate
            before = before if total is None and known is not None else point


def _merged(first: Point, second: Point) -> Point:
    levels = tuple(_higher(*pair) for pair in zip(first.levels, second.levels, strict=True))
    return Point(second.elapsed_s, second.totals, levels)


def _higher(first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return max(known) if known else None
