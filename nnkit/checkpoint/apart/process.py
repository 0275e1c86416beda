"""Starting the process that reads a file, hearing from it, and ending it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nnkit.checkpoint.apart import wire
from nnkit.checkpoint.apart.limits import LONGEST_ERROR, memory_bytes, work_s
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError, FileError

READER = "nnkit.checkpoint.apart.child:main"
ROOT = Path(__file__).parents[3]
BOOT = """
import importlib, sys
name, sys.path[:] = sys.argv[2], sys.argv[3:]
module, _, function = name.partition(":")
getattr(importlib.import_module(module), function)()
"""
PASSED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
ALONE = {  # one thread, because a filter of system calls is for one; and no plug-ins
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "HDF5_PLUGIN_PRELOAD": "::",
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "LC_ALL": "C",
}
WAIT_S = 10  # beyond twice the processor time that it may take
ADVICE = "the file may be damaged, or made to harm its reader: do not open it in other ways, and use another copy"


class Process:
    """One process that reads one file. Nothing that it says is taken for granted."""

    def __init__(self, path: Path, started: subprocess.Popen[bytes], file_bytes: int) -> None:
        assert started.stdin is not None
        assert started.stdout is not None
        self.path = path
        self._started = started
        self._bytes = file_bytes
        self._in, self._out = started.stdin.fileno(), started.stdout.fileno()
        os.set_blocking(self._in, False)  # who does not listen is late
        self._deadline = wire.Deadline(WAIT_S + 2.0 * work_s(file_bytes))

    def ask(self, question: Any) -> None:
        """Send a question."""
        with self._heard(), suppress(BrokenPipeError):  # what became of it is found when the answer is read
            wire.sent(self._write, wire.PLAIN, json.dumps(question).encode())

    def _write(self, data: memoryview) -> int:
        self._deadline.wait(self._in, writing=True)
        return os.write(self._in, data)

    def answer(self, letter: bytes, most: int) -> bytes:
        """The answer, which has this letter and at most so many bytes."""
        with self._heard():
            return wire.received(self._out, self._size(letter, range(most + 1)), self._deadline)

    def answer_into(self, values: Array) -> None:
        """The answer, which is as many bytes as an array has, into the array."""
        with self._heard():
            self._size(wire.RAW, range(values.nbytes, values.nbytes + 1))
            wire.received_into(self._out, values, self._deadline)

    def _size(self, letter: bytes, possible: range) -> int:
        found, size = wire.head(self._out, self._deadline)
        if found == wire.FULL and size == 0:
            megabytes = memory_bytes(self._bytes) // 10**6
            raise FileError(f"{self.path} needs more than {megabytes:,} MB to be read, which its size does not explain")
        if found == wire.REFUSED and size <= LONGEST_ERROR:
            raise FileError(_printable(wire.received(self._out, size, self._deadline)))
        if found != letter or size not in possible:
            raise wire.BrokenError("gave an answer that nobody had asked for")
        return size

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """What comes of a process that ends, is late or talks nonsense, as an error of the file."""
        try:
            yield
        except wire.BrokenError as broken:
            ending = _ending(self._started) if "ended" in str(broken) else None
            raise FileError(f"{self.path}: the process that read it {ending or broken}; {ADVICE}") from broken


@contextmanager
def reading(path: Path, handle: int, entry: str = READER) -> Iterator[Process]:
    """A process for an open file. It ends with the block, whatever it is doing.

    Args:
        path: the name of the file, for messages alone.
        handle: the open file, which is all that the process gets of the system.
        entry: module and function that it runs.
    """
    check_possible()
    folders = [str(ROOT), *filter(os.path.isabs, sys.path)]  # not the folder that one happens to be in
    command = [sys.executable, "-I", "-S", "-B", "-c", BOOT, str(handle), entry, *folders]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(handle,),
        cwd="/",
        env=ALONE | {name: os.environ[name] for name in PASSED if name in os.environ},
        start_new_session=True,
        bufsize=0,
    ) as started:
        try:
            process = Process(path, started, os.fstat(handle).st_size)
            process.ask(str(path))
            yield process
        finally:
            started.kill()


def check_possible() -> None:
    """Refuse where processes cannot be limited."""
    if os.name != "posix":
        raise ArgumentError(
            "reading a file in a process with limits needs Linux, macOS or another POSIX system; here only files that "
            "you trust can be read, without untrusted=True (nnkit inspect --trusted)"
        )
    if not sys.executable:
        raise ArgumentError("there is no Python to start (sys.executable is empty) that could read the file apart")


def _ending(started: subprocess.Popen[bytes]) -> str:
    """How it ended."""
    with suppress(subprocess.TimeoutExpired):
        status = started.wait(timeout=5)
        if status == -signal.SIGXCPU:
            return "took too much processor time"
        if status == -signal.SIGKILL:
            return "was ended by the system, as happens when memory is short"
        if status < 0:
            return f"crashed ({signal.Signals(-status).name})"
        return f"ended before it had answered (status {status})"
    return "closed its output and went on"


def _printable(text: bytes) -> str:
    """Text from a process that is not trusted, for a message on a terminal."""
    plain = text.decode("utf-8", "backslashreplace")
    return plain if plain.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in plain)
