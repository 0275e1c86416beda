"""Weights divided by their largest singular value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.nn.leaves import INPUTS, From, Parameter, State
from nnkit.nn.module import Module
from nnkit.nn.weight_norm import Reparametrised
from nnkit.ops import namespace, stop_gradient

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any
FIRST = 15
"""Iterations for the first vectors."""
MOST = 1000


class SpectralNorm(Reparametrised):
    """A layer with the weight w / σ, σ the largest singular value of w: it stretches no difference between inputs.

    In training, ``iterations`` steps of the power method, u ← w v / ‖w v‖ and v ← w u / ‖w u‖, follow the singular
    vectors u (units,) and v (inputs,), which are states; σ = u · w v, with u and v as constants for differentiation.
    Outside training σ is taken with the vectors as they are. Miyato, Kataoka, Koyama, Yoshida, "Spectral normalization
    for generative adversarial networks", ICLR 2018.

    >>> from nnkit.nn import Dense
    >>> SpectralNorm(Dense(8, "relu"))
    SpectralNorm(Dense(8, activation='relu'))
    """

    def __init__(self, module: Module, iterations: int = 1, eps: float = 1e-12) -> None:
        super().__init__(module)
        check_count("SpectralNorm", "iterations", iterations, at_least=1)
        if iterations > MOST:
            raise ArgumentError(
                f"SpectralNorm: iterations is {iterations}, expected at most {MOST:,}: each is in the step"
            )
        check_number("SpectralNorm", "eps", eps, "(0, inf)")
        weight: Parameter = self.module.weight  # type: ignore[attr-defined]
        if len(weight.shape) != 2:
            raise ArgumentError(f"SpectralNorm: needs a weight of two axes, (inputs, units), got {weight.shape}")
        self.iterations, self.eps = int(iterations), float(eps)
        self.u = State(weight.shape[1:], From(_first, weight))
        self.v = State((INPUTS,), From(_partner, weight, self.u))

    def _replaced(self, weight: Array, run: Run) -> Array:
        xp, fixed = namespace(weight), stop_gradient(weight)
        u, v = self.u, self.v
        if run.training:
            for _ in range(self.iterations):
                u = self._unit(xp, v @ fixed)
                v = self._unit(xp, fixed @ u)
            run.update(self, u=u, v=v)
        return weight / xp.clip(xp.sum(v @ weight * u), self.eps, None)

    def _unit(self, xp: Any, vector: Array) -> Array:
        return vector / xp.clip(xp.sqrt(xp.sum(xp.square(vector))), self.eps, None)

    def __repr__(self) -> str:
        options = "" if self.iterations == 1 else f", iterations={self.iterations}"
        return f"SpectralNorm({self.module!r}{options})"

    def config(self) -> dict[str, Any] | None:
        """Constructor arguments."""
        return {"module": self.module, "iterations": self.iterations, "eps": self.eps}


def _first(weight: Any) -> Any:
    """The singular vector of the units, from a fixed start."""
    u = np.ones(weight.shape[1])
    for _ in range(FIRST):
        u = _unit(weight.T @ (weight @ u))
    return _unit(u)


def _partner(weight: Any, u: Any) -> Any:
    return _unit(weight @ u)


def _unit(vector: Any) -> Any:
    return vector / max(float(np.sqrt(np.sum(np.square(vector)))), 1e-30)
