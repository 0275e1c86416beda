"""The process that reads a file: what it can still do, and what the reader makes of one that went wrong."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnkit.checkpoint.apart import limits, process, wire
from nnkit.checkpoint.apart.process import Process, check_possible, reading
from nnkit.checkpoint.apart.remote import Remote
from nnkit.errors import ArgumentError, FileError
from tests.checkpoint.apart import bad
from tests.checkpoint.files import WEIGHT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are as POSIX has them")
FILTERED = sys.platform == "linux" and platform.machine() == "x86_64"
ADVICE = "; the file may be damaged, or made to harm its reader: do not open it in other ways, and use another copy"
UNASKED = "gave an answer that nobody had asked for"


@contextmanager
def _reading(path: Path, entry: str) -> Iterator[Process]:
    """With one of the bad readers."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with reading(path, handle, f"tests.checkpoint.apart.bad:{entry}") as started:
            yield started
    finally:
        os.close(handle)


def _report(path: Path, entry: str) -> set[str]:
    """What was possible, in a folder with a few files."""
    for name in ("kept", "removed", "moved"):
        (path.parent / name).touch()
    with _reading(path, entry) as started:
        assert started.answer(wire.PLAIN, 100) == b"null"
        started.ask(["text", ["training"]])
        return set(started.answer(wire.RAW, 1000).decode().split("\n")) - {""}


@pytest.mark.skipif(not FILTERED, reason="the filter is for Linux on x86-64")
def test_nothing_outside_can_be_reached(saved: Path) -> None:
    assert _report(saved, "reports") == set()
    assert sorted(os.listdir(saved.parent)) == ["kept", "moved", "net.h5", "removed"]


def test_without_a_filter_files_and_sockets_cannot_be_opened(saved: Path) -> None:
    found = _report(saved, "reports_without_filter")
    assert not found & {"write a file", "append to a file", "read a file", "connect", "listen", "start a program"}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("crashes", r"crashed \(SIGSEGV\)"),
        ("aborts", r"crashed \(SIG(ABRT|SEGV|ILL|TRAP)\)"),
        ("loops", "took too much processor time"),
        ("is_killed", "was ended by the system, as happens when memory is short"),
        ("leaves", r"ended before it had answered \(status 3\)"),
        ("too_much", UNASKED),
        ("too_little", r"ended before it had answered \(status 0\)"),
        ("exabytes", UNASKED),
        ("other_type", UNASKED),
        ("no_json", UNASKED),
        ("endless_error", UNASKED),
    ],
)
def test_one_that_goes_wrong_after_it_began(saved: Path, entry: str, reason: str) -> None:
    with _reading(saved, entry) as started:
        assert started.answer(wire.PLAIN, 100) == b"null"
        with pytest.raises(FileError, match=f"net.h5: the process that read it {reason}{ADVICE}"):
            Remote(started).has("format")


@pytest.mark.parametrize(("entry", "reason"), [("crashes_before", r"crashed \(SIGSEGV\)"), ("garbage", UNASKED)])
def test_one_that_goes_wrong_at_once(saved: Path, entry: str, reason: str) -> None:
    with _reading(saved, entry) as started, pytest.raises(FileError, match=f"that read it {reason}{ADVICE}"):
        started.answer(wire.PLAIN, 100)


def test_time_is_counted_from_the_file_on(saved: Path) -> None:
    with _reading(saved, "begins_slowly") as started:
        assert started.answer(wire.PLAIN, 100) == b"null"
        assert Remote(started).has("format")


def test_one_that_does_not_answer(saved: Path) -> None:
    with _reading(saved, "sleeps") as started:
        started.answer(wire.PLAIN, 100)
        started._deadline = wire.Deadline(0.3)
        start = time.monotonic()
        with pytest.raises(
            FileError, match=r"net.h5: the process that read it did not answer within 0 s; the file may"
        ):
            Remote(started).has("format")
        assert time.monotonic() - start < 5
    assert started._started.returncode == -9


def test_one_that_does_not_listen(saved: Path) -> None:
    with _reading(saved, "deaf") as started:
        started.answer(wire.PLAIN, 100)
        started._deadline = wire.Deadline(0.3)
        with pytest.raises(FileError, match=r"did not answer within 0 s"):
            started.ask(["check_top", ["x" * 10_000_000]])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say how much memory a process has")
def test_memory_ends_where_the_limit_is(saved: Path) -> None:
    with _reading(saved, "allocates") as started:
        started.answer(wire.PLAIN, 100)
        with pytest.raises(
            FileError, match=r"net.h5 needs more than 256 MB to be read, which its size does not explain"
        ):
            Remote(started).has("format")
    with _reading(saved, "takes_a_little_at_a_time") as started:
        started.answer(wire.PLAIN, 100)
        assert 10 <= int(started.answer(wire.PLAIN, 100)) <= 25  # of 10 MB each


def test_what_it_says_is_made_harmless(saved: Path) -> None:
    with _reading(saved, "lies") as started:
        started.answer(wire.PLAIN, 100)
        with pytest.raises(FileError) as caught:
            Remote(started).has("format")
    assert str(caught.value) == r"net.h5 \x1b[2J\nall is well\xff"


def test_values_are_checked_again(saved: Path) -> None:
    with _reading(saved, "other_numbers") as started:
        started.answer(wire.PLAIN, 100)
        remote = Remote(started)
        remote.check_sizes({WEIGHT: (3, 4)}, "float32")
        with pytest.raises(FileError, match=f"/{WEIGHT} does not have the checksum that was saved with it, so some of"):
            remote.numbers(WEIGHT, "0" * 64)


def test_where_it_is_not_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "")
        with pytest.raises(ArgumentError, match=r"there is no Python to start \(sys.executable is empty\)"):
            check_possible()
    monkeypatch.setattr(process.os, "name", "nt")
    with pytest.raises(ArgumentError, match=r"needs Linux, macOS or another POSIX system; here only files that you"):
        check_possible()


def test_limits_grow_with_the_file() -> None:
    assert limits.memory_bytes(0) == 256_000_000
    assert limits.memory_bytes(10**9) == 2_256_000_000
    assert limits.work_s(0) == 20
    assert limits.work_s(10**9) == 70


def test_where_memory_is_not_told_it_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits._present() is None or limits._present() > 10**7  # type: ignore[operator]
    monkeypatch.setattr(Path, "read_text", lambda self: (_ for _ in ()).throw(OSError()))
    assert limits._present() is None


def test_no_process_is_left(saved: Path) -> None:
    started = None

    def interrupted() -> None:
        nonlocal started
        with _reading(saved, "sleeps") as started:
            started.answer(wire.PLAIN, 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert started is not None
    assert started._started.returncode == -9


def test_every_bad_reader_is_tried() -> None:
    source = Path(__file__).read_text()
    entries = [name for name, thing in vars(bad).items() if getattr(thing, "__module__", "") == bad.__name__]
    assert [
        name for name in entries if not name.startswith("_") and name != "begun" and f'"{name}"' not in source
    ] == []
