"""What goes through the pipes between the two processes: a letter, a length, and as many bytes."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Callable

from nnkit.data.arrays import Array

PLAIN, RAW, REFUSED, FULL = b"j", b"b", b"r", b"m"
"""JSON, bytes, the text of an error, and that there was not enough memory."""
HEAD = struct.Struct("<cQ")


class BrokenError(Exception):
    """The other side has gone, is late, or says what was not asked."""


def sent(write: Callable[[memoryview], int], letter: bytes, *parts: bytes | memoryview) -> None:
    """Write one frame whose content is these parts."""
    size = sum(memoryview(part).nbytes for part in parts)
    for part in (HEAD.pack(letter, size), *parts):
        rest = memoryview(part).cast("B") if memoryview(part).nbytes else memoryview(b"")
        while rest:
            rest = rest[write(rest) :]


class Deadline:
    """The time that one may wait altogether."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self._left = seconds

    def wait(self, handle: int, writing: bool = False) -> None:
        """Until there is something to read, or room to write, or nothing will be."""
        start = time.monotonic()
        waiter = select.poll()
        waiter.register(handle, select.POLLOUT if writing else select.POLLIN)
        ready = self._left > 0 and waiter.poll(self._left * 1000)
        self._left -= time.monotonic() - start
        if not ready:
            raise BrokenError(f"did not answer within {self.seconds:.0f} s")


def filled(handle: int, view: memoryview, deadline: Deadline) -> None:
    """Read until the view is full."""
    while view:
        deadline.wait(handle)
        got = os.readv(handle, [view])
        if not got:
            raise BrokenError("ended before it had answered")
        view = view[got:]


def head(handle: int, deadline: Deadline) -> tuple[bytes, int]:
    """Letter and length of the next frame."""
    filled(handle, memoryview(data := bytearray(HEAD.size)), deadline)
    letter, size = HEAD.unpack(data)
    return letter, size


def received(handle: int, size: int, deadline: Deadline) -> bytes:
    """That many bytes."""
    filled(handle, memoryview(data := bytearray(size)), deadline)
    return bytes(data)


def received_into(handle: int, values: Array, deadline: Deadline) -> None:
    """As many bytes as an array has, into it."""
    if values.size:
        filled(handle, memoryview(values.reshape(-1).view("u1")), deadline)  # type: ignore[arg-type]
