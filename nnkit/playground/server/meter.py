"""What a process uses: processor and memory, with the processes that it has started."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

SECONDS_BETWEEN_LOOKS = 5.0
"""Looking for children means looking at every process of the machine, some milliseconds; a worker seldom has any."""


class Meter:
    """Measures one process, by default this one, from one reading to the next.

    >>> meter = Meter()
    >>> sorted(meter.read())
    ['cpu', 'memory']
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._process: Any = None
        self._children: list[Any] = []
        self._looked_s = self._at_s = time.monotonic()
        self._used_s: float | None = None

    def read(self) -> dict[str, float]:
        """``cpu`` in percent of one core since the last reading, and ``memory`` in bytes; zeros when it has ended."""
        import psutil

        used_s, memory = 0.0, 0
        with suppress(psutil.Error):
            if self._process is None:
                self._process = psutil.Process(self._pid)
            used_s, memory = _used(self._process)
            for child in self._children:
                with suppress(psutil.Error):
                    more_s, more = _used(child)
                    used_s, memory = used_s + more_s, memory + more
        return {"cpu": self._percent(used_s), "memory": memory}

    def look(self) -> None:
        """Look for children, if that was not done a moment ago. Any thread may do it."""
        import psutil

        now = time.monotonic()
        if self._process is not None and now - self._looked_s >= SECONDS_BETWEEN_LOOKS:
            self._looked_s = now
            with suppress(psutil.Error):
                self._children = self._process.children(recursive=True)

    def _percent(self, used_s: float) -> float:
        now, before_s = time.monotonic(), self._used_s
        elapsed_s, self._at_s, self._used_s = now - self._at_s, now, used_s
        if before_s is None or elapsed_s <= 0:
            return 0.0
        return round(max(0.0, 100 * (used_s - before_s) / elapsed_s), 1)


def _used(process: Any) -> tuple[float, int]:
    """Seconds of processor, those of children that have ended among them, and bytes of memory."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system, process.memory_info().rss
