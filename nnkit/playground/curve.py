"""Losses over the epochs, in as many points as a page can show."""

from __future__ import annotations

from math import isfinite

MOST = 800
Point = tuple[float, float | None, float | None]


class Curve:
    """Epochs and the losses of the training and the test rows. Beyond ``MOST`` points, every second one goes.

    >>> curve = Curve()
    >>> for epoch in range(1000):
    ...     curve.add(epoch, 1.0, float("nan"))
    >>> len(curve.points) <= MOST, curve.points[-1]
    (True, (999, 1.0, None))
    """

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._apart = 0.0

    def add(self, epoch: float, train: float, test: float) -> None:
        """One more point, unless the last one is close; the same epoch again replaces it."""
        point: Point = (epoch, train if isfinite(train) else None, test if isfinite(test) else None)
        if len(self.points) > 1 and epoch - self.points[-2][0] <= self._apart:
            self.points.pop()
        if self.points and self.points[-1][0] == epoch:
            self.points.pop()
        self.points.append(point)
        if len(self.points) > MOST:
            del self.points[1:-1:2]
            self._apart = epoch / MOST * 2
