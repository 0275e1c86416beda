"""What was copied to the GPU from arrays of the host, for the record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from nnkit.backend import Mark
from nnkit_cupy.runtime import Array, Runtime


class Traffic:
    """Bytes that were copied, and the seconds that the host waited for it."""

    def __init__(self) -> None:
        self.nbytes, self.seconds = 0, 0.0
        self._lock = Lock()

    def add(self, nbytes: int, seconds: float = 0.0) -> None:
        """Any thread may call it."""
        with self._lock:
            self.nbytes += nbytes
            self.seconds += seconds

    @contextmanager
    def waiting(self, nbytes: int) -> Iterator[None]:
        """Count a copy that the host waits for."""
        began = time.perf_counter()
        yield
        self.add(nbytes, time.perf_counter() - began)


class CountedInlet:
    """Copies on a stream of their own, whose bytes are counted; nobody waits for them."""

    def __init__(self, runtime: Runtime, traffic: Traffic) -> None:
        self._runtime, self._traffic = runtime, traffic

    def zeros(self, shape: Sequence[int], dtype: str) -> Any:
        """A device array of zeros."""
        return self._runtime.zeros(shape, dtype)

    def pinned(self, shape: Sequence[int], dtype: str) -> Any:
        """A host array whose pages the system does not move."""
        return self._runtime.pinned(shape, dtype)

    def mark(self) -> Mark:
        """The point after all steps so far."""
        return self._runtime.mark()

    def send(self, pairs: Sequence[tuple[Any, Array]], after: Mark) -> Mark:
        """Begin to copy after a mark."""
        sent = self._runtime.send(pairs, after)
        self._traffic.add(sum(source.nbytes for _, source in pairs))
        return sent

    def hold(self, mark: Mark) -> None:
        """Steps from now on wait for this mark."""
        self._runtime.hold(mark)
