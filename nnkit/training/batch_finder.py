"""The largest batch whose training fits in memory, from plans alone: nothing is allocated and nothing trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnkit import optimizers
from nnkit.backend import Backend
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count
from nnkit.measure.units import bytes_text, parse_bytes
from nnkit.training.layout import lasting_bytes
from nnkit.training.planning import training_plan
from nnkit.training.space import usable

if TYPE_CHECKING:
    from nnkit.network import Network

AUTO = "auto"
LARGEST = 2**20


@dataclass(frozen=True)
class BatchSize:
    """The largest batch and what it takes; ``int(…)`` of it, or it itself, goes where a batch size is expected.

    >>> print(BatchSize(256, 1_900_000, 2_000_000, 2**20))
    batch size 256: 1.9 MB of 2 MB
    """

    batch_size: int
    nbytes: int
    """Of the lasting values and of the arrays of a step together."""
    memory: int
    """What there was."""
    largest: int
    """No larger one was looked at."""

    def __index__(self) -> int:
        return self.batch_size

    def __str__(self) -> str:
        most = "; larger ones were not looked at" if self.batch_size == self.largest else ""
        return f"batch size {self.batch_size:,}: {bytes_text(self.nbytes)} of {bytes_text(self.memory)}{most}"


def find_batch_size(
    net: Network, memory: int | str = AUTO, *, optimizer: Any = "adam", loss: Any = "auto", largest: int = LARGEST
) -> BatchSize:
    """The largest batch whose training, uncompiled, fits in ``memory``: bytes, text such as ``"2GB"``, or ``"auto"``.

    From plans alone. What counts is what counts for the ``memory_limit`` of ``net.fit``: the lasting values and the
    arrays of a step, and not the data. "auto" is nine tenths of what is free now. A larger batch is not always better:
    beyond some size it takes as many steps, and each takes longer.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=784, hidden=[128], outputs=10, output_activation="softmax", seed=0)
    >>> found = nnkit.find_batch_size(net, "4MB")
    >>> found.nbytes <= 4_000_000, found.batch_size > 100
    (True, True)
    """
    there = available(memory, net._model.backend)
    lasting = lasting_bytes(net._model.layout, optimizers.get(optimizer).resolved(1))

    def needed(rows: int) -> int:
        return training_plan(net._model, rows, optimizer, loss).arena_bytes + lasting

    return largest_batch(needed, there, largest)


def available(memory: object, backend: Backend) -> int:
    """Bytes from the argument ``memory``; "auto" is nine tenths of what is free now."""
    if memory != AUTO:
        return parse_bytes("find_batch_size: memory", memory)
    free = backend.free_bytes()
    if free is None:
        raise ArgumentError(
            f"find_batch_size: device '{backend.name}' does not say how much memory is free; "
            "give it, such as memory='8GB'"
        )
    return usable(free)


def largest_batch(nbytes: Callable[[int], int], memory: int, largest: int) -> BatchSize:
    """The largest batch up to ``largest`` that takes no more than ``memory``; ``nbytes`` is what a batch takes.

    What a batch takes is nearly a straight line, so that a few plans suffice: each guess lies on the line through the
    two nearest batches that are known, and every other one in the middle between them.

    >>> largest_batch(lambda rows: 100 + 10 * rows, 1000, 4096).batch_size
    90
    """
    check_count("find_batch_size", "largest", largest, at_least=1)
    low, needed = 1, nbytes(1)
    if needed > memory:
        raise ArgumentError(
            f"find_batch_size: a batch of 1 needs {needed:,} bytes, got memory={memory:,}; use fewer neurons, or "
            "fit(…, memory_limit=…), which computes values again instead of keeping them"
        )
    high, too_much = _beyond(nbytes, memory, largest)
    if too_much <= memory:
        return BatchSize(high, too_much, memory, largest)
    guessing = True
    while high - low > 1:
        share = (memory - needed) / (too_much - needed) if guessing else 0.5
        middle = min(max(low + int((high - low) * share), low + 1), high - 1)
        found = nbytes(middle)
        if found <= memory:
            low, needed = middle, found
        else:
            high, too_much = middle, found
        guessing = not guessing
    return BatchSize(low, needed, memory, largest)


def _beyond(nbytes: Callable[[int], int], memory: int, largest: int) -> tuple[int, int]:
    """A batch that is too large and what it takes, or the largest one that is asked for."""
    rows = 1
    while True:
        rows = min(rows * 64, largest)
        found = nbytes(rows)
        if found > memory or rows == largest:
            return rows, found
