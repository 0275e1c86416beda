"""A step along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

DECREASE, FLATTER = 1e-4, 0.9
"""c₁ and c₂ of the conditions, as Nocedal and Wright advise for quasi-Newton directions."""


@dataclass(frozen=True)
class Point:
    """How far along the direction, with the value and the slope there."""

    at: float
    value: float
    slope: float


def line_search(along: Callable[[float], Point], start: Point, first: float, most: int) -> Point | None:
    """A point with φ(α) ≤ φ(0) + c₁ α φ′(0) and |φ′(α)| ≤ c₂ |φ′(0)|, from at most so many evaluations.

    By bracketing and then cubic interpolation: Nocedal, Wright, "Numerical optimization", 2nd edition, 2006, algorithms
    3.5 and 3.6. Where the evaluations do not suffice, the lowest point that decreased enough; None if there is none.
    """
    search = _Search(along, start, most)
    return search.found(first)


class _Search:
    """Counts evaluations and remembers the best point."""

    def __init__(self, along: Callable[[float], Point], start: Point, most: int) -> None:
        self._along, self._start, self._left = along, start, most
        self._best: Point | None = None

    def found(self, first: float) -> Point | None:
        before, at = self._start, first
        while self._left:
            here = self._evaluate(at)
            if not self._decreased(here) or (before is not self._start and here.value >= before.value):
                return self._between(before, here)
            if self._is_flat(here):
                return here
            if here.slope >= 0:
                return self._between(here, before)
            before, at = here, 2.0 * at
        return self._best

    def _between(self, low: Point, high: Point) -> Point | None:
        """``low`` has the lower value of the two, and its slope points towards ``high``."""
        while self._left and abs(high.at - low.at) > 1e-12 * max(abs(low.at), 1.0):
            here = self._evaluate(_interpolated(low, high))
            if not self._decreased(here) or here.value >= low.value:
                high = here
                continue
            if self._is_flat(here):
                return here
            if here.slope * (high.at - low.at) >= 0:
                high = low
            low = here
        return self._best

    def _evaluate(self, at: float) -> Point:
        self._left -= 1
        here = self._along(at)
        if self._decreased(here) and (self._best is None or here.value < self._best.value):
            self._best = here
        return here

    def _decreased(self, here: Point) -> bool:
        """Never so for NaN and infinity."""
        enough = self._start.value + DECREASE * here.at * self._start.slope
        return math.isfinite(here.value) and math.isfinite(here.slope) and here.value <= enough

    def _is_flat(self, here: Point) -> bool:
        return abs(here.slope) <= -FLATTER * self._start.slope


def _interpolated(low: Point, high: Point) -> float:
    """The minimum of the cubic through both values and slopes, kept away from the ends; else the middle."""
    width = high.at - low.at
    if math.isfinite(high.value) and math.isfinite(high.slope):
        d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.at - high.at)
        under = d1 * d1 - low.slope * high.slope
        if under >= 0:
            d2 = math.copysign(math.sqrt(under), width)
            below = high.slope - low.slope + 2.0 * d2
            share = 1.0 - (high.slope + d2 - d1) / below if below else 0.5
            if 0.1 <= share <= 0.9:
                return low.at + share * width
    return low.at + 0.5 * width
