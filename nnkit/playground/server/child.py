"""The process of one network: how it is started, spoken to, listened to, and ended for certain."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from nnkit.playground.server.limits import Limits
from nnkit.playground.server.pipes import GarbledError, Piece, Splitter, head

WORKER = (sys.executable, "-P", "-m", "nnkit.playground.worker")
"""``-P``: no file in the folder where somebody happens to be takes the place of a module."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
NICE = 10
"""The server and the browser come first, however busy the workers are."""
UNREAD_BYTES = 4_000_000
"""A worker is read no further while so much of what it said has not been passed on."""
STDIN, STDOUT, STDERR = 0, 1, 2


class Worker(asyncio.SubprocessProtocol):
    """A process that computes. ``messages`` ends when it has ended and everything that it said was heard."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._transport: Any = None
        self._splitter = Splitter()
        self._heard: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._unread = 0
        self._reading = True
        self._deaf = False
        self._waiting: deque[Piece] = deque()
        self._waiting_bytes = 0
        self._may_write = True
        self._words = _LastWords()
        self._over = asyncio.Event()

    @classmethod
    async def start(cls, command: Sequence[str], limits: Limits) -> Worker:
        """Start a process; OSError where there can be no further one.

        It leads a group, which can be killed, and no session: Linux gives sessions equal shares of the processors (its
        autogroups), and priorities count within them only, so that ten workers left the browser an eleventh.
        """
        loop = asyncio.get_running_loop()
        _, worker = await loop.subprocess_exec(
            lambda: cls(limits), *command, env=os.environ | ONE_THREAD, process_group=0
        )
        return worker

    @property
    def pid(self) -> int:
        """Its process, which may have ended."""
        return int(self._transport.get_pid())

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return not self._over.is_set() and self._transport.get_returncode() is None

    @property
    def ending(self) -> str:
        """How it ended, with the last line that it wrote to standard error."""
        return f"{_manner(self._transport.get_returncode())}{self._words}"

    # -- speaking

    def has_room(self, piece: Piece) -> bool:
        """Whether one more message may wait for it."""
        limits = self._limits
        return len(self._waiting) < limits.queued and self._waiting_bytes + len(piece.body) <= limits.queued_bytes

    def send(self, piece: Piece) -> None:
        """Have a message written as soon as the pipe takes it; never waits."""
        self._waiting.append(piece)
        self._waiting_bytes += len(piece.body)
        self._write()

    def _write(self) -> None:
        pipe = self._transport.get_pipe_transport(STDIN)
        while self._may_write and self._waiting and not pipe.is_closing():
            piece = self._waiting.popleft()
            self._waiting_bytes -= len(piece.body)
            pipe.write(head(piece))
            pipe.write(piece.body)

    # -- listening

    async def next(self) -> Piece | None:
        """What it says next; None when it has ended."""
        piece = await self._heard.get()
        if piece is not None:
            self._unread -= len(piece.body)
            self._regulate()
        return piece

    def _regulate(self) -> None:
        """Stop reading where too much is unread, and go on where that has been passed on."""
        if self._over.is_set() or self._reading == (self._unread < UNREAD_BYTES):
            return
        self._reading = not self._reading
        pipe = self._transport.get_pipe_transport(STDOUT)
        if pipe is not None and not pipe.is_closing():
            if self._reading:
                pipe.resume_reading()
            else:
                pipe.pause_reading()

    # -- ending

    async def end(self) -> None:
        """Close its input, which tells it to end; kill it, and what it has started, if it does not."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self._transport.get_pipe_transport(STDIN).close()
        self._discard()
        await self._wait_over(self._limits.grace_s)
        if not self._over.is_set():
            self.kill()
            await self._wait_over(self._limits.grace_s)
        self._transport.close()  # what has left its group may still hold the pipes

    def kill(self) -> None:
        """End it and its group at once."""
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._transport.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)  # it leads a group, which has its number

    async def _wait_over(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    def _discard(self) -> None:
        """Nobody listens any more. It is still read, since its end is not seen otherwise."""
        self._deaf, self._unread = True, 0
        self._regulate()

    # -- what asyncio calls

    def connection_made(self, transport: Any) -> None:
        """It runs."""
        self._transport = transport
        if sys.platform != "win32":
            with suppress(OSError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It said something."""
        if fd == STDERR:
            self._words.add(data)
        elif not self._deaf:
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        try:
            pieces = self._splitter.feed(data)
        except GarbledError:
            self._words.add(b"\nit wrote something to its output that is no message\n")
            self.kill()
            return
        for piece in pieces:
            self._unread += len(piece.body)
            self._heard.put_nowait(piece)
        self._regulate()

    def pause_writing(self) -> None:
        """Its pipe is full."""
        self._may_write = False

    def resume_writing(self) -> None:
        """There is room again."""
        self._may_write = True
        self._write()

    def process_exited(self) -> None:
        """It has ended; what it has started ends with it, and no one else keeps its pipes open for long."""
        self.kill()
        asyncio.get_running_loop().call_later(self._limits.grace_s, self._transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended and its pipes are closed."""
        self._transport.close()  # which it does not say of itself, so that Python would warn
        self._over.set()
        self._heard.put_nowait(None)


class _LastWords:
    """The last 20 lines that a process wrote to standard error."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=20)
        self._rest = b""

    def add(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._lines.extend(line[:500] for line in lines if line.strip())
        self._rest = rest[-10_000:]  # a line without end

    def __str__(self) -> str:
        last = self._rest.strip()[:500] or (self._lines[-1] if self._lines else b"")
        words = "".join(c if c.isprintable() else " " for c in last.decode("utf-8", "replace"))
        return f": {words.strip()}" if words.strip() else ""


def _manner(code: int | None) -> str:
    if code is None:
        return "was lost"
    if code == -9:
        return "was killed (SIGKILL), perhaps because there was too little memory"
    if code < 0:
        return f"was ended by {_signal(-code)}"
    return f"ended with status {code}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
