"""A filter of system calls (seccomp, Linux): the process can compute, read, write what is open, and end.

The programs of the filter are those of the classic packet filter: four numbers for each instruction.
"""

from __future__ import annotations

import ctypes
import errno
import struct
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2  # of prctl
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, MACHINE, THIRD = 0, 4, 32  # where the kernel keeps the call, the machine and the third argument
X86_64, X32 = 0xC000003E, 0x40000000
EXECUTABLE = 4
MEMORY_CALLS = (9, 10)  # mmap and mprotect: not for new code

CALLS: Mapping[str, int] = MappingProxyType(
    {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20,
        "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "getrusage": 98,
        "sysinfo": 99, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_nanosleep": 230, "exit_group": 231, "getrandom": 318,
    }
)  # fmt: skip
"""Those that are left on x86-64; all others fail with EPERM."""


def only_reading() -> bool:
    """Whether the filter is in force from now on, in this process: on Linux, on processors that it was tested on."""
    if sys.platform != "linux" or sys.maxsize < 2**32 or _machine() != "x86_64":
        return False
    program = b"".join(struct.pack("HBBI", *step) for step in _program())
    steps = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(steps))
    call = ctypes.CDLL(None, use_errno=True).prctl
    long = ctypes.c_ulong
    if call(NO_NEW_PRIVILEGES, long(1), long(0), long(0), long(0)):
        return False
    return not call(SECCOMP, long(FILTER), ctypes.c_char_p(header), long(0), long(0))


def _machine() -> str:
    import os

    return os.uname().machine


def _program() -> Iterator[tuple[int, int, int, int]]:
    """Instruction, how many steps to leave out if so and if not, operand."""
    calls = sorted(CALLS.values())
    memory = len(MEMORY_CALLS)
    # From the head, the steps are: each memory call, each other call, fail, allow, look at the third argument.
    fail = memory + len(calls)
    yield LOAD, 0, 0, MACHINE
    yield EQUAL, 0, fail + 2, X86_64
    yield LOAD, 0, 0, NUMBER
    yield AT_LEAST, fail, 0, X32
    for place, number in enumerate(MEMORY_CALLS):
        yield EQUAL, fail + 2 - place - 1, 0, number
    for place, number in enumerate(calls, memory):
        yield EQUAL, fail + 1 - place - 1, 0, number
    yield RETURN, 0, 0, FAIL | errno.EPERM
    yield RETURN, 0, 0, ALLOW
    yield LOAD, 0, 0, THIRD
    yield ANY_BIT, 0, 1, EXECUTABLE
    yield RETURN, 0, 0, FAIL | errno.EPERM
    yield RETURN, 0, 0, ALLOW
