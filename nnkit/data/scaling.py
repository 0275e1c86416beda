"""The standardisation of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.errors import DataError, ShapeError

_CONSTANT = 1e-12  # a standard deviation this small beside the mean is rounding, not spread
_PIECE = 1 << 22  # numbers that are in float64 at a time


@dataclass(frozen=True, eq=False)
class Scaling:
    """The standardisation of columns, (x − mean) / scale, with figures from the training rows; float64, one per column.

    A constant column has scale 1 and its own value for the mean, so it becomes exactly zero.

    >>> scaling = Scaling.fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> scaling.apply(np.array([[2.0, 5.0]])).tolist()
    [[0.0, 0.0]]
    """

    mean: Array
    scale: Array

    @classmethod
    def fit(cls, x: Array) -> Scaling:
        """Return the scaling that gives each column of ``x`` (rows, columns) mean 0 and standard deviation 1."""
        low, high = x.min(axis=0), x.max(axis=0)
        mean = np.where(low == high, low, x.mean(axis=0, dtype=np.float64))  # a computed mean of equals may differ
        squares = sum(np.square(part - mean).sum(axis=0) for part in _pieces(x))
        deviation = np.sqrt(squares / len(x))
        constant = deviation <= _CONSTANT * np.abs(mean)
        return cls(mean, np.where(constant, np.maximum(deviation, 1.0), deviation))

    def apply(self, x: Array, dtype: str = "float32") -> Array:
        """Return ``x`` (rows, columns) standardised, computed in float64 and rounded to ``dtype``."""
        if x.ndim != 2 or x.shape[1] != len(self.mean):
            raise ShapeError(
                f"x has shape {x.shape}, the scaling was made for {len(self.mean)} columns; pass those columns"
            )
        result = np.empty(x.shape, dtype=dtype)
        done = 0
        with np.errstate(over="ignore"):  # infinity is for the check of the features to tell
            for part in _pieces(x):
                result[done : done + len(part)] = (part - self.mean) / self.scale
                done += len(part)
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

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


def _pieces(x: Array) -> Iterator[Array]:
    """The rows of a table in pieces of bounded size."""
    rows = max(1, _PIECE // max(1, x.shape[1]))
    for start in range(0, len(x), rows):
        yield x[start : start + rows]


def _vector(values: object, name: str) -> Array:
    """A list of finite numbers from a file."""
    plain = isinstance(values, Sequence) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not plain or not np.isfinite(vector := np.array(values, dtype=np.float64)).all():
        raise DataError(f"the scaling's {name} is not a list of finite numbers; the file is damaged")
    return vector


def _keys(stored: object) -> str:
    return ", ".join(map(repr, stored)) if isinstance(stored, Mapping) else type(stored).__name__
