"""What is measured in a training: running means in its steps, and exact values of the validation data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy.typing as npt

from nnkit.errors import ArgumentError
from nnkit.training.asked import Asked
from nnkit.training.data import TrainingData
from nnkit.training.means import Means
from nnkit.training.model import Model
from nnkit.training.objective import Objective

Array = npt.NDArray[Any]
Score = Callable[[Objective, Array, Array, Array | None], tuple[float, Array]]


class Scoring(NamedTuple):
    """How data are scored as ``Network.test`` does it."""

    now: Score
    """That of an evaluator."""
    later: Callable[[Objective, TrainingData, Asked], Callable[[], dict[str, float]]]
    """Makes the function that scores the training data with the weights of this moment."""


class Reason(NamedTuple):
    """Why a metric had no value, or what there is to say of it, and when that was first so."""

    epoch: int
    text: str


@dataclass
class Exact:
    """The metrics of the validation data, from predictions by the program of ``Network.test``."""

    asked: Asked
    goal: Objective
    score: Score
    rows: tuple[Array, Array, Array | None]
    reasons: dict[str, Reason] = field(default_factory=dict)

    def __call__(self, epoch: int) -> dict[str, float]:
        """The values with the weights of this moment; NaN where there is none."""
        _, y, weight = self.rows
        found, said = self.asked.known(y, self.score(self.goal, *self.rows)[1], weight)
        for name, text in said.items():
            self.reasons.setdefault(name, Reason(epoch, text))
        return found


def measured(
    asked: Asked, model: Model, goal: Objective, data: TrainingData, score: Score
) -> tuple[Means, Exact | None]:
    """Running means, and exact values if there are validation data; what would be measured nowhere is refused."""
    if goal.counts_correct:
        asked = asked.without("accuracy")  # which every training has
    means = Means.of(asked, goal.loss.targets_for(model.layout.output_shape[0]))
    if data.validation is not None and asked.metrics:
        return means, Exact(asked, goal, score, data.validation.chosen())
    for name in asked.names:
        if name not in means.names:
            raise ArgumentError(
                f"metric '{name}' needs all rows at once, so training has it for validation data only: pass "
                f"validation_split=0.1 or validation_data=, or call net.test(x, y, metrics=['{name}']) after it"
            )
    return means, None


def directions(asked: Asked) -> dict[str, bool]:
    """By name in the history, whether more is better, as far as that is known."""
    better = {metric.name: metric.more_is_better for metric in asked.metrics} | {"loss": False, "accuracy": True}
    known = {name: upwards for name, upwards in better.items() if upwards is not None}
    return known | {f"val_{name}": upwards for name, upwards in known.items()}
