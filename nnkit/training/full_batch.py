"""Training on all rows at once, by a method that decides on the host how far to go: an epoch is one update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.optimizers import Optimizer
from nnkit.optimizers.lbfgs import LBFGS, Array, Minimizer
from nnkit.training.graphs import GRADIENT, LOSS
from nnkit.training.model import Model
from nnkit.training.programs import Epoch

EVALUATIONS = 2
"""Of loss and gradient, that an update takes in most cases."""


class FullBatch:
    """Runs the one step of an epoch as often as the search asks for loss and gradient, last at the weights it accepts.

    So what the step adds up (loss, accuracy, metrics) is exact in the end, of these weights.
    """

    def __init__(self, model: Model, epoch: Epoch) -> None:
        self._model, self._epoch = model, epoch
        self._minimizer: Minimizer | None = None
        self._at: Array | None = None

    def update(self, method: Optimizer) -> int:
        """One update, 0 if loss or gradient is not finite where it begins: from weights that others set, anew."""
        assert isinstance(method, LBFGS)
        here = self._parameters()
        known = self._minimizer
        if known is None or not np.array_equal(here, known.parameter.astype(here.dtype)):
            known = method.minimizer(self._evaluate, here)
            if not self._epoch.finished:
                return 0
        self._minimizer, known.method = known, method
        known.update()
        if self._at is not known.parameter:
            self._evaluate(known.parameter)
        return 1

    def state(self) -> dict[str, Any]:
        """Where the search is: arrays, and the value of the loss; nothing before the first update."""
        return {} if self._minimizer is None else self._minimizer.state()

    def go_on(self, method: LBFGS, state: Mapping[str, Any]) -> None:
        """Search on from there."""
        self._minimizer = Minimizer.at(method, self._evaluate, state)

    def forget(self) -> None:
        """What is known of the curvature: it knows this search, and in a circle arrays of a device would stay there."""
        self._minimizer = None

    def _parameters(self) -> npt.NDArray[Any]:
        flat: npt.NDArray[Any] = self._model.layout.parts.join(list(self._model.parameters().values()))
        return flat

    def _evaluate(self, flat: Array) -> tuple[float, Array]:
        """Loss and gradient at these parameters; they and the sums of the metrics are in the store then."""
        names, pieces = self._model.layout.parameters, self._model.layout.parts.split(flat)
        self._model.store.write(dict(zip(names, pieces, strict=True)))
        self._at = flat
        self._epoch.start()
        self._epoch.run(1)
        found = self._epoch.read([LOSS, GRADIENT])
        return float(found[LOSS]), found[GRADIENT].astype(np.float64)
