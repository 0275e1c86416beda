"""Large networks are written and read in a stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.checkpoint import blocks
from tests.checkpoint.files import ROWS, small

ROOT = Path(__file__).parents[2]
OVERHEAD_MB = 100


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux counts it")
def test_a_gigabyte_takes_no_more_memory_than_it_has(tmp_path: Path) -> None:
    saved, loaded = (_told(what, tmp_path / "net.h5") for what in ("save", "load"))
    assert saved["parameters_mb"] > 1000
    assert saved["growth_mb"] < OVERHEAD_MB
    assert loaded["growth_mb"] - loaded["parameters_mb"] < OVERHEAD_MB


def _told(what: str, path: Path) -> dict[str, Any]:
    paths = os.pathsep.join(str(ROOT / part) for part in (".", "backends"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.checkpoint.large", what, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("compress", [False, True])
def test_pieces_make_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: bool) -> None:
    """As for arrays that are cut along their first axis, along their second, and not at all."""
    monkeypatch.setattr(blocks.blocks, "__defaults__", (64,))
    monkeypatch.setattr(blocks.block_shape, "__defaults__", (64,))
    monkeypatch.setattr("nnkit.checkpoint.writing.SMALL", 0)
    net = nnkit.Sequential([nnkit.nn.Dense(50, "prelu"), nnkit.nn.BatchNorm(), nnkit.nn.Dense(2)], input_shape=(3,))
    net.save(tmp_path / "net.h5", compress=compress)
    again = nnkit.load(tmp_path / "net.h5")
    assert np.array_equal(again.predict(ROWS), net.predict(ROWS))
    with h5py.File(tmp_path / "net.h5") as file:
        found = file["parameters/layers/0/weight"]
        assert found.chunks == ((1, 16) if compress else None)
        assert np.array_equal(found[()], net.parameters()["layers.0.weight"])


def test_compressed_files_are_smaller_and_the_same(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=100, hidden=[100], outputs=1)
    net.set_parameters({"layers.0.weight": np.round(net.parameters()["layers.0.weight"], 1)})
    net.save(tmp_path / "plain.h5")
    net.save(tmp_path / "packed.h5", compress=True)
    assert os.path.getsize(tmp_path / "packed.h5") < os.path.getsize(tmp_path / "plain.h5") / 2
    assert np.array_equal(nnkit.load(tmp_path / "packed.h5").predict(np.eye(100)), net.predict(np.eye(100)))


def test_what_would_unpack_to_too_many_times_its_size_is_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnkit.checkpoint.container.FREE_BYTES", 1000)
    net = nnkit.FeedForward(inputs=1000, hidden=[1000], outputs=1)
    net.set_parameters({"layers.0.weight": np.zeros((1000, 1000))})
    net.save(tmp_path / "net.h5", compress=True)
    assert os.path.getsize(tmp_path / "net.h5") > 4_000_000
    assert nnkit.load(tmp_path / "net.h5").input_shape == (1000,)


def test_compress_is_a_truth_value(tmp_path: Path) -> None:
    with pytest.raises(nnkit.NnkitError, match="compress must be True or False, got 'gzip'"):
        small().save(tmp_path / "net.h5", compress="gzip")  # type: ignore[arg-type]
