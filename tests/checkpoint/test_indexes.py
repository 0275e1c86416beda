"""Sizes of the library's own structures, looked at before it sees them."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.checkpoint import indexes
from nnkit.checkpoint.indexes import check_indexes
from nnkit.checkpoint.lookup3 import lookup3
from nnkit.nn import Dense

BAD = b"BTHD\0\5" + (2**30).to_bytes(4, "little") + bytes(24)


def _ended(data: bytes) -> bytes:
    return data + lookup3(data).to_bytes(4, "little")


@pytest.mark.parametrize("place", [0, 1, 7, 2**20 - 38, 2**20 - 3, 2**20 - 1, 2**20, 2**20 + 5])
def test_a_structure_is_found_wherever_it_stands(place: int) -> None:
    with pytest.raises(ValueError, match=r"has an index in nodes of 1,073,741,824 bytes; 65,536 are the most"):
        check_indexes(io.BytesIO(bytes(place) + _ended(BAD) + bytes(2**20)))


def test_numbers_that_look_like_one_are_none() -> None:
    check_indexes(io.BytesIO(b"x" + BAD + bytes(4)))
    check_indexes(io.BytesIO(BAD))
    check_indexes(io.BytesIO(b"BTHD" * 1000 + b"FRHP" * 1000))


def test_the_first_may_be_right_and_the_next_wrong() -> None:
    good = _ended(b"BTHD\0\5" + (512).to_bytes(4, "little") + b"\x0b" + bytes(23))
    with pytest.raises(ValueError, match="has an index in nodes of"):
        check_indexes(io.BytesIO(good * 30_000 + _ended(BAD)))


@pytest.mark.parametrize("libver", ["v108", "latest"])
def test_names_as_the_library_writes_them_are_within_the_limits(tmp_path: Path, libver: str) -> None:
    path = tmp_path / "large.h5"
    with h5py.File(path, "w", libver=(libver, libver)) as file:
        for number in range(5000):
            file.create_group(f"{'n' * (number % 200)}{number}")
    data = path.read_bytes()
    assert data.count(b"FRHP") == data.count(b"BTHD") == 1
    check_indexes(io.BytesIO(data))


@pytest.mark.parametrize("what", ["attributes", "chunks"])
def test_indexes_of_other_things_are_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w", libver="latest") as file:
        if what == "attributes":
            for number in range(20):
                file.attrs[f"a{number}"] = 1
        else:
            file.create_dataset("grows", data=np.ones((200, 200)), maxshape=(None, None), chunks=(5, 5))
    with pytest.raises(ValueError, match="has an index of something else than names, such as many attributes; nnkit"):
        check_indexes(io.BytesIO(path.read_bytes()))


def test_networks_with_very_many_layers_load(tmp_path: Path) -> None:
    """So many names that the tree of them has several levels."""
    net = nnkit.Sequential([Dense(1) for _ in range(400)], input_shape=(1,), seed=1)
    net.save(tmp_path / "net.h5")
    assert nnkit.load(tmp_path / "net.h5").predict([[1.0]]) == net.predict([[1.0]])


def test_numbers_have_their_places() -> None:
    assert indexes._number(b"\1\2\3\4", 1, 2) == 0x0302
