"""Unpacking chunks here, because the library unpacks what is in one to whatever size it has."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from nnkit.checkpoint.stored import GZIP, SHUFFLE
from nnkit.data.arrays import Array


def read_chunks(dataset: Any) -> Array:
    """The values of a data set in chunks; ValueError says what is wrong with one, worded to follow its name."""
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
    values = np.empty(dataset.shape, dataset.dtype)
    for number in range(dataset.id.get_num_chunks()):
        where = dataset.id.get_chunk_info(number).chunk_offset
        skipped, packed = dataset.id.read_direct_chunk(where)
        applied = [kind for place, kind in enumerate(filters) if not skipped >> place & 1]
        chunk = _unpacked(packed, applied, dataset.chunks, dataset.dtype)
        there = tuple(slice(start, start + size) for start, size in zip(where, dataset.chunks, strict=True))
        values[there] = chunk[tuple(slice(0, size) for size in values[there].shape)]
    return values


def _unpacked(data: bytes, filters: list[int], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The values of one chunk; the filters are undone from the last to the first."""
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    for kind in reversed(filters):
        data = {GZIP: _inflated, SHUFFLE: _unshuffled}[kind](data, size, dtype.itemsize)
    if len(data) != size:
        raise ValueError(f"has a chunk of {len(data):,} bytes instead of {size:,}")
    return np.frombuffer(data, dtype).reshape(shape)


def _inflated(data: bytes, size: int, _: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"has a chunk that is not gzip: {error}") from error


def _unshuffled(data: bytes, _: int, itemsize: int) -> bytes:
    """First bytes of all values stand first, then all second ones; what is left over stays at the end."""
    whole = len(data) // itemsize * itemsize
    planes = np.frombuffer(data[:whole], np.uint8).reshape(itemsize, -1)
    return planes.T.tobytes() + data[whole:]
