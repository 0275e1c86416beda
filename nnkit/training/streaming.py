"""Rows for which a device has no room: they come in chunks, the next ones while steps work on one that is there.

The steps do not know of it. Their arrays have room for two chunks and their ``order`` goes round in it, so that the
cursor of an epoch means what it always means, and recorded steps find their data where they were. While steps read one
half, the next chunk is copied into the other one, and the rows of the one after that are gathered on the host::

    host gathers    0 1 2   3   4
    copies            0 1   2   3
    steps               0   1   2

Whatever the threads do here ends by itself: none of them ever waits for steps that nobody has asked for.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.backend import Backend, Inlet, Mark
from nnkit.training.data import Rows

Array = npt.NDArray[Any]

HALVES = 2
GATHERING = 4
"""Threads that gather rows: one alone is slower than a device that computes little for each."""


class Streamed:
    """A feed that keeps two chunks of so many rows on the device; a batch never lies in more than one of them."""

    def __init__(self, backend: Backend, inlet: Inlet, rows: Rows, chunk: int, said: str) -> None:
        self.said = said
        self._inlet, self._chunk = inlet, chunk
        self._order, self._at = rows.indices, -1
        # Of other arrays, each gathering would make a copy as a whole.
        self._sources = {name: np.ascontiguousarray(array) for name, array in rows.arrays.items()}
        kinds = {name: (array.shape[1:], array.dtype.name) for name, array in self._sources.items()}
        room = HALVES * chunk
        self.data = {name: inlet.zeros((room, *shape), dtype) for name, (shape, dtype) in kinds.items()}
        self.data["order"] = backend.to_device(np.arange(len(rows.indices), dtype=np.int64) % room)
        self._pinned = [
            {name: inlet.pinned((chunk, *shape), dtype) for name, (shape, dtype) in kinds.items()}
            for _ in range(HALVES)
        ]
        self._left: list[Mark | None] = [None] * HALVES
        """The end of the latest copy out of each pinned buffer."""
        self._gathered: dict[int, Future[int]] = {}
        self._sent: dict[int, Future[Mark]] = {}
        self._orders = ThreadPoolExecutor(1, "nnkit-rows")  # one after the other
        self._hands = ThreadPoolExecutor(GATHERING, "nnkit-gather")

    def start(self, order: Array, row: int = 0) -> None:
        """An epoch over these rows, from one of them on; what is left of the last one is dropped."""
        for task in self._gathered.values():
            task.cancel()
        for sending in self._sent.values():
            sending.cancel()
        self._gathered, self._sent = {}, {}
        self._order, self._at = order, -1
        free = self._inlet.mark()
        first = row // self._chunk
        for number in range(first, first + HALVES):
            self._gather(number)
            self._send(number, free)

    def together(self, row: int) -> int:
        """Those of its chunk that are left."""
        return self._chunk - row % self._chunk

    def enter(self, row: int) -> None:
        """The chunk of this row must be there; once it is, its pinned buffer is free for the one after the next."""
        number = row // self._chunk
        if number != self._at:
            self._inlet.hold(self._sent.pop(number).result())
            self._at = number
            self._gather(number + HALVES)

    def leave(self, row: int) -> None:
        """If that was the end of a chunk, its half of the device's arrays is free."""
        if row == (self._at + 1) * self._chunk:
            self._send(self._at + HALVES, self._inlet.mark())

    def close(self) -> None:
        """End the threads and the copies that run."""
        self._orders.shutdown(cancel_futures=True)
        self._hands.shutdown()
        for mark in self._left:
            if mark is not None:
                mark.wait()

    # -- asked for in the order in which it is done

    def _gather(self, number: int) -> None:
        rows = self._order[number * self._chunk : (number + 1) * self._chunk]
        if len(rows):
            self._gathered[number] = self._orders.submit(self._fill, number % HALVES, rows)

    def _send(self, number: int, after: Mark) -> None:
        gathered = self._gathered.pop(number, None)
        if gathered is not None:
            self._sent[number] = self._orders.submit(self._copy, number % HALVES, gathered, after)

    # -- done by the thread

    def _fill(self, half: int, rows: Array) -> int:
        """Put rows into a pinned buffer; gives how many."""
        left = self._left[half]
        if left is not None:
            left.wait()
        edges = [len(rows) * hand // GATHERING for hand in range(GATHERING + 1)]
        work = partial(self._take, self._pinned[half], rows)
        list(self._hands.map(work, edges[:-1], edges[1:]))
        return len(rows)

    def _take(self, buffers: dict[str, Array], rows: Array, first: int, last: int) -> None:
        for name, buffer in buffers.items():
            # All are within: another mode would check it by way of a copy.
            np.take(self._sources[name], rows[first:last], axis=0, out=buffer[first:last], mode="clip")

    def _copy(self, half: int, gathered: Future[int], after: Mark) -> Mark:
        """Begin to copy a pinned buffer into its half of the device's arrays."""
        count, first = gathered.result(), half * self._chunk
        buffers = self._pinned[half].items()
        pairs = [(self.data[name][first : first + count], buffer[:count]) for name, buffer in buffers]
        self._left[half] = mark = self._inlet.send(pairs, after)
        return mark
