"""L-BFGS: a quasi-Newton method on all rows at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nnkit.hyperparameters import check_count, check_number
from nnkit.optimizers.line_search import Point, line_search
from nnkit.optimizers.optimizer import Optimizer

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]
CURVED = 1e-10
"""Pairs whose curvature yᵀs is a smaller share of ‖y‖² tell of rounding only."""


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """w ← w − α H g, with H from the latest changes of w and g, and α by a search for the strong Wolfe conditions.

    H is the inverse Hessian as far as the last ``history`` pairs (s, y) = (Δw, Δg) know it, by the two-loop recursion;
    ``learning_rate`` is the α that is tried first, and ``evaluations`` how many times an update may evaluate loss and
    gradient; a training may change all three between epochs. Each update works on all rows: an epoch is one update,
    ``batch_size`` does not count, and the figures of the history are exact ones, of the weights after it.
    Reckoned in float64 on the host, whatever the network's dtype; for networks without dropout, batch normalisation and
    constraints. Liu, Nocedal, "On the limited memory BFGS method for large scale
    optimization", Mathematical Programming 45, 1989.

    >>> method = LBFGS(history=5)
    >>> steps = method.minimizer(lambda w: (float(w @ w), 2.0 * w), np.asarray([3.0, -4.0]))
    >>> steps.update(), steps.update(), bool(np.abs(steps.parameter).max() < 1e-9)
    (True, True, True)
    """

    learning_rate: float = 1.0
    history: int = 10
    evaluations: int = 25

    name: ClassVar[str] = "lbfgs"
    moments: ClassVar[tuple[str, ...]] = ()
    by_steps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_number("LBFGS", "learning_rate", self.learning_rate, "(0, inf)")
        check_count("LBFGS", "history", self.history, at_least=1)
        check_count("LBFGS", "evaluations", self.evaluations, at_least=1)

    def minimizer(self, objective: Objective, start: Array) -> Minimizer:
        """Begins at ``start``; ``objective`` gives value and gradient at a point."""
        return Minimizer(self, objective, start)

    def settings(self) -> dict[str, float]:
        """The hyper-parameter that ``update`` reads."""
        return {"learning_rate": float(self.learning_rate)}

    def update(
        self,
        parameter: Any,
        gradient: Any,
        moments: Mapping[str, Any],
        settings: Mapping[str, Any],
        step: Any,
    ) -> tuple[Any, dict[str, Any]]:
        """One step down the gradient, as long as nothing is known of the curvature; ``minimizer`` does the rest."""
        return parameter - gradient * settings["learning_rate"], {}


class Minimizer:
    """Where L-BFGS is: the parameter, value and gradient there, and what it knows of the curvature.

    ``method`` may be another one for the next update.
    """

    def __init__(self, method: LBFGS, objective: Objective, start: Array) -> None:
        self.method, self._objective = method, objective
        self.parameter = start.astype(np.float64)
        self.value, self.gradient = objective(self.parameter)
        self._pairs: deque[tuple[Array, Array]] = deque()

    @classmethod
    def at(cls, method: LBFGS, objective: Objective, state: Mapping[str, Any]) -> Minimizer:
        """Where another one was when it gave its ``state``."""
        made = cls.__new__(cls)
        made.method, made._objective = method, objective
        made.parameter, made.gradient, made.value = state["parameter"], state["gradient"], state["value"]
        made._pairs = deque(zip(state["changes"], state["gradient_changes"], strict=True))
        return made

    def state(self) -> dict[str, Any]:
        """The parameter, value and gradient, and the pairs of changes as two arrays of rows."""
        width = self.parameter.size
        return {
            "parameter": self.parameter,
            "gradient": self.gradient,
            "value": self.value,
            "changes": np.reshape([s for s, _ in self._pairs], (-1, width)),
            "gradient_changes": np.reshape([y for _, y in self._pairs], (-1, width)),
        }

    def update(self) -> bool:
        """One update; False where no step along the direction makes the value smaller, as at a minimum."""
        direction = self._direction()
        slope = float(direction @ self.gradient)
        if slope >= 0 and self._pairs:  # rounding has spoilt what is known of the curvature
            self._pairs.clear()
            return self.update()
        if not slope < 0:
            return False
        seen: dict[float, tuple[Array, float, Array]] = {}

        def along(at: float) -> Point:
            there = self.parameter + at * direction
            value, gradient = self._objective(there)
            seen[at] = there, value, gradient
            return Point(at, value, float(gradient @ direction))

        first = self.method.learning_rate
        if not self._pairs:  # nothing is known of the scale yet
            first *= min(1.0, 1.0 / float(np.abs(self.gradient).sum()))
        found = line_search(along, Point(0.0, self.value, slope), first, self.method.evaluations)
        if found is None:
            return False
        self._move(*seen[found.at])
        return True

    def _move(self, there: Array, value: float, gradient: Array) -> None:
        s, y = there - self.parameter, gradient - self.gradient
        if float(y @ s) > CURVED * float(y @ y):
            self._pairs.append((s, y))
        while len(self._pairs) > self.method.history:
            self._pairs.popleft()
        self.parameter, self.value, self.gradient = there, value, gradient

    def _direction(self) -> Array:
        """−H g by the two-loop recursion (Nocedal, Wright, algorithm 7.4)."""
        q = self.gradient.copy()
        shares = []
        for s, y in reversed(self._pairs):
            share = float(s @ q) / float(y @ s)
            q -= share * y
            shares.append(share)
        if self._pairs:
            s, y = self._pairs[-1]
            q *= float(y @ s) / float(y @ y)
        for (s, y), share in zip(self._pairs, reversed(shares), strict=True):
            q += (share - float(y @ q) / float(y @ s)) * s
        return -q
