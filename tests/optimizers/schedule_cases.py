"""Every schedule with its closed form, written out here, and the same from PyTorch or Keras where they have it."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from nnkit.optimizers.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseSquareRoot,
    InverseTime,
    Linear,
    MultiStep,
    OneCycle,
    Polynomial,
    Schedule,
    Sequence,
    Step,
)

STEPS = 400


class Case(NamedTuple):
    """A schedule of 400 updates from 0.3 on, and its rate after n updates: by a formula, by PyTorch, by Keras."""

    schedule: Schedule
    closed: Callable[[int], float]
    torch: Callable[[Any, Any], Any] | None = None
    keras: Callable[[Any], Any] | None = None


def half_wave(share, high=0.3, low=0.01):
    return low + (high - low) * (1 + math.cos(math.pi * share)) / 2


def restarts(n, first, multiply, factor=1.0):
    length, period = first, 0
    while n >= length:
        n, length, period = n - length, length * multiply, period + 1
    return half_wave(n / length, 0.01 + 0.29 * factor**period)


def triangle(n, rise, fall):
    n %= rise + fall
    return n / rise if n <= rise else 1 - (n - rise) / fall


def one_cycle(n, rise, div=25.0, final=1e4, steps=STEPS):
    top, last = rise * steps - 1, steps - 1
    if n <= top:
        return half_wave(n / top, 0.3 / div, 0.3)
    return half_wave((min(n, last) - top) / (last - top), 0.3, 0.3 / div / final)


def in_turn(n):
    if n < 100:
        return 0.3 * (0.1 + 0.9 * n / 100)
    return 0.3 * 0.99 ** (n - 100) if n < 250 else half_wave((n - 250) / 150, 0.3, 0.0)


def torch_in_turn(s, o):
    parts = [
        s.LinearLR(o, start_factor=0.1, total_iters=100),
        s.ExponentialLR(o, 0.99),
        s.CosineAnnealingLR(o, T_max=150),
    ]
    return s.SequentialLR(o, parts, milestones=[100, 250])


CASES = {
    "constant": Case(Constant(0.3), lambda n: 0.3, lambda s, o: s.ConstantLR(o, factor=1.0)),
    "step": Case(
        Step(0.3, every=7, factor=0.9),
        lambda n: 0.3 * 0.9 ** (n // 7),
        lambda s, o: s.StepLR(o, step_size=7, gamma=0.9),
        lambda s: s.ExponentialDecay(0.3, 7, 0.9, staircase=True),
    ),
    "multi_step": Case(
        MultiStep(0.3, [3, 50, 51, 333], factor=0.5),
        lambda n: 0.3 * 0.5 ** sum(n >= m for m in (3, 50, 51, 333)),
        lambda s, o: s.MultiStepLR(o, [3, 50, 51, 333], gamma=0.5),
    ),
    "exponential": Case(
        Exponential(0.3, factor=0.98),
        lambda n: 0.3 * 0.98**n,
        lambda s, o: s.ExponentialLR(o, gamma=0.98),
        lambda s: s.ExponentialDecay(0.3, 1, 0.98),
    ),
    "exponential, over 10": Case(
        Exponential(0.3, factor=0.9, every=10),
        lambda n: 0.3 * 0.9 ** (n / 10),
        None,
        lambda s: s.ExponentialDecay(0.3, 10, 0.9),
    ),
    "polynomial": Case(
        Polynomial(0.3, steps=350, power=1.7),
        lambda n: 0.3 * (1 - min(n, 350) / 350) ** 1.7,
        lambda s, o: s.PolynomialLR(o, total_iters=350, power=1.7),
        lambda s: s.PolynomialDecay(0.3, 350, 0.0, 1.7),
    ),
    "polynomial, to a minimum": Case(
        Polynomial(0.3, steps=300, power=0.5, minimum=0.01),
        lambda n: 0.01 + 0.29 * (1 - min(n, 300) / 300) ** 0.5,
        None,
        lambda s: s.PolynomialDecay(0.3, 300, 0.01, 0.5),
    ),
    "inverse_time": Case(
        InverseTime(0.3, decay=0.5, every=20),
        lambda n: 0.3 / (1 + 0.5 * n / 20),
        None,
        lambda s: s.InverseTimeDecay(0.3, 20, 0.5),
    ),
    "inverse_square_root": Case(
        InverseSquareRoot(0.3),
        lambda n: 0.3 / math.sqrt(n + 1),
        lambda s, o: s.LambdaLR(o, lambda n: (n + 1) ** -0.5),
    ),
    "cosine": Case(
        Cosine(0.3, steps=STEPS, minimum=0.01),
        lambda n: half_wave(n / STEPS),
        lambda s, o: s.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.01),
        lambda s: s.CosineDecay(0.3, STEPS, alpha=0.01 / 0.3),
    ),
    "cosine_restarts": Case(
        CosineRestarts(0.3, first=30, minimum=0.01),
        lambda n: restarts(n, 30, 1),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 30, eta_min=0.01),
        lambda s: s.CosineDecayRestarts(0.3, 30, t_mul=1.0, alpha=0.01 / 0.3),
    ),
    "cosine_restarts, each longer": Case(
        CosineRestarts(0.3, first=5, multiply=2, minimum=0.01),
        lambda n: restarts(n, 5, 2),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 2, eta_min=0.01),
    ),
    "cosine_restarts, each lower": Case(
        CosineRestarts(0.3, first=7, multiply=3, minimum=0.01, factor=0.8),
        lambda n: restarts(n, 7, 3, 0.8),
        None,
        lambda s: s.CosineDecayRestarts(0.3, 7, t_mul=3.0, m_mul=0.8, alpha=0.01 / 0.3),
    ),
    "one_cycle": Case(
        OneCycle(0.3, steps=STEPS),
        lambda n: one_cycle(n, 0.3),
        lambda s, o: s.OneCycleLR(o, max_lr=0.3, total_steps=STEPS),
    ),
    "one_cycle, of other shape": Case(
        OneCycle(0.3, steps=STEPS, rise=0.123, div_factor=3.0, final_div_factor=10.0),
        lambda n: one_cycle(n, 0.123, 3.0, 10.0),
        lambda s, o: s.OneCycleLR(o, 0.3, STEPS, pct_start=0.123, div_factor=3.0, final_div_factor=10.0),
    ),
    "cyclic": Case(
        Cyclic(0.3, minimum=0.1, rise=30, fall=50),
        lambda n: 0.1 + 0.2 * triangle(n, 30, 50),
        lambda s, o: s.CyclicLR(o, 0.1, 0.3, 30, 50, cycle_momentum=False),
    ),
    "cyclic, triangular2": Case(
        Cyclic(0.3, minimum=0.1, rise=25, mode="triangular2"),
        lambda n: 0.1 + 0.2 * triangle(n, 25, 25) / 2 ** (n // 50),
        lambda s, o: s.CyclicLR(o, 0.1, 0.3, 25, mode="triangular2", cycle_momentum=False),
    ),
    "cyclic, exp_range": Case(
        Cyclic(0.3, minimum=0.1, rise=25, mode="exp_range", factor=0.99),
        lambda n: 0.1 + 0.2 * triangle(n, 25, 25) * 0.99**n,
        lambda s, o: s.CyclicLR(o, 0.1, 0.3, 25, mode="exp_range", gamma=0.99, cycle_momentum=False),
    ),
    "linear": Case(
        Linear(0.3, steps=300, start_factor=0.25, end_factor=1.5),
        lambda n: 0.3 * (0.25 + 1.25 * min(n, 300) / 300),
        None,
    ),
    "linear, down": Case(
        Linear(0.3, steps=350),
        lambda n: 0.3 * (1 - min(n, 350) / 350),
        lambda s, o: s.LinearLR(o, 1.0, 0.0, 350),
    ),
    "sequence": Case(
        Sequence(
            [Linear(0.3, start_factor=0.1, end_factor=1.0), Exponential(0.3, factor=0.99), Cosine(0.3, steps=150)],
            boundaries=[100, 250],
        ).resolved(STEPS),
        in_turn,
        torch_in_turn,
    ),
    "sequence, piecewise": Case(
        Sequence.piecewise([100, 200], [0.3, 0.7, 0.1]),
        lambda n: (0.3, 0.7, 0.1)[(n >= 100) + (n >= 200)],
        None,
        lambda s: s.PiecewiseConstantDecay([99, 199], [0.3, 0.7, 0.1]),
    ),
}
