"""Saving is whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.checkpoint.stream import Stream
from nnkit.data import Preprocessing, Scaling
from nnkit.errors import ArgumentError, DataError, FileError
from tests.checkpoint.files import ROWS, small


def other() -> nnkit.Network:
    """As the small network, with other values and larger."""
    return nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=9)


def test_two_saves_in_a_row(saved: Path) -> None:
    net = other()
    net.save(saved)
    assert np.array_equal(nnkit.load(saved).predict(ROWS), net.predict(ROWS))
    assert os.listdir(saved.parent) == ["net.h5"]


def test_a_failure_at_any_write_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, count = saved.read_bytes(), _writes(monkeypatch, saved.parent / "count.h5")
    (saved.parent / "count.h5").unlink()
    assert count > 10
    for number in range(count):
        with monkeypatch.context() as patch:
            _fail_at(patch, number, OSError(errno.ENOSPC, "No space left on device"))
            with pytest.raises(FileError, match=r"could not be written: No space left on device; check free space and"):
                other().save(saved)
        assert saved.read_bytes() == before
        assert os.listdir(saved.parent) == ["net.h5"]
    assert np.array_equal(nnkit.load(saved).predict(ROWS), small().predict(ROWS))


def test_an_interrupt_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()
    with monkeypatch.context() as patch:
        _fail_at(patch, 3, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            other().save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["net.h5"]


def _writes(monkeypatch: pytest.MonkeyPatch, path: Path) -> int:
    with monkeypatch.context() as patch:
        calls = _fail_at(patch, -1, OSError())
        other().save(path)
    return len(calls)


def _fail_at(patch: pytest.MonkeyPatch, number: int, error: BaseException) -> list[None]:
    """The write of that number fails, and so do all after it."""
    calls: list[None] = []
    tried = Stream._tried

    def failing(stream: Stream, action: Callable[..., Any], *arguments: Any) -> int:
        if action.__name__ != "write":
            return tried(stream, action, *arguments)
        calls.append(None)
        return tried(stream, _raise if 0 <= number < len(calls) else action, *arguments)

    def _raise(*_: Any) -> int:
        raise error

    patch.setattr(Stream, "_tried", failing)
    return calls


def test_a_write_that_takes_a_part_is_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Stream._tried

    def some(stream: Stream, action: Callable[..., Any], *arguments: Any) -> int:
        if action.__name__ == "write":
            arguments = (arguments[0][:100],)
        return tried(stream, action, *arguments)

    monkeypatch.setattr(Stream, "_tried", some)
    other().save(tmp_path / "net.h5")
    assert np.array_equal(nnkit.load(tmp_path / "net.h5").predict(ROWS), other().predict(ROWS))


def test_a_stream_reads_what_was_written(tmp_path: Path) -> None:
    with (tmp_path / "file").open("xb+", buffering=0) as file:
        stream = Stream(file)
        assert stream.readable()
        assert stream.writable()
        assert stream.seekable()
        stream.write(b"abcdef")
        stream.seek(2)
        assert stream.read(3) == b"cde"
        assert stream.tell() == 5
        stream.truncate(4)
    assert (tmp_path / "file").read_bytes() == b"abcd"


FULL = """
import resource, signal, sys
import nnkit
net = nnkit.FeedForward(inputs=50, hidden=[200], outputs=2)
for limit in (0, 100, 3_000, 20_000, 42_000):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        net.save(sys.argv[1])
        print("saved")
    except nnkit.errors.FileError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the system are set as POSIX has it")
def test_a_disk_that_is_really_full(saved: Path) -> None:
    """The HDF5 library alone would end the process with a segmentation fault."""
    before = saved.read_bytes()
    command = [sys.executable, "-c", FULL, str(saved)]
    paths = os.pathsep.join(str(Path(__file__).parents[2] / part) for part in (".", "backends"))
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": paths}, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("could not be written: File too large") == 5
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["net.h5"]


def test_where_it_cannot_go(tmp_path: Path) -> None:
    net = small()
    with pytest.raises(FileError, match=r"is a folder; add the name of a file, such as .*net.h5"):
        net.save(tmp_path)
    with pytest.raises(
        FileError, match=r"there is no folder .*absent to write net.h5 to; create it, or save elsewhere"
    ):
        net.save(tmp_path / "absent" / "net.h5")
    with pytest.raises(FileError, match=r"could not be written: File name too long"):
        net.save(tmp_path / ("n" * 300))
    for odd in (3, None, b"net.h5", "a\0b"):
        with pytest.raises(ArgumentError, match=r"path must be the name of a file, such as 'net.h5', got"):
            net.save(odd)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_neither_written_nor_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match=r"pipe is no ordinary file; save under another name"):
        small().save(tmp_path / "pipe")
    with pytest.raises(FileError, match=r"pipe is no ordinary file; give the name of a file that net.save wrote"):
        nnkit.load(tmp_path / "pipe")


def test_a_write_protected_file_stays(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match=r"is write-protected; save under another name, or allow writing to it"):
        other().save(saved)
    assert saved.read_bytes() == before


def test_a_folder_that_may_not_be_written_to(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(FileError, match="could not be written: Permission denied; check free space and permissions"):
        other().save(saved)


def test_a_link_is_followed(saved: Path) -> None:
    link = saved.with_name("link.h5")
    link.symlink_to(saved)
    other().save(link)
    assert link.is_symlink()
    assert np.array_equal(nnkit.load(saved).predict(ROWS), other().predict(ROWS))


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    small().save("~/net.h5")
    assert (tmp_path / "net.h5").is_file()
    nnkit.load("~/net.h5")


def test_nan_is_not_saved_over_good_values(saved: Path) -> None:
    net, before = small(), saved.read_bytes()
    net._model.store.write({"layers.2.bias": np.array([1.0, np.nan], np.float32)})
    with pytest.raises(DataError, match=r"'layers.2.bias' holds NaN or infinity, .* with a smaller learning rate"):
        net.save(saved)
    assert saved.read_bytes() == before


@pytest.mark.parametrize(
    ("entry", "value", "reason"),
    [
        ("_classes", "abc", r"has classes 'abc'; it is a list of names, or null"),
        ("_classes", (1, 2), r"has classes \[1, 2\]"),
        ("_classes", (np.ones(2),), r"array\(\[1., 1.\]\) \(ndarray\) has no place in JSON"),
        ("preprocessing", Preprocessing(target=3), r"has target 3; it is a name, or null"),  # type: ignore[arg-type]
        ("preprocessing", Preprocessing(Scaling(np.array([np.nan]), np.ones(1))), r"Out of range float values are not"),
        ("preprocessing", Preprocessing(features=("y" * 5_000_000,)), r"has 5,000,\d+ bytes, more than the 4,000,000"),
    ],
)
def test_what_has_no_place_in_the_file(saved: Path, entry: str, value: Any, reason: str) -> None:
    net, before = small(), saved.read_bytes()
    setattr(net, entry, value)
    with pytest.raises(ArgumentError, match=rf"the network's description {reason}.*; net.classes must be names, and"):
        net.save(saved)
    assert saved.read_bytes() == before
