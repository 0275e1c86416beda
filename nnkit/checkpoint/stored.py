"""Whether a data set is what nnkit writes, from its header alone: before anything of it is read or allocated.

What is wrong is raised as ValueError, worded to follow the data set's name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnkit.checkpoint.text import check_length

GZIP, SHUFFLE = 1, 2  # as HDF5 numbers its filters
RATIO = 1100  # no stream of gzip unpacks to more than this many times its size
MOST_CHUNKS = 100_000


def check_text(dataset: Any, file_bytes: int) -> None:
    """One text of fixed length."""
    kind = dataset.id.get_type()
    if dataset.shape != () or dataset.dtype.kind != "S":
        raise ValueError(f"has type {dataset.dtype} and shape {dataset.shape}; it is one text of fixed length")
    check_length(kind.get_size())
    check_storage(dataset, file_bytes)


def check_whole_number(dataset: Any, file_bytes: int) -> None:
    """One integer."""
    if dataset.shape != () or dataset.dtype.kind not in "iu" or dataset.dtype.metadata:
        raise ValueError(f"has type {dataset.dtype} and shape {dataset.shape}; it is one whole number")
    check_storage(dataset, file_bytes)


def check_numbers(dataset: Any, shape: tuple[int, ...], dtypes: Sequence[str], file_bytes: int) -> int:
    """An array of this shape and one of the types, little-endian; gives the number of bytes that it takes in it."""
    import h5py

    if dataset.shape is None or tuple(dataset.shape) != shape:
        raise ValueError(f"has shape {dataset.shape}, and {shape} is expected")
    known = {name: getattr(h5py.h5t, f"IEEE_F{name[5:]}LE") for name in dtypes}
    if dataset.id.get_type() not in known.values():
        raise ValueError(f"has type {dataset.dtype}, and little-endian {' or '.join(known)} is expected")
    return check_storage(dataset, file_bytes)


def check_storage(dataset: Any, file_bytes: int) -> int:
    """Every byte of the data set lies in this file, and there are as many as its shape says."""
    plist = dataset.id.get_create_plist()
    if plist.get_external_count() or dataset.is_virtual:
        raise ValueError("keeps its values outside this file")
    if dataset.id.get_type().committed():
        raise ValueError("takes its type from another place in the file")
    if dataset.maxshape != dataset.shape:
        raise ValueError(f"can grow to {dataset.maxshape}")
    filters = {plist.get_filter(number)[0] for number in range(plist.get_nfilters())}
    if odd := sorted(filters - {GZIP, SHUFFLE}):
        raise ValueError(f"is packed with the filter {odd[0]}; gzip and shuffle can be read")
    needed, stored = math.prod(dataset.shape) * dataset.id.get_type().get_size(), dataset.id.get_storage_size()
    if stored > file_bytes:
        raise ValueError(f"claims {stored:,} bytes in a file of {file_bytes:,}")
    if needed > (RATIO * stored if GZIP in filters else stored):
        raise ValueError(f"needs {needed:,} bytes, and {stored:,} are stored")
    if dataset.chunks:
        _check_chunks(dataset)
    return int(stored)


def _check_chunks(dataset: Any) -> None:
    pairs = list(zip(dataset.shape, dataset.chunks, strict=True))
    if any(chunk > max(size, 1) for size, chunk in pairs):
        raise ValueError(f"has chunks of shape {dataset.chunks}, larger than the array")
    expected = math.prod(-(-size // chunk) for size, chunk in pairs)
    if expected > MOST_CHUNKS:
        raise ValueError(f"is cut into {expected:,} chunks; {MOST_CHUNKS:,} are the most")
    if dataset.id.get_num_chunks() != expected:
        raise ValueError(f"has {dataset.id.get_num_chunks():,} of its {expected:,} chunks")
