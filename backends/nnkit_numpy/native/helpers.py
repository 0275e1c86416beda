"""Threads that run a native program beside the thread that called it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from nnkit_numpy.memory import Array

Run = Callable[[int, int, int], int]
"""(where the addresses are, steps, number of the thread) → steps that were done."""
ABORT = 1 << 62
"""On the gate: there will be no run."""


class Helpers:
    """A program's own threads, started when it first runs, so that no program ever waits for those of another."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    @contextmanager
    def beside(self, gate: Array, run: Run, addresses: int, steps: int) -> Iterator[None]:
        """While the caller runs its own part, each helper runs its."""
        waiting: list[Future[int]] = []

        def part(others: set[int], place: int) -> int:
            _stay_on(others)
            return run(addresses, steps, 1 + place)

        try:
            others = _other_cores()
            waiting.extend(self._ready().submit(part, others, place) for place in range(self.count))
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


def _other_cores() -> set[int]:
    """Those that this thread may run on but does not; none where the system does not tell.

    A system likes to wake a thread on the core of the one that woke it. They would take turns there, each waiting for
    the other, for the 10 or 20 ms until the system moves one of them.
    """
    where = _where()
    return os.sched_getaffinity(0) - {where()} if where else set()


def _stay_on(cores: set[int]) -> None:
    if cores and os.sched_getaffinity(0) != cores:
        with suppress(OSError):  # they were taken from this process meanwhile
            os.sched_setaffinity(0, cores)


@cache
def _where() -> Any:
    """The function that gives the core of the thread that calls it; None on systems without it."""
    known = hasattr(os, "sched_setaffinity") and hasattr(ctypes.CDLL(None), "sched_getcpu")
    return ctypes.CDLL(None).sched_getcpu if known else None
