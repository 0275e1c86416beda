"""NaN and infinity among values that were read: nnkit saves none, so somebody else did."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from nnkit.data.arrays import Array
from nnkit.errors import NnkitWarning

if TYPE_CHECKING:
    from nnkit.checkpoint.readable import Readable


class Tally:
    """How many values of an array are not finite, counted piece by piece.

    >>> tally = Tally()
    >>> tally.add(np.asarray([1.0, np.nan]))
    >>> tally.reason
    'holds 1 NaN and 0 infinite of 2 values'
    """

    def __init__(self) -> None:
        self._nan = self._infinite = self._all = 0

    def add(self, piece: Array) -> None:
        """Count some more."""
        self._all += piece.size
        if not np.isfinite(piece).all():
            self._nan += int(np.isnan(piece).sum())
            self._infinite += int(np.isinf(piece).sum())

    @property
    def reason(self) -> str | None:
        """What there is to say; None if all are finite."""
        if not (self._nan or self._infinite):
            return None
        return f"holds {self._nan:,} NaN and {self._infinite:,} infinite of {self._all:,} values"

    def tell(self, file: Readable, place: str, strict: bool) -> bool:
        """Whether all are finite: else warn, or refuse them if ``strict``."""
        if self.reason is None:
            return True
        if strict:
            raise file.refused(place, self.reason, "nnkit saves none, so that something else changed the file")
        warnings.warn(
            f"{file.path}: /{place} {self.reason}, which nnkit saves in no file; its predictions may be NaN",
            NnkitWarning,
            stacklevel=2,
        )
        return False
