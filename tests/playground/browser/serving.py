"""``nnkit play`` in a process of its own, as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from tests import mnist_files

ROOT = Path(__file__).parents[3]


class Served(NamedTuple):
    """A server and where it is."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def processes(self) -> set[psutil.Process]:
        """The processes that it has started and that still run."""
        return set(filter(runs, psutil.Process(self.process.pid).children(recursive=True)))


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended, also where it ends at this moment."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def served(log: Path, *words: str) -> Iterator[Served]:
    """A server for the length of the block; it ends by SIGTERM, leaves no process and has complained of nothing."""
    with log.open("w") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "nnkit", "play", *(() if "--port" in words else ("--port", "0")), *words],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            env=_environment(),
        )
        assert process.stdout is not None
        with process.stdout:
            try:
                made = Served(process, process.stdout.readline().strip())
                assert made.url, log.read_text()
                yield made
                _end(made)
            finally:
                process.kill()
                process.wait(10)
    assert log.read_text() == ""


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    data = {"NNKIT_DATA_DIR": str(mnist_files.FOLDER)} if mnist_files.FOUND else {}
    return os.environ | {"PYTHONPATH": path} | data


def _end(server: Served) -> None:
    if server.process.poll() is not None:  # a test has ended it
        return
    started = server.processes()
    server.process.terminate()
    assert server.process.wait(10) == 0
    left = psutil.wait_procs(started, 5)[1]
    assert not left, left
