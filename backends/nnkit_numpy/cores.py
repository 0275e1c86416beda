"""How many threads a native program may use on this machine."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLES = ("NNKIT_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""The first of them that is set is the most that a person wants."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """Processor cores that this process may keep busy at once: those that there are, as it is allowed, and as told.

    Threads that wait for each other must all run at once; on the second half of a core they would only disturb.
    """
    import psutil

    limits = [_allowed(), psutil.cpu_count(logical=False), _quota(), _wanted()]
    return max(1, min(int(limit) for limit in limits if limit))


def _allowed() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def _quota() -> int | None:
    """What a container may use, if it is limited: ``"200000 100000"`` are two cores."""
    try:
        share, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, int(share) // int(period))
    except (OSError, ValueError):  # not Linux, not in a container, or "max"
        return None


def _wanted() -> int | None:
    given = next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "")
    return int(given) if given.isdigit() and int(given) else None
