"""Whether the threads of a program run it together, or one runs the parts of all: the same work and the same bits."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = (8, 64)
"""Runs until the next look at the other way: few where it was nearly as fast, more where it took twice as long."""
SHARE = 8
"""Such a look takes one in so many steps of a run."""


class Pace:
    """Goes the way that was faster when last tried: together, unless other work keeps the cores busy.

    Threads that wait for one that has no core lose more than they win by dividing the work.
    """

    def __init__(self) -> None:
        self._step_s: dict[bool, float] = {}
        self._wait = 2  # the first run is not yet warm

    @property
    def together(self) -> bool:
        """The way of the next run."""
        return self._step_s.get(True, 0.0) <= self._step_s.get(False, float("inf"))

    def run(self, steps: int, go: Callable[[int, bool], int]) -> int:
        """All steps by ``go(steps, together)``, which gives how many it did; fewer when one was refused."""
        tried = 0
        self._wait -= 1
        if self._wait <= 0 and steps >= SHARE:
            tried = steps // SHARE
            other = not self.together
            done = self._timed(tried, go, other)
            self._wait = EVERY[self._step_s[other] > 2 * self._step_s[not other]]
            if done < tried:
                return done
        return tried + self._timed(steps - tried, go, self.together)

    def _timed(self, steps: int, go: Callable[[int, bool], int], together: bool) -> int:
        began = time.perf_counter()
        done = go(steps, together)
        if done:
            self._step_s[together] = (time.perf_counter() - began) / done
        return done
