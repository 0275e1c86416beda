"""How the rows of an epoch come to the device that steps run on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy.typing as npt

from nnkit.backend import Backend
from nnkit.training.data import Rows

Array = npt.NDArray[Any]


class Feed(Protocol):
    """Fills the arrays that steps read. Rows are counted in the order of the epoch."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Device arrays by the names of the steps' inputs; ``order`` says where in the others a row of an epoch is."""

    @property
    def said(self) -> str:
        """How the data are held, for the record."""

    def start(self, order: Array, row: int = 0) -> None:
        """An epoch over these rows; the steps before this row, counted in that order, are done."""

    def together(self, row: int) -> int:
        """How many rows from this one on a run may use at once; more than there are is all of them."""

    def enter(self, row: int) -> None:
        """Steps from this row on are about to run."""

    def leave(self, row: int) -> None:
        """The steps before this row were started, or done."""

    def close(self) -> None:
        """There are no more steps."""


class Resident:
    """All rows are on the device; where that is the host, they are where they were."""

    said = "resident"

    def __init__(self, backend: Backend, rows: Rows, upload: Callable[[Array], Any] | None = None) -> None:
        self._backend, self._rows = backend, rows.indices
        self._order = backend.to_device(rows.indices.astype("int64", copy=True))
        upload = upload or backend.to_device
        self.data = {name: upload(array) for name, array in rows.arrays.items()} | {"order": self._order}

    def start(self, order: Array, row: int = 0) -> None:
        """An epoch over these rows."""
        if order is not self._rows:
            self._rows = order
            self._backend.overwrite(self._order, order)

    def together(self, row: int) -> int:
        """All that are left."""
        return len(self._rows) - row

    def enter(self, row: int) -> None:
        """They are there."""

    def leave(self, row: int) -> None:
        """They stay there."""

    def close(self) -> None:
        """Nothing was begun that has to end."""
