"""A warning about tables whose rows have labels: those of features and targets in different orders."""

from __future__ import annotations

import warnings
from typing import Any

from nnkit.data.arrays import library
from nnkit.errors import NnkitWarning


def warn_other_order(x: Any, y: Any, stacklevel: int = 2) -> None:
    """Give one NnkitWarning where two pandas objects have the same labels of rows, but not in the same order.

    Rows belong together by their places, as everywhere: what one was shuffled by, the other was not.
    """
    if library(x) != "pandas" or library(y) != "pandas" or len(x) != len(y):
        return
    one, other = x.index, y.index
    if one.equals(other) or not one.is_unique or len(one.difference(other, sort=False)):
        return
    warnings.warn(
        "x and y have the same labels of rows in different orders, and rows belong together by their places; "
        "write y.loc[x.index], or y.to_numpy() if they do belong together so",
        NnkitWarning,
        stacklevel=stacklevel + 1,
    )
