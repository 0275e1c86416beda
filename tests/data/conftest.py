"""Small files in the format of MNIST, and no proxy between the tests and the loopback."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnkit.data.mnist import PARTS


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def idx_bytes() -> Callable[[np.ndarray], bytes]:
    """Gives an array of unsigned bytes in the IDX format."""
    return _idx_bytes


@pytest.fixture
def part_bytes() -> Callable[..., dict[str, bytes]]:
    """Gives the content of the four files: 30 images of 4 × 4 pixels for training, 10 for testing."""
    return _part_bytes


@pytest.fixture
def write_parts() -> Callable[..., Path]:
    """Writes the four files to a folder, which is made, and returns it."""

    def write(folder: Path, seed: int = 0, packed: bool = True) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for part, content in _part_bytes(seed).items():
            name = f"{part}.gz" if packed else part
            (folder / name).write_bytes(gzip.compress(content) if packed else content)
        return folder

    return write


def _idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def _part_bytes(seed: int = 0) -> dict[str, bytes]:
    random = np.random.default_rng(seed)
    arrays = [
        array
        for rows in (30, 10)
        for array in (random.integers(0, 256, (rows, 4, 4)), np.arange(rows, dtype=np.uint8) % 10)
    ]
    return {part: _idx_bytes(array) for part, array in zip(PARTS, arrays, strict=True)}
