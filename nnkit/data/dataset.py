"""What ``load`` returns: the two parts of a data set, and what is known about them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.errors import DataError, ShapeError

_CONSTANT = 1e-12  # a standard deviation this small beside the mean is rounding, not spread


@dataclass(frozen=True, eq=False)
class Scaling:
    """The standardisation of columns, (x − mean) / scale, with figures from the training rows; float64, one per column.

    A constant column has scale 1, so it becomes zero rather than NaN.

    >>> scaling = Scaling.fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> scaling.apply(np.array([[2.0, 5.0]])).tolist()
    [[0.0, 0.0]]
    """

    mean: Array
    scale: Array

    @classmethod
    def fit(cls, x: Array) -> Scaling:
        """Return the scaling that gives each column of ``x`` (rows, columns) mean 0 and standard deviation 1."""
        mean = x.mean(axis=0, dtype=np.float64)
        deviation = x.std(axis=0, dtype=np.float64)
        constant = deviation <= _CONSTANT * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, deviation))

    def apply(self, x: Array) -> Array:
        """Return ``x`` (rows, columns) standardised, as float32."""
        if x.ndim != 2 or x.shape[1] != len(self.mean):
            raise ShapeError(
                f"x has shape {x.shape}, the scaling was made for {len(self.mean)} columns; pass those columns"
            )
        with np.errstate(over="ignore"):  # infinity is for the check of the features to tell
            return ((x - self.mean) / self.scale).astype(np.float32)

    def to_dict(self) -> dict[str, list[float]]:
        """Return plain lists, for JSON; ``from_dict`` reads them back exactly."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Scaling:
        """Return the scaling that ``to_dict`` described; figures that cannot be one are refused."""
        if not isinstance(stored, Mapping) or set(stored) != {"mean", "scale"}:
            raise DataError(f"a scaling has the entries 'mean' and 'scale', got {_keys(stored)}; the file is damaged")
        mean, scale = (_vector(stored[name], name) for name in ("mean", "scale"))
        if len(mean) != len(scale):
            raise DataError(f"a scaling has {len(mean)} means and {len(scale)} scales; the file is damaged")
        if not (scale > 0).all():
            raise DataError("a scaling has a scale that is not positive; the file is damaged")
        return cls(mean, scale)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Features and targets for training and for testing.

    ``x_*`` are float32 of shape (rows, …). For classes ``y_*`` are int32 labels (rows,) and ``classes`` their names;
    for numbers ``y_*`` are float32 and ``classes`` is None. ``scaling`` is how the columns were standardised,
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


def _vector(values: object, name: str) -> Array:
    """A list of finite numbers from a file."""
    plain = isinstance(values, Sequence) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not plain or not np.isfinite(vector := np.array(values, dtype=np.float64)).all():
        raise DataError(f"the scaling's {name} is not a list of finite numbers; the file is damaged")
    return vector


def _keys(stored: object) -> str:
    return ", ".join(map(repr, stored)) if isinstance(stored, Mapping) else type(stored).__name__
