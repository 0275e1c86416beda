"""Loads files in a process of its own and says of each what came of it, how long it took, and what it touched.

    python -m tests.checkpoint.hostile.measured < cases.jsonl

A line is ``[name, path]``; so is an answer, a JSON object. Memory is the peak of the whole process as Linux counts it,
the library included; files are watched with inotify, and what Python itself is asked to do, with an audit hook.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import os
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nnkit
from nnkit.nn.serial import to_config
from tests.checkpoint.files import ROWS, small

NO_HARM = ("object.", "sys._", "builtins.id", "warnings", "cpython.", "code.__new__", "gc.")
WATCHED = 0xFFF  # of inotify: all that can happen to a file
DONE_TO = {0x1: "read", 0x2: "changed", 0x20: "opened", 0x100: "made", 0x200: "removed"}


class Audit:
    """What Python did that reaches outside, while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._noted)

    def _noted(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and not event.startswith(NO_HARM):
            self.seen.append(f"{event} {arguments[:1]!r:.200}")


class Watch:
    """What happens to the files of folders. There is one for all of them, because closing one takes the system long."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(os.O_NONBLOCK)

    def add(self, *folders: Path) -> list[int]:
        """Begin with these."""
        added = [self._libc.inotify_add_watch(self._handle, os.fsencode(folder), WATCHED) for folder in folders]
        assert min(added) >= 0
        return added

    def seen(self, added: list[int]) -> set[str]:
        """What happened there, and to which file; that is the end of it."""
        found = set()
        try:
            data = os.read(self._handle, 1 << 16)
        except BlockingIOError:
            data = b""
        for one in added:
            self._libc.inotify_rm_watch(self._handle, one)
        while data:
            which, mask, _, length = struct.unpack_from("iIII", data)
            name = data[16 : 16 + length].rstrip(b"\0").decode()
            found |= {f"{what} {name}" for bit, what in DONE_TO.items() if mask & bit and which in added}
            data = data[16 + length :]
        return found


def memory(figure: str) -> float:
    """A figure of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{figure}:")[1].split()[0]) / 1000


@contextmanager
def measured(answer: dict[str, Any]) -> Iterator[None]:
    """Seconds of work, seconds that passed and growth of what the block does, added to an answer."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what there is
    before, wall, work = memory("VmRSS"), time.perf_counter(), time.process_time()
    yield
    answer["wall_s"], answer["work_s"] = time.perf_counter() - wall, time.process_time() - work
    answer["growth_mb"] = memory("VmHWM") - before


def outcome(action: Callable[[], object]) -> dict[str, Any]:
    """What an action gave: nothing, or an error; and its warnings."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            action()
            found = {"error": None}
        except Exception as error:
            found = {"error": type(error).__name__, "message": str(error)}
    return found | {"warnings": [str(each.message) for each in said]}


def main() -> None:
    """Answer each line."""
    codecs.lookup("ascii")  # they are imported when they are used
    audit, watch = Audit(), Watch()
    living, module = small(), small().module
    was = living.predict(ROWS).tolist(), to_config(module), sorted(vars(module))
    for line in sys.stdin:
        name, place = json.loads(line)
        path = Path(place)
        added = watch.add(path.parent, path.parent / "plugins")
        answer: dict[str, Any] = {"name": name}
        with measured(answer):
            audit.on = True
            answer |= outcome(lambda path=path: nnkit.load(path))
            audit.on = False
        answer["seen"], answer["events"] = sorted(watch.seen(added)), audit.seen[:]
        audit.seen.clear()
        answer["into"] = outcome(lambda path=path: nnkit.load(path, into=module))
        answer["unchanged"] = (living.predict(ROWS).tolist(), to_config(module), sorted(vars(module))) == was
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
