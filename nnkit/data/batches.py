"""Data that comes as an iterable of batches, such as a PyTorch DataLoader, read into one pair of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

import numpy as np

from nnkit.data.arrays import as_numpy
from nnkit.errors import DataError


def joined(batches: Any, argument: str = "x") -> tuple[Any, Any]:
    """``(x, y)`` of an iterable of batches ``(x, y)`` with a known length, their rows one after the other.

    The engine keeps the data on its device and makes its own batches; so the order and size of these do not matter, and
    they must fit into memory.

    >>> x, y = joined([([[1.0], [2.0]], [0, 1]), ([[3.0]], [1])])
    >>> x.tolist(), y.tolist()
    ([[1.0], [2.0], [3.0]], [0, 1, 1])
    """
    if not isinstance(batches, Iterable) or not isinstance(batches, Sized) or hasattr(batches, "dtype"):
        raise DataError(
            f"y is missing: give {argument} and y, or an iterable of batches (x, y) with a length; "
            f"{argument} is {type(batches).__name__}"
        )
    parts: tuple[list[Any], list[Any]] = ([], [])
    for number, batch in enumerate(batches):
        pair = [as_numpy(array, f"batch {number} of {argument}") for array in batch] if _is_pair(batch) else []
        if len(pair) != 2 or 0 in (pair[0].ndim, pair[1].ndim):
            raise DataError(
                f"y is missing, and batch {number} of {argument} is no pair of arrays (x, y): {batch!r:.60}"
            )
        for part, array in zip(parts, pair, strict=True):
            part.append(array)
    if not parts[0]:
        raise DataError(f"{argument} holds no batches; expected an iterable of pairs (x, y)")
    for name, arrays in zip("xy", parts, strict=True):
        shapes = {array.shape[1:] for array in arrays}
        if len(shapes) > 1:
            raise DataError(f"the batches' {name} differ in the shape of a row: {', '.join(map(str, sorted(shapes)))}")
    return np.concatenate(parts[0]), np.concatenate(parts[1])


def _is_pair(batch: Any) -> bool:
    return isinstance(batch, (tuple, list)) and len(batch) == 2
