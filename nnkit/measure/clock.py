"""Where the wall time of a run went: named phases, and the time of one training step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from nnkit.names import lookup

PHASES = ("prepare", "compile", "train", "validate")


class Clock:
    """Wall time by phase. A phase inside another one pauses the outer one, so no second is counted twice.

    The clock runs from the moment it is made until `stop`. Time outside every phase belongs to none of them, so
    the phases add up to at most `elapsed_s`.

    >>> now = iter([0.0, 1.0, 4.0, 6.0, 7.0, 9.0])      # a clock for the example, in seconds
    >>> clock = Clock(time=lambda: next(now))
    >>> with clock.phase("train"):                     # starts at 1
    ...     with clock.phase("validate"):              # 4 to 6
    ...         pass
    >>> clock.seconds("train"), clock.seconds("validate"), clock.stop()
    (4.0, 2.0, 9.0)
    """

    def __init__(self, time: Callable[[], float] = time.perf_counter) -> None:
        self._time = time
        self._spent = dict.fromkeys(PHASES, 0.0)
        self._open: list[str] = []
        self._started = self._turned = time()
        self._stopped: float | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the wall time of the ``with`` block under `name`, one of `PHASES`, also when the block raises."""
        lookup("phase", name, self._spent)
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def go_on(self, before: Mapping[str, float]) -> None:
        """Count on from an earlier clock: its ``elapsed`` seconds, and those of its phases."""
        self._started -= before["elapsed"]
        for name in PHASES:
            self._spent[name] += before[name]

    def seconds(self, name: str) -> float:
        """Seconds spent in phase `name` so far, without the phases inside it."""
        spent = lookup("phase", name, self._spent)
        running = self._open and self._open[-1] == name
        return spent + (self._time() - self._turned) if running else spent

    @property
    def elapsed_s(self) -> float:
        """Seconds since the clock was made, until `stop`."""
        return (self._time() if self._stopped is None else self._stopped) - self._started

    def stop(self) -> float:
        """Freeze `elapsed_s` and return it; a second call changes nothing."""
        if self._stopped is None:
            self._stopped = self._time()
        return self.elapsed_s

    def _turn(self) -> None:
        """Hand the time since the last turn to the innermost open phase."""
        now = self._time()
        if self._open:
            self._spent[self._open[-1]] += now - self._turned
        self._turned = now


class StepTimer:
    """Wall time of one training step, as median and spread over blocks of steps that were timed together.

    A block is what the training loop runs between two synchronisations. The first `warm_up` blocks are dropped if
    more than that many came: they pay for page faults, caches and thread pools. Blocks count equally.

    >>> timer = StepTimer()
    >>> for steps, seconds in [(10, 9.0), (10, 0.1), (10, 0.2), (20, 0.6)]:
    ...     timer.add(steps, seconds)
    >>> round(timer.step_median_s, 6), round(timer.step_spread_s, 6)
    (0.02, 0.01)
    """

    def __init__(self, warm_up: int = 1) -> None:
        self._warm_up = warm_up
        self._step_s: list[float] = []

    def add(self, steps: int, seconds: float) -> None:
        """Record a block of `steps` steps that took `seconds`; a block of no steps is ignored."""
        if steps > 0:
            self._step_s.append(seconds / steps)

    @property
    def timed(self) -> list[float]:
        """Seconds per step of every block that counts."""
        return self._step_s[self._warm_up :] or self._step_s

    @property
    def step_median_s(self) -> float | None:
        """Median over blocks of seconds per step; None before the first block."""
        return float(np.median(self.timed)) if self.timed else None

    @property
    def step_spread_s(self) -> float | None:
        """Interquartile range over blocks of seconds per step; None before two blocks count."""
        if len(self.timed) < 2:
            return None
        low, high = np.percentile(self.timed, [25, 75])
        return float(high - low)

    @property
    def reasons(self) -> dict[str, str]:
        """Why a figure is None, under the names that the run record uses."""
        count = f"{len(self.timed)} block(s) of steps were timed"
        figures = {"time.step_median_s": self.step_median_s, "time.step_spread_s": self.step_spread_s}
        return {name: count for name, value in figures.items() if value is None}
