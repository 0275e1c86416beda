"""Files that are no file of nnkit's as a whole: 1 to 10."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np

from nnkit.checkpoint.container import MOST_BYTES
from tests.checkpoint.hostile.case import Case, bytes_case
from tests.checkpoint.raw import sealed, spans

NO_HDF5 = "is not an HDF5 file; give the name of a file that net.save wrote"
DAMAGED = "is damaged: cannot be read|lacks|has no /|cannot be read|does not have the checksum"


class _Harm:
    """What a pickle can do: this one makes a file beside it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


def _zip() -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as file:
        file.writestr("config.json", "{}")
    return buffer.getvalue()


def _npz() -> bytes:
    np.savez(buffer := io.BytesIO(), x=np.ones(3))
    return buffer.getvalue()


KINDS = {
    "text": b"epoch,loss\n1,0.5\n",
    "HTML": b"<!doctype html><title>404</title>",
    "pickle": pickle.dumps(_Harm()),
    "zip": _zip(),
    "npz": _npz(),
}


def _user_block(path: Path) -> None:
    with h5py.File(path) as old, h5py.File(path.with_name("new"), "w", userblock_size=512) as new:
        for name in old:
            old.copy(name, new)
    os.replace(path.with_name("new"), path)


def _instead(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)


def _open_for_writing(path: Path) -> None:
    """As a program leaves it that was killed while it wrote."""
    with h5py.File(path, "w", libver="latest") as file:
        file["format"] = 1
        file.swmr_mode = True
        data = path.read_bytes()
    path.write_bytes(data)


def _half_open(data: bytes) -> bytes:
    """All of it is there, and it says that somebody writes to it."""
    return sealed(data[:8] + b"\3" + data[9:11] + b"\1" + data[12:], spans(data))


def _superblock(data: bytes, version: int) -> bytes:
    return sealed(data[:8] + bytes([version]) + data[9:], spans(data))


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def _sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(MOST_BYTES + 1)


CASES = [
    bytes_case(1, "empty", lambda _: b"", "is empty; use another copy"),
    bytes_case(2, "one byte", lambda _: b"\x89", NO_HDF5),
    bytes_case(2, "one other byte", lambda _: b"{", NO_HDF5),
    *(bytes_case(3, kind, lambda _, data=data: data, NO_HDF5) for kind, data in KINDS.items()),  # type: ignore[misc]
    *(
        bytes_case(
            4,
            f"truncated at {part}/16",
            lambda data, part=part: data[: len(data) * part // 16],  # type: ignore[misc]
            "is empty" if part == 0 else DAMAGED,
        )
        for part in range(16)
    ),
    *(
        bytes_case(
            5, f"a bit flipped at {part}/16", lambda data, part=part: _flipped(data, len(data) * part // 16), "."
        )  # type: ignore[misc]
        for part in range(16)
    ),
    Case(6, "a user block", _user_block, NO_HDF5),
    bytes_case(6, "a zip in front", lambda data: _zip().ljust(512, b"\0") + data, NO_HDF5),
    bytes_case(6, "a program in front", lambda data: b"\x7fELF".ljust(2048, b"\0") + data, NO_HDF5),
    Case(7, "a folder", lambda path: _instead(path, "folder"), "is a folder; give the name"),
    Case(7, "a pipe", lambda path: _instead(path, "pipe"), "is no ordinary file; give the name"),
    Case(7, "a device without end", lambda path: _instead(path, "/dev/zero"), "is no ordinary file"),
    Case(7, "an empty device", lambda path: _instead(path, "/dev/null"), "is no ordinary file"),
    Case(8, "still open for writing", _open_for_writing, "is still open for writing, or what wrote it did not come"),
    bytes_case(8, "whole, and open for writing", _half_open, "is still open for writing"),
    *(
        bytes_case(9, f"superblock {version}", lambda data, version=version: _superblock(data, version), DAMAGED)  # type: ignore[misc]
        for version in (4, 9, 255)
    ),
    Case(10, "over the size limit", _sparse, "has 100,000,000,001 bytes, more than the 100,000,000,000 that are read"),
]
