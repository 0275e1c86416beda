"""What ``load`` returns: the two parts of a data set, and what is known about them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.scaling import Scaling


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Features and targets for training and for testing.

    ``x_*`` are float32 of shape (rows, …), or float64 where they were not to be standardised. For classes ``y_*`` are
    int32 labels (rows,) and ``classes`` their names; for numbers ``y_*`` are float32 and ``classes`` is None.
    ``scaling`` is how the columns were standardised,
    ``features`` are their names, ``target`` is the name of the target's column; each is None where it has no meaning.

    >>> data = Dataset(np.zeros((3, 2)), np.zeros(3), np.zeros((1, 2)), np.zeros(1), name="tiny")
    >>> data
    Dataset('tiny', 3 rows for training, 1 for testing, features of shape (2,), numbers)
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    name: str
    classes: tuple[str, ...] | None = None
    scaling: Scaling | None = None
    features: tuple[str, ...] | None = None
    target: str | None = None

    @cached_property
    def sha256(self) -> str:
        """The hash of the four arrays, computed when first read."""
        return content_hash(self.x_train, self.y_train, self.x_test, self.y_test)

    def __repr__(self) -> str:
        kind = "numbers" if self.classes is None else f"{len(self.classes)} classes"
        return (
            f"Dataset({self.name!r}, {len(self.x_train)} rows for training, {len(self.x_test)} for testing, "
            f"features of shape {self.x_train.shape[1:]}, {kind})"
        )


def content_hash(*arrays: Array) -> str:
    """Return the SHA-256 of the arrays: of dtype, shape and little-endian bytes in C order, one array after the other.

    Memory layout and byte order do not change it.

    >>> x = np.arange(6, dtype=np.float32).reshape(2, 3)
    >>> content_hash(x) == content_hash(np.asfortranarray(x)) != content_hash(x.T)
    True
    """
    digest = hashlib.sha256()
    for array in arrays:
        little = array.dtype.newbyteorder("<")
        digest.update(f"{little.str}{array.shape}".encode())
        digest.update(_bytes(array, little))
    return digest.hexdigest()


def _bytes(array: Array, dtype: np.dtype[Any]) -> memoryview:
    """The array's bytes, without a copy where it lies in memory as wanted."""
    ordered = np.asarray(array, dtype=dtype, order="C").reshape(-1)
    return ordered.view(np.uint8).data
