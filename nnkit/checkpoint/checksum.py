"""SHA-256 of what stands in a data set."""

from __future__ import annotations

import hashlib

import numpy as np

from nnkit.data.arrays import Array


class Digest:
    """SHA-256 of the bytes of arrays that follow each other, little-endian and in C order, as they stand in a file.

    >>> digest = Digest()
    >>> digest.add(np.zeros(2, ">f4"))
    >>> digest.hex == hashlib.sha256(bytes(8)).hexdigest()
    True
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, array: Array) -> None:
        """Go on with these values."""
        ordered = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C").reshape(-1)
        self._hash.update(ordered.view(np.uint8).data)

    @property
    def hex(self) -> str:
        """In hexadecimal digits."""
        return self._hash.hexdigest()


def digest(array: Array) -> str:
    """SHA-256 of one array.

    >>> digest(np.zeros(2, ">f4")) == hashlib.sha256(bytes(8)).hexdigest()
    True
    """
    found = Digest()
    found.add(array)
    return found.hex
