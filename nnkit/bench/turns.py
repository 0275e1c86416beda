"""Contestants that take turns, one framework a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from nnkit.bench.job import Job
from nnkit.errors import NnkitError

PAUSE_S = 0.2
"""Between turns: the threads of a matrix library look out for work for tens of milliseconds after the last of it, and
would take a core from the next contestant."""
TRACEBACK = "NNKIT_TRACEBACK"
END_S = 5.0


class ContestantError(NnkitError, RuntimeError):
    """A contestant that cannot run: its framework is missing, fails, or does not know the network."""


class Contestant(NamedTuple):
    """A function that prepares a block, in a module that the contestant's process imports; ``folder`` is its own."""

    module: str
    function: str
    arguments: Mapping[str, Any]
    folder: Path | None = None


class Turns(NamedTuple):
    """Seconds of a step in every turn, by contestant; and why the others have none."""

    seconds: dict[str, list[float]]
    reasons: dict[str, str]


def take_turns(contestants: Mapping[str, Contestant], rounds: int) -> Turns:
    """Prepare one contestant after the other, then let each run a block in turn, ``rounds`` times.

    They do not prepare at once, since the threads of several matrix libraries hinder each other. No process is left
    behind, whatever happens.
    """
    turns = Turns({}, {})
    ready: dict[str, _Process] = {}
    with ExitStack() as stack:
        for name, contestant in contestants.items():
            process = stack.enter_context(_Process(contestant))
            if _answered(name, process, turns) is not None:
                ready[name] = process
        for _ in range(rounds):
            for name, process in list(ready.items()):
                time.sleep(PAUSE_S)
                process.go()
                answer = _answered(name, process, turns)
                if answer is None:
                    del ready[name]
                else:
                    turns.seconds.setdefault(name, []).append(answer["seconds"])
    return Turns({name: times for name, times in turns.seconds.items() if name in ready}, turns.reasons)


def _answered(name: str, process: _Process, turns: Turns) -> dict[str, Any] | None:
    try:
        return process.answer()
    except ContestantError as error:
        turns.reasons[name] = str(error)
        return None


class _Process:
    """A contestant at work; leaving the block ends it."""

    def __init__(self, contestant: Contestant) -> None:
        arguments = {
            name: value.to_dict() if isinstance(value, Job) else value for name, value in contestant.arguments.items()
        }
        command = [sys.executable, "-m", "nnkit.bench.contestant", contestant.module, contestant.function]
        self._process = subprocess.Popen(
            [*command, json.dumps(arguments)],
            env=_environment(contestant.folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get(TRACEBACK) else subprocess.DEVNULL,
            text=True,
        )

    def go(self) -> None:
        """Tell it to run a block."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # it has ended; the answer that is missing says so
            pass

    def answer(self) -> dict[str, Any]:
        """What it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise ContestantError(f"its process ended with status {status}; {TRACEBACK}=1 in the environment shows why")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise ContestantError(said["error"])
        return said

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *raised: object) -> None:
        """Let it end by itself after its last line, and end it when it does not, or when there is no time for that."""
        try:
            if raised[0] is None:
                self._process.communicate("", timeout=END_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            pass
        finally:
            self._process.kill()
            self._process.communicate()


def _environment(folder: Path | None) -> dict[str, str]:
    """This process's, with the same modules at hand: what it can import, its contestants can."""
    paths = [str(folder)] if folder else []
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *(path or os.getcwd() for path in sys.path)])}
