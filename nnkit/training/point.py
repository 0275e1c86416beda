"""The point at which a network is trained, where that is not what the network is afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.optimizers import Optimizer

if TYPE_CHECKING:
    from nnkit.training.model import Model

Array = Any


@dataclass(frozen=True)
class Left:
    """What the parameters were when training paused, and what the network was given in their place."""

    trained: Mapping[str, Array]
    shown: Mapping[str, Array]


class Point:
    """Goes between the parameters that are trained and those that ``optimizer.final`` makes of them.

    Steps alone see the first. Whoever looks at the network sees the second: validation, callbacks, the user after
    ``fit``. Training goes on from where it was, unless somebody gave the network other parameters meanwhile: then from
    those. An optimiser without such a difference costs nothing here.
    """

    def __init__(self, model: Model, optimizer: Optimizer) -> None:
        self._model, self._optimizer = model, optimizer

    def enter(self) -> None:
        """Before steps."""
        left, self._model.left = self._model.left, None
        if left is not None and self._optimizer.has_final and _equal(self._model.parameters(), left.shown):
            self._model.store.write(left.trained)

    def leave(self) -> None:
        """After steps."""
        model, optimizer = self._model, self._optimizer
        updates = int(model.store.read(["counter.update"])["counter.update"]) if optimizer.has_final else 0
        if not updates:
            return
        shapes, settings = optimizer.moment_shapes(model.layout.parts), optimizer.settings()
        moments, numbers = self._values("moment.", shapes), self._values("setting.optimizer.", settings)
        trained = model.parameters()
        flat = model.layout.parts.join(list(trained.values()))
        shown = model.layout.parts.split(optimizer.final(flat, moments, numbers, updates))
        model.left = Left(trained, dict(zip(trained, shown, strict=True)))
        model.store.write(model.left.shown)

    def _values(self, prefix: str, names: Mapping[str, Any]) -> dict[str, Array]:
        """Host copies, under the names that the optimiser knows."""
        found = self._model.store.read(prefix + name for name in names)
        return {name: found[prefix + name] for name in names}


def _equal(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in b)
