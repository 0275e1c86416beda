"""Muon: momentum made orthogonal, for weight matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.names import lookup
from nnkit.optimizers import adaptive, varying
from nnkit.optimizers.adamw import AdamW
from nnkit.optimizers.newton_schulz import orthogonalized
from nnkit.optimizers.optimizer import ByParts, Optimizer, as_schedule, check_rate
from nnkit.optimizers.parts import Parts, Shape
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any

SCALES = {
    "original": lambda inputs, outputs: sqrt(max(1.0, outputs / inputs)),
    "match_rms_adamw": lambda inputs, outputs: 0.2 * sqrt(max(inputs, outputs)),
}
OTHERS = "others."


@dataclass(frozen=True)
class Muon(ByParts):
    """w ← (1 − η λ) w − η s O(g + μ (v − g)) with v ← μ v + (1 − μ) g, for every parameter of two dimensions.

    O is :func:`~nnkit.optimizers.newton_schulz.orthogonalized`: a step has the same length in all directions of the
    matrix. Without ``nesterov``, O(v). The factor s of a matrix (inputs, outputs) is √max(1, outputs/inputs), or with
    ``adjust="match_rms_adamw"`` 0.2 √max(inputs, outputs), which goes with the learning rates of AdamW. All other
    parameters, vectors and arrays of more than two dimensions, are updated by ``others``, an optimiser with settings of
    its own. The authors leave the first and the last layer to it as well; here every matrix is treated alike.

    The products are those of the network's data type, where PyTorch rounds to bfloat16. Jordan and others, "Muon: an
    optimizer for hidden layers in neural networks", 2024; Liu and others, "Muon is scalable for LLM training", 2025.

    >>> import numpy as np
    >>> method = Muon(0.1, weight_decay=0.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {"momentum": np.zeros(4)}
    >>> slope = np.asarray([[3.0, 0.0], [0.0, -7.0]])
    >>> method.update(np.ones((2, 2)), slope, zeros, settings, np.asarray(1.0))[0].round(2)
    array([[0.89, 1.  ],
           [1.  , 1.07]])
    """

    learning_rate: float | Schedule = 1e-3
    momentum: Varying = 0.95
    nesterov: bool = True
    weight_decay: Varying = 0.1
    steps: int = 5
    eps: float = 1e-7
    adjust: str = "original"
    others: Optimizer = AdamW()  # noqa: RUF009  # it is frozen

    name: ClassVar[str] = "muon"

    def __post_init__(self) -> None:
        check_rate("Muon", self.learning_rate)
        varying.check("Muon", "momentum", self.momentum, "[0, 1)")
        adaptive.check_flag("Muon", "nesterov", self.nesterov)
        varying.check("Muon", "weight_decay", self.weight_decay, "[0, inf)")
        check_count("Muon", "steps", self.steps, at_least=1)
        check_number("Muon", "eps", self.eps, "(0, inf)")
        lookup("adjust of Muon", self.adjust, SCALES)
        if not isinstance(self.others, Optimizer):
            raise ArgumentError(f"Muon: others is {self.others!r}, expected an optimiser object such as AdamW(0.001)")
        if not self.others.by_steps:
            raise ArgumentError(f"Muon: others is {self.others!r}, which works on all parameters at once; use it alone")
        if self.others.has_final:
            raise ArgumentError(f"Muon: others averages its parameters; wrap Muon instead, got {self.others!r}")
        if self.others.outermost:
            raise ArgumentError(f"Muon: others has to do with the loss; wrap Muon instead, got {self.others!r}")

    @property
    def moments(self) -> tuple[str, ...]:
        """The velocity v of all matrices, and the moments of the optimiser of the others."""
        return ("momentum", *(OTHERS + name for name in self.others.moments))

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """v of all matrices in a flat array, and what the other optimiser keeps of the others, where there are any."""
        matrices, rest = _sorted(parts)
        kept: dict[str, Shape] = {"momentum": (parts.chosen(matrices).count,)} if matrices else {}
        inner = self.others.moment_shapes(parts.chosen(rest)) if rest else {}
        return kept | {OTHERS + name: shape for name, shape in inner.items()}

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = varying.settings("momentum", self.momentum) | varying.settings("weight_decay", self.weight_decay)
        inner = {OTHERS + name: value for name, value in self.others.settings().items()}
        return as_schedule(self.learning_rate).settings() | own | {"eps": float(self.eps)} | inner

    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        matrices, rest = _sorted(parts)
        weights, slopes = parts.split(parameter), parts.split(gradient)
        moved: dict[str, Array] = {}
        if matrices:
            chosen = parts.chosen(matrices)
            flat, slope = (chosen.join([array[i] for i in matrices]) for array in (weights, slopes))
            new, moved["momentum"] = self._matrices(chosen, flat, slope, moments["momentum"], settings, step)
            for number, weight in zip(matrices, chosen.split(new), strict=True):
                weights[number] = weight
        if rest:
            chosen = parts.chosen(rest)
            flat, slope = (chosen.join([array[i] for i in rest]) for array in (weights, slopes))
            new, inner = self.others.update_parts(chosen, flat, slope, _inside(moments), _inside(settings), step)
            moved |= {OTHERS + name: value for name, value in inner.items()}
            for number, weight in zip(rest, chosen.split(new), strict=True):
                weights[number] = weight
        return parts.join(weights), moved

    def _matrices(
        self, parts: Parts, weight: Array, slope: Array, velocity: Array, settings: Mapping[str, Array], step: Array
    ) -> tuple[Array, Array]:
        """The matrices, flat, and their velocity."""
        rate = self.rate(step, settings)
        momentum = varying.at("momentum", self.momentum, step, settings)
        velocity = velocity + (slope - velocity) * (1.0 - momentum)
        ahead = slope + (velocity - slope) * momentum if self.nesterov else velocity
        change = [
            orthogonalized(matrix, self.steps, settings["eps"]) * SCALES[self.adjust](*matrix.shape)
            for matrix in parts.split(ahead)
        ]
        decay = 1.0 - rate * varying.at("weight_decay", self.weight_decay, step, settings)
        return weight * decay - parts.join(change) * rate, velocity


def _sorted(parts: Parts) -> tuple[list[int], list[int]]:
    """Which parameters are matrices, and which are not."""
    matrices = [number for number, shape in enumerate(parts.shapes) if len(shape) == 2]
    return matrices, [number for number in range(len(parts.shapes)) if number not in matrices]


def _inside(named: Mapping[str, Array]) -> dict[str, Array]:
    """What belongs to the optimiser of the others, under the names that it knows."""
    return {name.removeprefix(OTHERS): value for name, value in named.items() if name.startswith(OTHERS)}
