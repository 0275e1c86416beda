"""What a process that reads a file may do once the file has taken it over. Each runs in place of the real reader."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nnkit.checkpoint.apart import limits, wire
from nnkit.checkpoint.apart.child import _answers_alone, _asked

TRIED = (
    "write a file", "append to a file", "read a file", "remove a file", "rename a file", "make a folder",
    "list a folder", "start a program", "fork", "connect", "listen", "signal the parent", "raise its limits",
    "make code", "trace", "change its user",
)  # fmt: skip
"""What is tried by ``_actions``. Where it works it must do no harm: files are those of the test's own folder."""


def begun(file_bytes: int = 10_000) -> tuple[Callable[[memoryview], int], Path]:
    """As the real one begins, up to the point where it has looked at the file; and the folder of that."""
    write = _answers_alone()
    folder = Path(json.loads(_asked())).parent
    limits.confine(file_bytes)
    wire.sent(write, wire.PLAIN, b"null")
    return write, folder


def reports() -> None:
    """Try everything, and answer the next question with what was possible."""
    _tried_all(*begun())


def reports_without_filter() -> None:
    """The same on a system that cannot filter calls."""
    limits.only_reading = lambda: False
    _tried_all(*begun())


def _tried_all(write: Callable[[memoryview], int], folder: Path) -> None:
    possible = [name for name, action in zip(TRIED, _actions(folder), strict=True) if _works(action)]
    _asked()
    wire.sent(write, wire.RAW, "\n".join(possible).encode())


def _works(action: Callable[[], object]) -> bool:
    try:
        action()
    except Exception:  # what it finds closed, Python tells in many ways
        return False
    return True


def _actions(folder: Path) -> Iterator[Callable[[], object]]:
    yield lambda: (folder / "new").write_text("x")
    yield lambda: (folder / "kept").open("a").write("x")
    yield lambda: (folder / "kept").read_text()
    yield lambda: (folder / "removed").unlink()
    yield lambda: (folder / "moved").rename(folder / "elsewhere")
    yield lambda: (folder / "made").mkdir()
    yield lambda: os.listdir(folder)
    yield lambda: subprocess.run(["true"], check=True)
    yield _forked
    yield lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)
    yield lambda: socket.socket().bind(("127.0.0.1", 0))
    yield lambda: os.kill(os.getppid(), 0)  # which sends nothing
    yield lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    yield lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    yield _traced
    yield lambda: os.setuid(1000)


def _forked() -> None:
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)  # its end is a signal, which would stop a process that is traced


def _traced() -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0):
        raise OSError


def crashes() -> None:
    """As a wild pointer does."""
    begun()
    ctypes.string_at(0)


def aborts() -> None:
    """As the C library does when its heap is damaged."""
    begun()
    os.abort()


def crashes_before() -> None:
    """Before it has said anything."""
    ctypes.string_at(0)


def loops() -> None:
    """For ever, at full speed."""
    limits.SECONDS = 1
    begun()
    while True:
        pass


def begins_slowly() -> None:
    """Takes more processor time to load its modules than it may for the file, and then a little."""
    limits.SECONDS = 1
    _busy(2.5)
    write, _ = begun()
    _busy(0.2)
    _asked()
    wire.sent(write, wire.PLAIN, b"true")


def _busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def sleeps() -> None:
    """For ever, at none."""
    begun()
    time.sleep(1000)


def is_killed() -> None:
    """As by the system when memory is short."""
    limits.only_reading = lambda: False
    begun()
    os.kill(os.getpid(), signal.SIGKILL)


def allocates() -> None:
    """10 GB, as a file may ask for, and says so."""
    write, _ = begun()
    try:
        bytearray(10**10)
    except MemoryError:
        wire.sent(write, wire.FULL)


def takes_a_little_at_a_time() -> None:
    """Until there is no more; what it had is counted."""
    (write, _), kept = begun(), []
    try:
        while len(kept) < 100:
            kept.append(bytearray(10**7))
    except MemoryError:
        count = len(kept)
        kept.clear()
    wire.sent(write, wire.PLAIN, str(count).encode())


def leaves() -> None:
    """Without a word."""
    begun()
    os._exit(3)


def garbage() -> None:
    """Other bytes than any that are meant."""
    os.write(1, b"<html>" * 100)
    time.sleep(1000)


def too_much() -> None:
    """More than was asked."""
    write, _ = begun()
    wire.sent(write, wire.RAW, bytes(50_000_000))


def too_little() -> None:
    """Less than it announced."""
    write, _ = begun()
    write(memoryview(wire.HEAD.pack(wire.PLAIN, 48)))
    write(memoryview(bytes(40)))
    os._exit(0)


def exabytes() -> None:
    """Announced alone."""
    write, _ = begun()
    write(memoryview(wire.HEAD.pack(wire.RAW, 2**63)))
    time.sleep(1000)


def deaf() -> None:
    """Asks for nothing and answers nothing."""
    begun()
    while True:
        time.sleep(1)


def other_type() -> None:
    """JSON, but not of what was asked."""
    write, _ = begun()
    wire.sent(write, wire.PLAIN, b'{"a": 1}')


def no_json() -> None:
    """None at all."""
    write, _ = begun()
    wire.sent(write, wire.PLAIN, b"truth")


def lies() -> None:
    """The error that it tells would clear the terminal."""
    write, _ = begun()
    wire.sent(write, wire.REFUSED, b"net.h5 \x1b[2J\nall is well\xff")


def endless_error() -> None:
    """A message without end."""
    write, _ = begun()
    wire.sent(write, wire.REFUSED, bytes(10_000_000))


def other_numbers() -> None:
    """As many as were asked for, with the wrong values."""
    write, _ = begun()
    wire.sent(write, wire.PLAIN, b"null")
    wire.sent(write, wire.RAW, bytes(48))
