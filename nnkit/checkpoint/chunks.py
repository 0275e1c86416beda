"""Unpacking chunks here, because the library unpacks what is in one to whatever size it has."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnkit.checkpoint.blocks import Shape, Where, blocks
from nnkit.checkpoint.stored import GZIP, SHUFFLE
from nnkit.data.arrays import Array


def read_pieces(dataset: Any) -> Iterator[tuple[Where, Array]]:
    """The values of a data set with their indices, one after the other as the array lies in memory.

    ValueError says what is wrong with a chunk, worded to follow the data set's name.
    """
    if not dataset.chunks:
        yield from ((where, np.asarray(dataset[where])) for where in blocks(dataset.shape, dataset.dtype.itemsize))
    elif _in_order(dataset.shape, dataset.chunks):
        yield from _chunks(dataset)
    else:
        values = np.empty(dataset.shape, dataset.dtype)
        for where, chunk in _chunks(dataset):
            values[where] = chunk
        yield from ((where, values[where]) for where in blocks(dataset.shape, dataset.dtype.itemsize))


def _in_order(shape: Shape, chunk: Shape) -> bool:
    """Whether chunks are pieces of the array as it lies in memory: whole in all axes after the one that is cut."""
    cut = next((axis for axis, size in enumerate(chunk) if size > 1), len(chunk))
    return chunk[cut + 1 :] == shape[cut + 1 :]


def _chunks(dataset: Any) -> Iterator[tuple[Where, Array]]:
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
    offsets = sorted(dataset.id.get_chunk_info(number).chunk_offset for number in range(dataset.id.get_num_chunks()))
    for offset in offsets:
        skipped, packed = dataset.id.read_direct_chunk(offset)
        applied = [kind for place, kind in enumerate(filters) if not skipped >> place & 1]
        chunk = _unpacked(packed, applied, dataset.chunks, dataset.dtype)
        ends = [
            min(start + size, most) for start, size, most in zip(offset, dataset.chunks, dataset.shape, strict=True)
        ]
        where = tuple(map(slice, offset, ends))
        yield where, chunk[tuple(slice(end - start) for start, end in zip(offset, ends, strict=True))]


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
