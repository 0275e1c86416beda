"""Learning rates as functions of the number of the update, each with an optional linear warm-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnkit import hyperparameters
from nnkit.elsewhere import missing
from nnkit.names import lookup
from nnkit.optimizers.schedules.constant import Constant
from nnkit.optimizers.schedules.cosine import Cosine
from nnkit.optimizers.schedules.cyclic import Cyclic
from nnkit.optimizers.schedules.exponential import Exponential
from nnkit.optimizers.schedules.inverse import InverseSquareRoot, InverseTime
from nnkit.optimizers.schedules.linear import Linear
from nnkit.optimizers.schedules.multi_step import MultiStep
from nnkit.optimizers.schedules.one_cycle import OneCycle
from nnkit.optimizers.schedules.polynomial import Polynomial
from nnkit.optimizers.schedules.restarts import CosineRestarts
from nnkit.optimizers.schedules.schedule import Schedule
from nnkit.optimizers.schedules.sequence import Sequence
from nnkit.optimizers.schedules.step import Step
from nnkit.optimizers.schedules.stretched import Stretched
from nnkit.optimizers.schedules.table import ALIASES, SCHEDULES

__all__ = [
    "ALIASES",
    "SCHEDULES",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "InverseSquareRoot",
    "InverseTime",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "Schedule",
    "Sequence",
    "Step",
    "Stretched",
    "from_config",
    "get",
]


def get(name: str) -> type[Schedule]:
    """The class of a schedule by its name, or by the one that Keras or PyTorch has for it.

    >>> get("CosineAnnealingLR").__name__
    'Cosine'
    """
    return lookup("schedule", name, SCHEDULES, ALIASES)


def from_config(config: Mapping[str, Any]) -> Schedule:
    """The schedule that ``Schedule.config`` described, those inside of it included.

    >>> from_config({"name": "step", "learning_rate": 0.1, "every": 100})
    Step(learning_rate=0.1, every=100, factor=0.1, warmup=0)
    """
    return hyperparameters.from_config("schedule", config, SCHEDULES, {"schedules": from_config})


_OTHERS = (
    *("StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR"),
    *("CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR", "SequentialLR"),
    *("ExponentialDecay", "PolynomialDecay", "InverseTimeDecay", "CosineDecay", "CosineDecayRestarts"),
    "PiecewiseConstantDecay",
)
ELSEWHERE = {name: f"it is nnkit.optimizers.schedules.{get(name).__name__} here" for name in _OTHERS} | {
    "ReduceLROnPlateau": "it is the callback nnkit.callbacks.ReduceOnPlateau here",
    "LambdaLR": "it is the callback nnkit.callbacks.LearningRateSchedule(function) here",
}
"""Where names of PyTorch and Keras lead."""

if not TYPE_CHECKING:
    __getattr__ = missing(__name__, ELSEWHERE)
