"""Files are replaced whole, with their permissions; what is no file is written into."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from nnkit.measure import RunRecord, load_record, replacing
from nnkit.measure.files import is_stream

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions or pipes")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o444, 0o755])
def test_what_replaces_a_file_has_its_permissions(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "numbers.txt"
    target.write_text("old")
    target.chmod(mode)
    with replacing(target) as new:
        new.write_text("new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == mode


@posix
def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    RunRecord().save(pipe)
    reader.join(timeout=10)
    assert read[0].startswith('{\n "format": ')
    assert is_stream(pipe)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_name_that_is_not_unicode_is_read_as_it_was(tmp_path: Path) -> None:
    RunRecord(data={"name": "d\udcff.csv"}).save(tmp_path / "run.json")
    assert load_record(tmp_path / "run.json")["data"]["name"] == "d\udcff.csv"


def test_the_folder_of_a_record_may_be_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    RunRecord().save("~/run.json")
    assert (tmp_path / "run.json").exists()
