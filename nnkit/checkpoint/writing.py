"""Writing data sets to a new HDF5 file in a stream, with the checksum of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnkit.checkpoint.blocks import block_shape, blocks
from nnkit.checkpoint.checksum import Digest
from nnkit.checkpoint.places import CHECKSUMS
from nnkit.checkpoint.sources import Held, Source
from nnkit.checkpoint.stream import Stream
from nnkit.checkpoint.target import claim
from nnkit.checkpoint.text import written
from nnkit.data.arrays import Array
from nnkit.errors import DataError

SMALL = 1 << 12
"""Bytes below which an array is not worth compressing."""
PACKED = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def write(
    path: Path, groups: Iterable[str], sources: Mapping[str, Source], finite: Mapping[str, str], pack: bool
) -> None:
    """Write these data sets by their places, and their checksums.

    ``finite`` has those in which no number may be NaN or infinite, with the names by which messages call them.

    With ``pack``, arrays are compressed (gzip, after the bytes of the numbers were sorted by their place in these).
    """
    import h5py

    with path.open("xb+", buffering=0) as raw:
        claim(raw.fileno())
        stream = Stream(raw)
        # The format of HDF5 1.8 has checksums in its own structures, and every version since then reads it.
        with h5py.File(stream, "w", libver=("v108", "v108")) as file:
            for group in sorted(groups):
                file.require_group(group)
            sums = {}
            for place, source in sources.items():
                sums[place] = _copied(file, place, source, finite.get(place), pack)
                stream.check()
            _copied(file, CHECKSUMS, Held(written(sums)), None, False)
        stream.check()


def _copied(file: Any, place: str, source: Source, finite: str | None, pack: bool) -> str:
    """Make a data set of a source, with a name if it must be finite; gives its checksum."""
    dataset = file.create_dataset(place, shape=source.shape, dtype=_kind(source.dtype), **_storage(source, pack))
    digest = Digest()
    for where in blocks(source.shape, source.dtype.itemsize):
        values = source.part(where)
        if finite is not None and not np.isfinite(values).all():
            raise DataError(
                f"'{finite}' holds NaN or infinity, and a network with that is not saved; "
                "train again with a smaller learning rate"
            )
        digest.add(values)
        dataset[where] = _typed(values)
    return digest.hex


def _storage(source: Source, pack: bool) -> dict[str, Any]:
    if not pack or source.dtype.kind != "f" or not source.shape or nbytes(source) < max(SMALL, 1):
        return {}
    return PACKED | {"chunks": block_shape(source.shape, source.dtype.itemsize)}


def nbytes(source: Source) -> int:
    """Bytes of all its values."""
    return int(np.prod(source.shape, dtype=object)) * source.dtype.itemsize


def _kind(dtype: np.dtype[Any]) -> Any:
    """The data type in the file; text is marked as UTF-8."""
    import h5py

    return h5py.string_dtype("utf-8", dtype.itemsize) if dtype.kind == "S" else dtype


def _typed(values: Array) -> Array:
    return values.astype(_kind(values.dtype)) if values.dtype.kind == "S" else values
