"""What the process that reads a file may still do: little, and nothing outside itself."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path

from nnkit.checkpoint.apart.filter import only_reading

MEMORY, TIMES = 256_000_000, 2  # bytes, and bytes for each byte of the file
LONGEST_ERROR = 20_000  # bytes of a message
SECONDS, RATE = 20, 20_000_000  # of work, and bytes that are read in one more


def memory_bytes(file_bytes: int) -> int:
    """What reading a file of this size may take beyond what the process has when it begins."""
    return MEMORY + TIMES * file_bytes


def work_s(file_bytes: int) -> int:
    """Processor time for it, beyond what the process took to begin: a slow machine loads modules for seconds."""
    return SECONDS + file_bytes // RATE


def confine(file_bytes: int) -> None:
    """Give up memory, time, files and processes for good; what has been opened before can still be read and written.

    Memory is limited where the system says what the process has (Linux), and system calls where ``only_reading`` can.
    """
    import resource

    present = _present()
    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": 0,
        "RLIMIT_NPROC": 0,
    }
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))
    most = math.ceil(time.process_time()) + work_s(file_bytes)
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))  # the first says why it ends the process
    if present is not None:
        most = present + memory_bytes(file_bytes)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    only_reading()


def _present() -> int | None:
    """The address space that the process has, in bytes."""
    import resource

    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return None
