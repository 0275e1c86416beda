"""Warnings about data that works but probably is not what was meant: unscaled features, rows in two splits."""

from __future__ import annotations

import math
import warnings

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.preprocessing import Preprocessing
from nnkit.errors import NnkitWarning

_SAMPLE = 1 << 20  # elements looked at: a bounded cost whatever the size of the data
_ROWS = 1000
_LARGE = 100.0  # a mean or standard deviation beyond this slows or stops training with usual learning rates
_UNEVEN = 1000.0  # ratio of the widest column's range to the narrowest's
_IMAGE = 64  # columns from which whole numbers 0 … 255 are taken for pixels


def warn_unscaled(x: Array, argument: str = "x", stacklevel: int = 2) -> None:
    """Give one NnkitWarning when the features look unscaled; the text has the figure and the fix.

    It looks at up to 1000 rows, evenly spaced, for pixels 0 … 255, a column with a mean or standard deviation beyond
    100, and columns whose ranges differ by more than a factor of 1000 (constant ones aside).
    """
    finding = scaling(x, argument)
    if finding:
        warnings.warn(finding, NnkitWarning, stacklevel=stacklevel + 1)


def warn_scaled_twice(kept: Preprocessing, x: Array, argument: str = "x", stacklevel: int = 2) -> None:
    """Give one NnkitWarning when rows for a network that standardises them look standardised already."""
    finding = kept.scaled_twice(x)
    if finding:
        warnings.warn(f"{argument} looks standardised before: {finding}", NnkitWarning, stacklevel=stacklevel + 1)


def scaling(x: Array, argument: str = "x") -> str | None:
    """What looks unscaled in the features, with the figure and, after a semicolon, the fix; None if nothing does."""
    return _finding(_sample(x), argument) if x.dtype.kind == "f" and x.size else None


def warn_duplicates(x_a: Array, x_b: Array, name_a: str, name_b: str, stacklevel: int = 2) -> int:
    """Return how many rows of ``x_b`` are rows of ``x_a`` as well, and warn when there are any.

    Rows are compared by a 64-bit hash of their bytes, so the count may be off by one about once in a billion calls.
    """
    common = np.result_type(x_a, x_b)
    if x_a.shape[1:] != x_b.shape[1:] or not x_a.size or not x_b.size:
        return 0
    count = int(np.count_nonzero(np.isin(_row_hashes(x_b, common), _row_hashes(x_a, common))))
    if count:
        warnings.warn(
            f"{count} of the {len(x_b)} rows of the {name_b} data are in the {name_a} data too, so the {name_b} "
            f"figures look better than they are; remove them from one of the two",
            NnkitWarning,
            stacklevel=stacklevel + 1,
        )
    return count


def _sample(x: Array) -> Array:
    """Evenly spaced rows and, for very wide data, columns, as a table of float64."""
    rows = x[:: max(1, math.ceil(len(x) / _ROWS))].reshape(-1, math.prod(x.shape[1:]))
    return rows[:, :: max(1, math.ceil(rows.size / _SAMPLE))].astype(np.float64)


def _finding(table: Array, argument: str) -> str | None:
    low, high = table.min(axis=0), table.max(axis=0)
    if table.shape[1] >= _IMAGE and low.min() >= 0 and 2 < high.max() <= 255 and (table == np.round(table)).all():
        return f"{argument} looks like pixels 0 to 255 (the largest is {high.max():g}); divide by 255: {argument} / 255"
    fix = f"standardise the columns: ({argument} - {argument}.mean(0)) / {argument}.std(0), or fit(…, standardize=True)"
    figures = {"mean": np.abs(table.mean(axis=0)), "standard deviation": table.std(axis=0)}
    name, figure = max(figures.items(), key=lambda item: float(item[1].max()))
    if figure.max() > _LARGE:
        return f"column {int(figure.argmax())} of {argument} has a {name} of about {figure.max():.3g}; {fix}"
    spread = high - low
    if (spread > 0).any() and spread.max() > _UNEVEN * (narrow := float(spread[spread > 0].min())):
        return (
            f"column {int(spread.argmax())} of {argument} has a range of {spread.max():.3g} and column "
            f"{int(np.flatnonzero(spread == narrow)[0])} one of {narrow:.3g}; {fix}"
        )
    return None


def _row_hashes(x: Array, dtype: np.dtype[np.generic]) -> Array:
    """A 64-bit hash for each row, taken in blocks. Adding zero makes −0 and 0 the same bytes."""
    table = x.reshape(len(x), -1)
    row_bytes = table.shape[1] * dtype.itemsize
    step = max(1, (1 << 22) // row_bytes)
    hashes = np.empty(len(table), np.int64)
    for start in range(0, len(table), step):
        block = np.ascontiguousarray(table[start : start + step].astype(dtype) + np.zeros((), dtype))
        rows = block.view(np.dtype((np.void, row_bytes))).ravel().tolist()
        hashes[start : start + step] = np.fromiter(map(hash, rows), np.int64, len(rows))
    return hashes
