"""Contestants take turns in processes of their own; one that fails is named, and none is left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nnkit.bench import Contestant, take_turns

CODE = """
import os, sys, time
from pathlib import Path

def turn(log, name):
    print("what a framework prints is no answer")
    def block():
        with open(log, "a") as file:
            file.write(name)
        time.sleep(0.01)
    return block, 4

def broken(text):
    raise ValueError(text)

def gone():
    os._exit(7)

def fails_later():
    calls = []
    def block():
        calls.append(1)
        if len(calls) > 3:
            os._exit(9)
    return block, 1

def waits(pid):
    Path(pid).write_text(str(os.getpid()))
    return (lambda: time.sleep(60) if Path(pid).with_suffix(".go").exists() else None), 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contest_for_tests.py").write_text(CODE)
    return tmp_path


def contestant(folder: Path, function: str, **arguments: object) -> Contestant:
    return Contestant("contest_for_tests", function, arguments, folder)


def test_they_take_turns_after_a_warm_up(folder: Path) -> None:
    log = folder / "log"
    both = {name: contestant(folder, "turn", log=str(log), name=name) for name in "ab"}
    seconds, reasons = take_turns(both, rounds=3)
    assert reasons == {}
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}
    assert all(0.0025 <= each < 0.25 for times in seconds.values() for each in times)  # of one step of four
    assert log.read_text() == "aabb" + "ababab"


@pytest.mark.slow
def test_one_that_cannot_run_is_told_and_the_others_go_on(folder: Path) -> None:
    field = {
        "fine": contestant(folder, "turn", log=os.devnull, name=""),
        "broken": contestant(folder, "broken", text="no such thing"),
        "gone": contestant(folder, "gone"),
        "later": contestant(folder, "fails_later"),
        "absent": Contestant("no_such_module", "step", {}),
    }
    seconds, reasons = take_turns(field, rounds=2)
    assert list(seconds) == ["fine"]
    assert reasons["broken"] == "ValueError: no such thing"
    assert reasons["gone"] == "its process ended with status 7; NNKIT_TRACEBACK=1 in the environment shows why"
    assert reasons["later"].startswith("its process ended with status 9")
    assert reasons["absent"] == "ModuleNotFoundError: No module named 'no_such_module'"


def test_no_process_is_left_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = folder / "pid"

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        take_turns({"one": contestant(folder, "waits", pid=str(pid))}, rounds=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
