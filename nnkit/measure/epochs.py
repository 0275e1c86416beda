"""The energy of each epoch, from a counter that is read as training passes from one epoch to the next."""

from __future__ import annotations

import time
from collections.abc import Callable

from nnkit.measure.sampler import INTERVAL_S
from nnkit.measure.series import RESET


class EpochEnergy:
    """Joules between the ends of two epochs: training, validation and what callbacks did after the epoch before.

    The counter is read at most every 0.22 s, as often as the probes sample: counters move in steps, and reading takes
    time. Epochs that are shorter share what was counted over them, in proportion to their seconds.

    >>> now, counter = iter([0, 1, 1.1, 1.2, 1.4]), iter([100.0, 105.0, 109.0])
    >>> energy = EpochEnergy(lambda: next(counter), str, time=lambda: next(now))
    >>> for _ in range(5):
    ...     energy.boundary()
    >>> [round(joules, 6) for joules in energy.figure()]
    [5.0, 1.0, 1.0, 2.0]
    """

    def __init__(
        self,
        read: Callable[[], float],
        explain: Callable[[Exception], str],
        time: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._read, self._explain, self._time = read, explain, time
        self._joules: list[float | None] = []
        self._waiting_s: list[float] = []  # seconds of the epochs that no reading has closed yet
        self._passed_s: float | None = None
        self._tried_s = float("-inf")
        self._last: tuple[float, float] | None = None  # when, and how much
        self.reason: str | None = None

    def boundary(self) -> None:
        """Before the first epoch, and after each. Never raises."""
        now = self._time()
        if self._passed_s is not None:
            self._waiting_s.append(now - self._passed_s)
        self._passed_s = now
        if now - self._tried_s >= INTERVAL_S:
            self._look(now)

    def close(self) -> None:
        """At the end: read once more if epochs wait for it."""
        if self._waiting_s:
            self._look(self._time())

    def abandon(self, reason: str) -> None:
        """At the end, where the counter must not be asked again."""
        self.reason = reason

    def figure(self) -> list[float | None] | None:
        """One number for each epoch, None where there is none; None if no epoch has any."""
        joules = self._joules + [None] * len(self._waiting_s)
        return None if joules and set(joules) == {None} else joules

    def _look(self, now: float) -> None:
        self._tried_s = now
        try:
            joules = self._read()
        except Exception as error:  # the epochs wait for the next reading
            self.reason = self._explain(error)
            return
        if self._last is not None:
            used, seconds = joules - self._last[1], max(now - self._last[0], 1e-9)
            self.reason = RESET if used < 0 else self.reason
            self._joules += [None if used < 0 else used * waited / seconds for waited in self._waiting_s]
        else:
            self._joules += [None] * len(self._waiting_s)
        self._waiting_s, self._last = [], (now, joules)
