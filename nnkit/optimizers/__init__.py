"""Optimisers: how the parameters change, given the gradient. PyTorch's formulas and defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from nnkit import hyperparameters
from nnkit.elsewhere import missing
from nnkit.names import lookup
from nnkit.optimizers import schedules
from nnkit.optimizers.adadelta import Adadelta
from nnkit.optimizers.adafactor import Adafactor
from nnkit.optimizers.adagrad import Adagrad
from nnkit.optimizers.adam import Adam
from nnkit.optimizers.adamax import Adamax
from nnkit.optimizers.adamw import AdamW
from nnkit.optimizers.ftrl import Ftrl
from nnkit.optimizers.lamb import LAMB
from nnkit.optimizers.lbfgs import LBFGS
from nnkit.optimizers.lion import Lion
from nnkit.optimizers.muon import Muon
from nnkit.optimizers.nadam import NAdam
from nnkit.optimizers.optimizer import ByParts, Optimizer
from nnkit.optimizers.parts import Parts
from nnkit.optimizers.radam import RAdam
from nnkit.optimizers.rmsprop import RMSprop
from nnkit.optimizers.rprop import Rprop
from nnkit.optimizers.schedule_free import ScheduleFreeAdamW
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.sgd import SGD
from nnkit.optimizers.wrappers import (
    WRAPPERS,
    Accumulate,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    ExponentialMovingAverage,
    LossScale,
    WeightDecay,
    Wrapper,
)

__all__ = [
    "ALIASES",
    "FULL_BATCH",
    "LAMB",
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "VARIANTS",
    "WRAPPERS",
    "Accumulate",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ByParts",
    "ClipByGlobalNorm",
    "ClipByNorm",
    "ClipByValue",
    "ExponentialMovingAverage",
    "Ftrl",
    "Lion",
    "LossScale",
    "Muon",
    "NAdam",
    "Optimizer",
    "Parts",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Schedule",
    "ScheduleFreeAdamW",
    "WeightDecay",
    "Wrapper",
    "from_config",
    "get",
    "schedules",
]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    made.name: made
    for made in (
        SGD,
        RMSprop,
        Adagrad,
        Adadelta,
        Adam,
        AdamW,
        Adamax,
        NAdam,
        RAdam,
        Lion,
        LAMB,
        Adafactor,
        Rprop,
        Muon,
        Ftrl,
        ScheduleFreeAdamW,
    )
}
# Those that work on all rows at once.
FULL_BATCH: dict[str, type[Optimizer]] = {LBFGS.name: LBFGS}
# Names of what is a choice of one of these.
VARIANTS: dict[str, Callable[..., Optimizer]] = {"amsgrad": partial(Adam, amsgrad=True)}
ALIASES = {
    "rms_prop": "rmsprop",
    "adam_w": "adamw",
    "ada_grad": "adagrad",
    "ada_delta": "adadelta",
    "ada_max": "adamax",
    "n_adam": "nadam",
    "r_adam": "radam",
    "ada_factor": "adafactor",
    "r_prop": "rprop",
    "l_bfgs": "lbfgs",
    "schedule_free": "schedule_free_adamw",
    "adamw_schedule_free": "schedule_free_adamw",
    "adamwschedulefree": "schedule_free_adamw",
    "schedulefreeadamw": "schedule_free_adamw",
}


def get(optimizer: str | Optimizer, learning_rate: float | Schedule | None = None) -> Optimizer:
    """An optimiser by name, with this learning rate or its own default; an object is returned as it is.

    >>> get("sgd", 0.1)
    SGD(learning_rate=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    make: Any = lookup("optimizer", optimizer, OPTIMIZERS | FULL_BATCH | VARIANTS, ALIASES)
    made: Optimizer = make() if learning_rate is None else make(learning_rate)
    return made


def from_config(config: Mapping[str, Any]) -> Optimizer:
    """The optimiser that ``Optimizer.config`` described, schedules and wrapped optimisers included.

    >>> from_config(Adam(0.5).config()) == Adam(0.5)
    True
    """
    return hyperparameters.from_config("optimizer", config, _KNOWN, _INSIDE)


_KNOWN: dict[str, type[Optimizer]] = OPTIMIZERS | FULL_BATCH | WRAPPERS
_OPTIMIZER_FIELDS = ("optimizer", "others")
# Every other hyper-parameter that is described by a mapping is a schedule.
_INSIDE: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    field.name: from_config if field.name in _OPTIMIZER_FIELDS else schedules.from_config
    for made in _KNOWN.values()
    for field in fields(made)  # type: ignore[arg-type]
}

if not TYPE_CHECKING:
    __getattr__ = missing(
        __name__,
        {name: f"it is nnkit.optimizers.schedules.{name}" for name in schedules.__all__} | schedules.ELSEWHERE,
    )
