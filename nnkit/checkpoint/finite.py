"""NaN and infinity among values that were read: nnkit saves none, so somebody else did."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnkit.data.arrays import Array
from nnkit.errors import NnkitWarning

if TYPE_CHECKING:
    from nnkit.checkpoint.readable import Readable

PIECE = 1 << 20  # values looked at together


def check_finite(file: Readable, values: Mapping[str, Array], strict: bool = False) -> None:
    """Warn of values by their places that are not finite; refuse them if ``strict``."""
    for place, value in values.items():
        reason = _odd(value)
        if reason and strict:
            raise file.refused(place, reason, "nnkit saves none, so that something else changed the file")
        if reason:
            warnings.warn(
                f"{file.path}: /{place} {reason}, which nnkit saves in no file; its predictions may be NaN",
                NnkitWarning,
                stacklevel=2,
            )


def _odd(value: Array) -> str | None:
    """How many of them are not finite; None if all are."""
    flat = value.reshape(-1)
    nans = infinite = 0
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE]
        if not np.isfinite(piece).all():
            nans += int(np.isnan(piece).sum())
            infinite += int(np.isinf(piece).sum())
    return f"holds {nans:,} NaN and {infinite:,} infinite of {flat.size:,} values" if nans or infinite else None
