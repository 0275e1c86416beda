"""Every optimiser finds the lowest point of functions whose lowest point is known."""

import numpy as np
import pytest

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
from nnkit.optimizers.schedules import Constant, Cosine, Step
from tests.optimizers.steps import finals, states

CURVATURE, OPTIMUM = np.asarray([1.0, 10.0, 0.3]), np.asarray([1.0, -2.0, 0.5])

QUADRATIC = {
    "sgd": (SGD(0.1), 400),
    "sgd, momentum": (SGD(0.05, momentum=0.9), 400),
    "sgd, nesterov": (SGD(0.05, momentum=0.9, nesterov=True), 400),
    "rmsprop": (RMSprop(Step(0.05, every=100, factor=0.1)), 500),
    "adagrad": (Adagrad(1.0), 500),
    "adadelta": (Adadelta(10.0, eps=1e-4), 1000),
    "adam": (Adam(0.05), 1000),
    "adam, cosine": (Adam(Cosine(0.1, steps=500, warmup=10)), 500),
    "amsgrad": (Adam(0.05, amsgrad=True), 1000),
    "adamw": (AdamW(0.05, weight_decay=0.0), 1000),
    "adamax": (Adamax(0.1), 1000),
    "nadam": (NAdam(0.05), 1000),
    "radam": (RAdam(0.05), 1000),
    "lion": (Lion(Cosine(0.05, steps=500)), 500),
    "lamb": (LAMB(Cosine(0.1, steps=500)), 500),
    "adafactor": (Adafactor(Cosine(0.5, steps=500)), 500),
    "rprop": (Rprop(0.1), 200),
    "muon": (Muon(Cosine(0.05, steps=500), weight_decay=0.0), 500),
    "ftrl": (Ftrl(1.0), 500),
    "schedule_free_adamw": (ScheduleFreeAdamW(Constant(0.1, warmup=10)), 1000),
    "clip_by_global_norm": (ClipByGlobalNorm(SGD(0.1, momentum=0.5), 1.0), 400),
    "clip_by_norm": (ClipByNorm(SGD(0.1, momentum=0.5), 1.0), 400),
    "clip_by_value": (ClipByValue(SGD(0.1, momentum=0.5), 1.0), 400),
    "weight_decay": (WeightDecay(SGD(0.1), 0.0), 400),
    "accumulate": (Accumulate(SGD(0.1, momentum=0.5), 2), 800),
    "exponential_moving_average": (ExponentialMovingAverage(SGD(0.1), 0.9), 400),
    "loss_scale": (LossScale(SGD(0.1), initial=1.0, interval=1000), 400),
}
MATRIX = Parts(((1, 3),))
"""For Muon, which leaves vectors to another optimiser."""


@pytest.mark.parametrize("case", QUADRATIC)
def test_a_quadratic_in_float32(case):
    optimizer, steps = QUADRATIC[case]
    curvature, optimum = CURVATURE.astype(np.float32), OPTIMUM.astype(np.float32)
    parts = MATRIX if case == "muon" else None
    end = finals(optimizer, np.zeros(3, np.float32), lambda p, _: curvature * (p - optimum), steps, parts)[-1]
    assert end.dtype == np.float32
    np.testing.assert_allclose(end, optimum, atol=2e-3)


def rosenbrock(point, _):
    """The gradient of (1 − x)² + 100 (y − x²)², a curved valley that is flat along its ground."""
    x, y = point
    return np.asarray([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


ROSENBROCK = {
    "sgd": (SGD(1e-3, momentum=0.9, nesterov=True), 3000),
    "rmsprop": (RMSprop(Cosine(0.01, steps=3000)), 3000),
    "adagrad": (Adagrad(1.0), 4000),
    "adadelta": (Adadelta(Cosine(1.0, steps=6000), rho=0.99, eps=1e-4), 6000),
    "adam": (Adam(0.02), 3000),
    "amsgrad": (Adam(0.1, amsgrad=True), 3000),
    "adamw": (AdamW(0.02, weight_decay=0.0), 3000),
    "adamax": (Adamax(0.1), 3000),
    "nadam": (NAdam(0.02), 3000),
    "radam": (RAdam(Constant(0.1, warmup=1000)), 4000),
    "lion": (Lion(Cosine(0.01, steps=3000)), 3000),
    "lamb": (LAMB(Cosine(0.02, steps=3000)), 3000),
    "adafactor": (Adafactor(Cosine(0.02, steps=6000)), 6000),
    "rprop": (Rprop(0.01), 3000),
    "muon": (Muon(Cosine(0.02, steps=3000), weight_decay=0.0), 3000),
    "ftrl": (Ftrl(1.0), 4000),
    "schedule_free_adamw": (ScheduleFreeAdamW(Constant(0.02, warmup=50), (0.98, 0.999)), 3000),
    "clip_by_global_norm": (ClipByGlobalNorm(SGD(1e-3, momentum=0.9), 10.0), 4000),
    "clip_by_norm": (ClipByNorm(SGD(1e-3, momentum=0.9), 10.0), 4000),
    "clip_by_value": (ClipByValue(SGD(1e-3, momentum=0.9), 10.0), 4000),
    "weight_decay": (WeightDecay(Adam(0.02), 0.0), 3000),
    "accumulate": (Accumulate(Adam(0.05), 2), 3000),
    "exponential_moving_average": (ExponentialMovingAverage(Adam(0.02), 0.99), 3000),
    "loss_scale": (LossScale(Adam(0.02), initial=1.0, interval=5000), 3000),
}


@pytest.mark.parametrize("case", ROSENBROCK)
def test_the_valley_of_rosenbrock(case):
    """From the usual start, where the value is 24, to less than a thousandth."""
    optimizer, steps = ROSENBROCK[case]
    parts = Parts(((1, 2),)) if case == "muon" else Parts(((2,),))
    settings = {name: np.asarray(value) for name, value in optimizer.settings().items()}
    for weights in states(optimizer, np.asarray([-1.2, 1.0]), rosenbrock, steps, parts):  # noqa: B007
        pass
    x, y = optimizer.final(*weights, settings, steps)
    assert (1 - x) ** 2 + 100 * (y - x * x) ** 2 < 1e-3
    assert (x, y) == pytest.approx((1.0, 1.0), abs=0.05)
