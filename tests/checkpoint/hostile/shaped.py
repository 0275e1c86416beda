"""Data sets of any shape, with an architecture that says so as well."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import h5py
import numpy as np

from tests.checkpoint.files import WEIGHT, replace
from tests.checkpoint.hostile.case import Edit

Row = tuple[int, str, Edit, str]
PROBABLE = 25_000_000  # inputs: with four neurons of float32, 400 MB


def agreeing() -> Iterator[Row]:
    """Rows for the table: what the file declares is what it describes."""
    needs = "needs .* bytes, and .* are stored"
    yield 20, "2⁶⁴ values that agree", _shaped(2**62, chunks=(1, 1)), needs
    yield 20, "2⁶⁵ bytes that agree", _shaped(2**61, chunks=(1, 1)), needs
    yield 21, "1 TB that agrees", _shaped(62_500_000_000), needs
    yield 21, "1 TB that agrees, in chunks", _shaped(62_500_000_000, chunks=(1_000_000, 4)), needs
    yield 21, "1 TB that agrees, packed", _shaped(62_500_000_000, chunks=(2**20, 4), compression="gzip"), needs
    yield 22, "a chunk of 2 GB that agrees", _packed(2**27, lambda _: zlib.compress(bytes(1000))), needs
    yield (
        23,
        "a bomb that agrees",
        _packed(PROBABLE, _zeros),
        "would be 500,.* bytes of values, unpacked from a file of",
    )
    yield 23, "a bomb in a bomb", _packed(PROBABLE, _twice), needs


@cache
def _zeros(size: int) -> bytes:
    """Packed in pieces."""
    packer = zlib.compressobj(9)
    piece = bytes(1_000_000)
    return b"".join(packer.compress(piece[: size - done]) for done in range(0, size, len(piece))) + packer.flush()


@cache
def _twice(size: int) -> bytes:
    return zlib.compress(_zeros(size), 9)


def _described(file: h5py.File, inputs: int) -> None:
    found: dict[str, Any] = json.loads(file["architecture"][()])
    found["input_shape"] = [inputs]
    replace(file, "architecture", json.dumps(found).encode())


def _shaped(inputs: int, **options: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        _described(file, inputs)
        del file[WEIGHT]
        file.create_dataset(WEIGHT, shape=(inputs, 4), dtype="<f4", **options)

    return edit


def _packed(inputs: int, data: Callable[[int], bytes]) -> Edit:
    """One chunk that holds all of it."""

    def edit(file: h5py.File) -> None:
        _shaped(inputs, chunks=(inputs, 4), compression="gzip")(file)
        file[WEIGHT].id.write_direct_chunk((0, 0), data(inputs * 16))
        del file["sample/inputs"], file["sample/outputs"]
        rows = file.create_dataset("sample/inputs", (1, inputs), "<f4", chunks=(1, inputs), compression="gzip")
        rows.id.write_direct_chunk((0, 0), _zeros(inputs * 4))
        file["sample/outputs"] = np.zeros((1, 2), "<f4")

    return edit
