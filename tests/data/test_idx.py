"""IDX files, whole and damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from nnkit.data import idx
from nnkit.data.idx import read_idx
from nnkit.errors import FileError

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
HEADER = bytes.fromhex("00000803 00000002 00000003 00000004")
WHOLE = HEADER + IMAGES.tobytes()


@pytest.mark.parametrize("packed", [True, False])
def test_packed_or_not_whatever_the_name(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE) if packed else WHOLE)
    np.testing.assert_array_equal(read_idx(path, 3), IMAGES)


HUGE = HEADER[:4] + b"\xff" * 12
DAMAGED = {
    "empty": (b"", r"starts with '', expected '00000803'; check which file it is"),
    "text": (b"<html>", r"is not an IDX file of unsigned bytes with 3 dimensions: it starts with '3c68746d'"),
    "labels": (bytes.fromhex("00000801"), r"starts with '00000801', expected '00000803'"),
    "floats": (bytes.fromhex("00000d03"), r"starts with '00000d03'"),
    "header": (HEADER[:9], r"is truncated within its header; delete it and download it again"),
    "one byte less": (WHOLE[:-1], r"is truncated: 23 of 24 bytes of data for shape \(2, 3, 4\); delete it"),
    "one byte more": (WHOLE + b"\0", r"goes on after its end: more than 24 bytes of data"),
    "no rows": (HEADER[:4] + bytes(4) + HEADER[8:], r"declares the shape \(0, 3, 4\), which no data set has"),
    "a huge shape": (HUGE, r"declares the shape \(4294967295, 4294967295, 4294967295\)"),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_named(tmp_path: Path, content: bytes, message: str, packed: bool) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(FileError, match=r"train-images-idx3-ubyte.gz.*" + message):
        read_idx(path, 3)


@pytest.mark.parametrize("keep", [3, 20, -9, -4])
def test_truncated_gzip_data(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE)[:keep])
    with pytest.raises(FileError, match=r"images.gz cannot be read: .*; delete it and download it again"):
        read_idx(path, 3)


def test_a_flipped_bit_in_gzip_data(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(WHOLE))
    content[-6] ^= 1  # in the checksum
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"images.gz cannot be read: CRC check failed"):
        read_idx(path, 3)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE + bytes(50_000_000)))
    with pytest.raises(FileError, match=r"goes on after its end"):
        read_idx(path, 3)
    monkeypatch.setattr(idx, "_LIMIT_BYTES", 23)
    with pytest.raises(FileError, match=r"declares the shape \(2, 3, 4\), which no data set has"):
        read_idx(path, 3)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nothing.gz does not exist; put the file there, or leave the folder out"):
        read_idx(tmp_path / "nothing.gz", 3)
