"""Whether the threads of a program run it together, or one runs the parts of all: the same work and the same bits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

EVERY = (16, 64)
"""Runs until the next look at the other way: few where it was nearly as fast, more where it took twice as long."""
SHARE, LEAST = 16, 4
"""Such a look takes one in so many steps of a run, and at least so many."""
RECENT = 4
"""Times of each way that count, the shortest of them: one run may have been slow because a core had to wake up."""


class Pace:
    """Goes the way that was faster when last tried: together, unless other work keeps the cores busy.

    Threads that wait for one that has no core lose more than they win by dividing the work.
    """

    def __init__(self) -> None:
        self._step_s: dict[bool, deque[float]] = {together: deque(maxlen=RECENT) for together in (True, False)}
        self._wait = 2  # the first run is not yet warm

    @property
    def together(self) -> bool:
        """The way of the next run."""
        return self._shortest(True) <= self._shortest(False)

    def run(self, steps: int, go: Callable[[int, bool], int]) -> int:
        """All steps by ``go(steps, together)``, which gives how many it did; fewer when one was refused."""
        tried = 0
        self._wait -= 1
        if self._wait <= 0:
            tried = max(steps // SHARE, min(steps, LEAST))
            other = not self.together
            done = self._timed(tried, go, other)
            self._wait = EVERY[self._shortest(other) > 2 * self._shortest(not other) > 0]
            if done < tried or tried == steps:
                return done
        return tried + self._timed(steps - tried, go, self.together)

    def _timed(self, steps: int, go: Callable[[int, bool], int], together: bool) -> int:
        began = time.perf_counter()
        done = go(steps, together)
        if done:
            self._step_s[together].append((time.perf_counter() - began) / done)
        return done

    def _shortest(self, together: bool) -> float:
        """Of the recent times; together counts as fast until as many are known."""
        known = self._step_s[together]
        if together and len(known) < RECENT:
            return 0.0
        return min(known, default=float("inf"))
