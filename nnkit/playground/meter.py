"""Steps per second of the last moment of training."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 1.0


class Meter:
    """Forgets what was before the last start.

    >>> now = iter([0.0, 0.25, 0.5])
    >>> meter = Meter(lambda: next(now))
    >>> for step in (0, 100, 200):
    ...     meter.mark(step)
    >>> meter.per_s
    400.0
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()

    def start(self) -> None:
        """Training begins."""
        self._marks.clear()

    def mark(self, step: int) -> None:
        """So many steps have been done."""
        self._marks.append((self._clock(), step))
        while self._marks[-1][0] - self._marks[0][0] > WINDOW_S:
            self._marks.popleft()

    @property
    def per_s(self) -> float:
        """Of the last second."""
        if len(self._marks) < 2:
            return 0.0
        (began, first), (now, last) = self._marks[0], self._marks[-1]
        return (last - first) / max(now - began, 1e-9)
