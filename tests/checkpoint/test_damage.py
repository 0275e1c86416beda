"""Files that broke: whatever happens to their bytes, they are refused or read as they were."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.checkpoint.container import opened
from nnkit.checkpoint.finite import Tally
from nnkit.errors import FileError, NnkitWarning
from tests.checkpoint.files import ROWS, WEIGHT, edited, replace, small


def _refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        nnkit.load(path)
    return str(caught.value)


def test_any_flipped_bit_of_the_values_is_noticed_by_name(saved: Path) -> None:
    data = saved.read_bytes()
    with h5py.File(saved) as file:
        places = [name for name in _data_sets(file) if name != "checksums"]
        spans = {name: (file[name].id.get_offset(), file[name].id.get_storage_size()) for name in places}
    spans = {name: span for name, span in spans.items() if span[1]}
    assert len(spans) == 17
    for place, (start, size) in spans.items():
        for position in range(start, start + size, max(size // 8, 1)):
            flipped = bytearray(data)
            flipped[position] ^= 1 << position % 8
            message = _refused(saved, bytes(flipped))
            assert f"/{place} " in message
            if place != "format":
                assert "does not have the checksum that was saved with it, so some of it has changed" in message


def _data_sets(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, thing: found.append(name) if isinstance(thing, h5py.Dataset) else None)
    return found


def test_any_flipped_bit_of_the_file_is_noticed(saved: Path) -> None:
    data = saved.read_bytes()
    for position in range(0, len(data), 23):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        assert _refused(saved, bytes(flipped))


def test_truncated_anywhere(saved: Path) -> None:
    data = saved.read_bytes()
    for length in {*range(0, len(data), len(data) // 40), *range(1, 100, 7), len(data) - 1}:
        assert _refused(saved, data[:length])


def test_more_at_the_end_changes_nothing(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"more")
    assert np.array_equal(nnkit.load(saved).predict(ROWS), small().predict(ROWS))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"is empty; use another copy, or save the network again"),
        (b"\x89", r"is not an HDF5 file; give the name of a file that net.save wrote"),
        (b"<html></html>", "is not an HDF5 file"),
        (b"\x80\x04N.", "is not an HDF5 file"),
        (b"PK\x03\x04" + bytes(100), "is not an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n", r"is damaged: cannot be read \(.*; use another copy"),
        (b"\x89HDF\r\n\x1a\n\x09" + bytes(1000), "is damaged: cannot be read"),
    ],
)
def test_not_a_file_of_this_kind(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "net.h5").write_bytes(data)
    with pytest.raises(FileError, match=reason):
        nnkit.load(tmp_path / "net.h5")


def test_nothing_may_stand_before_it(saved: Path) -> None:
    saved.write_bytes(bytes(512) + saved.read_bytes())
    with h5py.File(saved) as file:  # the library looks for a file at 512, 1024, …
        assert "format" in file
    with pytest.raises(FileError, match="is not an HDF5 file"):
        nnkit.load(saved)


def test_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileError, match=r"absent.h5 does not exist; check the name and the folder"):
        nnkit.load(tmp_path / "absent.h5")
    with pytest.raises(FileError, match=r"is a folder; give the name of a file that net.save wrote"):
        nnkit.load(tmp_path)
    with pytest.raises(FileError, match=r"cannot be read: File name too long; check its permissions"):
        nnkit.load(tmp_path / ("n" * 300))


def test_another_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.ones(3)
    with pytest.raises(FileError, match=r"the file has no /format, so that nnkit did not write it; give a file that"):
        nnkit.load(tmp_path / "data.h5")


def test_still_open_for_writing(saved: Path) -> None:
    with h5py.File(saved.with_name("open.h5"), "w", libver="latest") as file:
        file["format"] = 1
        file.swmr_mode = True
        with pytest.raises(FileError, match=r"open.h5 is still open for writing, or what wrote it"):
            nnkit.load(saved.with_name("open.h5"))


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (3, r"/format is 3, and this nnkit \S+ reads versions up to 2; install nnkit \S+ or newer, which wrote it"),
        (0, r"/format is 0, and versions begin at 1; use another copy"),
        (-1, r"/format is -1, and versions begin at 1"),
        (1.0, r"/format has type float64 and shape \(\); it is one whole number"),
        ([1], r"/format has type int64 and shape \(1,\); it is one whole number"),
        (True, r"/format has type bool and shape \(\); it is one whole number"),
        (b"1", r"/format has type .S1 and shape \(\); it is one whole number"),
    ],
)
def test_versions(saved: Path, version: object, reason: str) -> None:
    with h5py.File(saved, "r+") as file:
        replace(file, "format", version)
        file["from the future"] = 1
    with pytest.raises(FileError, match=reason):
        nnkit.load(saved)


def test_a_file_that_may_not_be_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(FileError, match=r"cannot be read: Permission denied; check its permissions"):
        nnkit.load(saved)


def test_nan_in_the_values(saved: Path) -> None:
    values = np.ones((3, 4), np.float32)
    values[0, :2], values[1, 1] = np.nan, -np.inf
    edited(saved, lambda file: file[WEIGHT].write_direct(values))
    with pytest.warns(NnkitWarning, match=f"/{WEIGHT} holds 2 NaN and 1 infinite of 12 values, which"):
        net = nnkit.load(saved)
    assert np.array_equal(net.parameters()["layers.0.weight"], values, equal_nan=True)
    tally = Tally()
    tally.add(values)
    with opened(saved) as file, pytest.raises(FileError, match=f"/{WEIGHT} holds 2 NaN and 1 .*; nnkit saves none, so"):
        tally.tell(file, WEIGHT, strict=True)


def test_nothing_stays_open(saved: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not list open files")
    before = len(os.listdir("/proc/self/fd"))
    nnkit.load(saved)
    saved.write_bytes(saved.read_bytes()[:-1])
    with pytest.raises(FileError):
        nnkit.load(saved)
    assert len(os.listdir("/proc/self/fd")) == before
