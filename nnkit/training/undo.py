"""A training that fails before its first step leaves no trace."""

from __future__ import annotations

from traceback import clear_frames
from types import TracebackType
from typing import Any

from nnkit.backend import Leaf
from nnkit.errors import DeviceError
from nnkit.training.model import Model


class Undo:
    """Puts the optimiser and its moments back if the ``with`` block raises before ``forget`` was called."""

    def __init__(self, model: Model, optimizer: Any) -> None:
        self._model = model
        self._before = (model.optimizer, model.updates_before, model.left)
        self._kept = optimizer is not model.optimizer
        self._leaves: list[Leaf] = []
        self._values: dict[str, Any] = {}
        if self._kept:
            self._leaves, self._values = model.moments()

    def forget(self) -> None:
        """From here on there is no way back, and the copies are let go."""
        self._kept = False
        self._values = {}

    def __enter__(self) -> Undo:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None or not self._kept:
            return
        self._model.optimizer, self._model.updates_before, self._model.left = self._before
        if isinstance(error, DeviceError):
            clear_frames(at)  # the arrays of what was begun make room for those that were there
        self._model.store.drop("moment")
        self._model.store.allocate(self._leaves)
        self._model.store.write(self._values)
