"""Every optimiser in the forms that tests look at, with parameters and gradients of many magnitudes."""

import numpy as np

from nnkit.optimizers import (
    LAMB,
    SGD,
    Accumulate,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    ExponentialMovingAverage,
    Ftrl,
    Lion,
    LossScale,
    Muon,
    NAdam,
    Parts,
    RAdam,
    RMSprop,
    Rprop,
    ScheduleFreeAdamW,
    WeightDecay,
)
from nnkit.optimizers.schedules import Constant, Cosine, Exponential, Step

STEPS = 30
PARTS = Parts(((3, 2), (3,)))
START = np.random.default_rng(0).normal(size=9)
GRADIENTS = np.random.default_rng(1).normal(size=(STEPS, 9)) * np.geomspace(1e-6, 1e3, 9)


def gradient_of(_, step):
    """The same gradients for everybody."""
    return GRADIENTS[step - 1]


PLAIN = {
    "sgd": SGD(0.1),
    "sgd, momentum": SGD(0.05, momentum=0.9),
    "sgd, nesterov": SGD(0.05, momentum=0.9, nesterov=True),
    "sgd, decay": SGD(0.05, momentum=0.9, weight_decay=0.1),
    "sgd, scheduled": SGD(
        Cosine(0.1, steps=40, warmup=2), Exponential(0.9, factor=0.98), weight_decay=Step(0.1, every=4)
    ),
}
ADAPTIVE = {
    "rmsprop": RMSprop(),
    "rmsprop, momentum": RMSprop(0.02, alpha=0.9, eps=1e-6, momentum=0.5),
    "adagrad": Adagrad(),
    "adagrad, initial": Adagrad(0.1, eps=1e-6, initial=0.5),
    "adadelta": Adadelta(),
    "adadelta, other": Adadelta(0.5, rho=0.6, eps=1e-3),
    "adam": Adam(),
    "adam, other": Adam(0.1, (0.5, 0.9), 1e-3),
    "adam, no memory": Adam(0.1, (0.0, 0.0)),
    "amsgrad": Adam(0.1, (0.5, 0.6), amsgrad=True),
    "adamw": AdamW(),
    "adamw, other": AdamW(0.1, weight_decay=0.3),
    "adamw, amsgrad": AdamW(0.1, (0.5, 0.6), amsgrad=True),
    "adamax": Adamax(),
    "adamax, other": Adamax(0.1, (0.5, 0.7), 1e-3),
    "nadam": NAdam(),
    "nadam, other": NAdam(0.1, (0.5, 0.9), 1e-3, momentum_decay=0.2),
    "nadam, no memory": NAdam(0.1, (0.0, 0.9)),
    "radam": RAdam(),
    "radam, other": RAdam(0.1, (0.5, 0.9), 1e-3),
    "radam, short": RAdam(0.1, (0.5, 0.5)),
    "lion": Lion(0.01),
    "lion, decay": Lion(0.01, (0.8, 0.9), weight_decay=0.3),
    "rprop": Rprop(),
    "rprop, other": Rprop(0.1, etas=(0.3, 1.5), step_sizes=(1e-3, 0.2)),
    "ftrl": Ftrl(0.1),
    "ftrl, other": Ftrl(0.1, l1=0.5, l2=0.1, beta=1.0, initial=0.0),
    "schedule_free_adamw": ScheduleFreeAdamW(),
    "schedule_free_adamw, other": ScheduleFreeAdamW(Constant(0.1, warmup=5), (0.6, 0.9), 1e-3, weight_decay=0.3),
    "lamb": LAMB(0.01),
    "lamb, decay": LAMB(0.01, (0.5, 0.9), 1e-3, weight_decay=0.3),
    "adafactor": Adafactor(),
    "adafactor, other": Adafactor(0.5, beta2_decay=-0.5, eps=(1e-4, 0.1), d=2.0, weight_decay=0.1),
    "muon": Muon(),
    "muon, other": Muon(0.1, momentum=0.5, nesterov=False, adjust="match_rms_adamw", others=SGD(0.1, momentum=0.9)),
}
INNER = SGD(0.05, momentum=0.9)
WRAPPED = {
    "clip_by_global_norm": ClipByGlobalNorm(INNER, 0.5),
    "clip_by_norm": ClipByNorm(INNER, 0.5),
    "clip_by_value": ClipByValue(INNER, 0.5),
    "weight_decay": WeightDecay(INNER, 0.1),
    "accumulate": Accumulate(INNER, 3),
    "exponential_moving_average": ExponentialMovingAverage(INNER, 0.9),
    "loss_scale": LossScale(INNER, 4.0, 3),
    "several": Accumulate(ExponentialMovingAverage(ClipByNorm(WeightDecay(AdamW(0.1), 0.2), 0.5), 0.8), 2),
    "of each two": Accumulate(Accumulate(ClipByNorm(ClipByNorm(WeightDecay(WeightDecay(Muon(0.1))), 3.0), 1.0), 2), 2),
    "scheduled": ClipByValue(WeightDecay(Adam(0.1), Cosine(0.3, steps=20)), Exponential(0.5, factor=0.9)),
    "scaled, several": LossScale(ClipByNorm(Accumulate(Adam(0.1), 2), 0.5), 8.0, 2),
}
CASES = PLAIN | ADAPTIVE | WRAPPED
