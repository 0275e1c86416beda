"""Threads that run a native program beside the thread that called it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from nnkit_numpy.memory import Array
from nnkit_numpy.native.machine import Run

ABORT = 1 << 62
"""On the gate: there will be no run."""


class Helpers:
    """A program's own threads, started when it first runs, so that no program ever waits for those of another."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    @contextmanager
    def beside(self, gate: Array, run: Run, addresses: Array, steps: int) -> Iterator[None]:
        """While the caller runs its own part, each helper runs its."""
        waiting: list[Future[int]] = []
        try:
            waiting.extend(self._ready().submit(run, addresses, steps, 1 + place) for place in range(self.count))
            yield
        except BaseException:  # Ctrl-C before the caller began: nobody may wait for it
            gate[0] = ABORT
            raise
        finally:
            for future in waiting:
                future.result()

    def _ready(self) -> ThreadPoolExecutor:
        """The threads; those of a process do not exist in its forks."""
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(self.count, "nnkit")
            self._process = os.getpid()
        return self._pool
