"""The schedules by the names that users know."""

from __future__ import annotations

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

_FALLING = (Step, MultiStep, Exponential, Polynomial, InverseTime, InverseSquareRoot, Cosine)
_OTHERS = (Constant, Linear, CosineRestarts, OneCycle, Cyclic, Sequence)

SCHEDULES: dict[str, type[Schedule]] = {made.name: made for made in (*_FALLING, *_OTHERS)}
ALIASES = {
    "constantlr": "constant",
    "steplr": "step",
    "multistep": "multi_step",
    "multisteplr": "multi_step",
    "exponentiallr": "exponential",
    "exponentialdecay": "exponential",
    "polynomiallr": "polynomial",
    "polynomialdecay": "polynomial",
    "inversetimedecay": "inverse_time",
    "noam": "inverse_square_root",
    "transformer": "inverse_square_root",
    "cosineannealinglr": "cosine",
    "cosineannealing": "cosine",
    "cosinedecay": "cosine",
    "cosineannealingwarmrestarts": "cosine_restarts",
    "cosinedecayrestarts": "cosine_restarts",
    "sgdr": "cosine_restarts",
    "onecyclelr": "one_cycle",
    "onecycle": "one_cycle",
    "1cycle": "one_cycle",
    "cycliclr": "cyclic",
    "linearlr": "linear",
    "sequentiallr": "sequence",
    "sequential": "sequence",
    "chained": "sequence",
    "piecewise": "sequence",
    "piecewiseconstantdecay": "sequence",
}
