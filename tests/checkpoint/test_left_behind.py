"""What a killed writer leaves beside its target goes when a training is kept there again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nnkit
from nnkit.checkpoint.target import claim, sweep
from tests.checkpoint.going_on import OPTIONS, Break, X, Y, broken, network

fcntl = pytest.importorskip("fcntl")


def test_it_goes_when_the_training_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    broken(network(), path, 9)
    left = tmp_path / ".run.h5.0123abcd.tmp"
    left.write_bytes(b"half")
    (tmp_path / ".other.h5.0123abcd.tmp").write_bytes(b"of another")
    nnkit.resume(path, X, Y, callbacks=[Break()], progress=False)
    assert sorted(os.listdir(tmp_path)) == [".other.h5.0123abcd.tmp", "run.h5"]


def test_it_goes_when_a_training_begins(tmp_path: Path) -> None:
    (tmp_path / ".run[1].h5.0123abcd.tmp").write_bytes(b"half")
    network().fit(X, Y, checkpoint=tmp_path / "run[1].h5", **OPTIONS)
    assert os.listdir(tmp_path) == ["run[1].h5"]


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    busy = tmp_path / ".run.h5.0123abcd.tmp"
    with busy.open("wb") as file:
        assert claim(file.fileno())
        sweep(tmp_path / "run.h5")
        assert busy.exists()
    sweep(tmp_path / "run.h5")
    assert not busy.exists()


def test_a_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"x")
    (tmp_path / ".run.h5.0123abcd.tmp").symlink_to(tmp_path / "precious")
    sweep(tmp_path / "run.h5")
    assert (tmp_path / "precious").exists()
