"""SHA-256 of what stands in a data set."""

from __future__ import annotations

import hashlib

import numpy as np

from nnkit.data.arrays import Array


def digest(array: Array) -> str:
    """SHA-256 of the array's bytes, little-endian and in C order, as they stand in the file.

    >>> digest(np.zeros(2, ">f4")) == hashlib.sha256(bytes(8)).hexdigest()
    True
    """
    ordered = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C").reshape(-1)
    return hashlib.sha256(ordered.view(np.uint8).data).hexdigest()
