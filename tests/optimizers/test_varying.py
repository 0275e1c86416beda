"""Hyper-parameters beside the learning rate as schedules."""

import numpy as np
import pytest

from nnkit.optimizers import LAMB, SGD, Adafactor, AdamW, ClipByValue, Lion, Muon, RMSprop, ScheduleFreeAdamW
from nnkit.optimizers.schedules import Constant, Cosine, Exponential
from tests.optimizers.cases import GRADIENTS, PARTS, START, gradient_of
from tests.optimizers.steps import run

NUMBERS = [
    lambda value: SGD(0.05, momentum=value),
    lambda value: SGD(0.05, momentum=value, nesterov=True),
    lambda value: SGD(0.05, weight_decay=value),
    lambda value: RMSprop(0.05, momentum=value),
    lambda value: AdamW(0.05, weight_decay=value),
    lambda value: Lion(0.05, weight_decay=value),
    lambda value: LAMB(0.05, weight_decay=value),
    lambda value: Adafactor(0.05, weight_decay=value),
    lambda value: Muon(0.05, momentum=value),
    lambda value: Muon(0.05, weight_decay=value),
    lambda value: ScheduleFreeAdamW(0.05, weight_decay=value),
    lambda value: ClipByValue(SGD(0.05), value),
]


@pytest.mark.parametrize("make", NUMBERS)
def test_a_constant_schedule_is_the_number(make):
    numbers, schedules = (run(make(value), START, gradient_of, 6, PARTS) for value in (0.4, Constant(0.4)))
    np.testing.assert_array_equal(numbers, schedules)


def test_it_is_the_value_of_the_update():
    momentum, decay = Exponential(0.9, factor=0.5), Cosine(0.2, steps=5, warmup=1)
    found = run(SGD(0.1, momentum=momentum, weight_decay=decay), START, gradient_of, 6)
    weight, velocity = START, 0 * START
    for step in range(1, 7):
        velocity = momentum.at(step) * velocity + GRADIENTS[step - 1] + decay.at(step) * weight
        weight = weight - 0.1 * velocity
        np.testing.assert_allclose(found[step - 1], weight, rtol=1e-12)


def test_its_settings_stand_after_its_name():
    method = SGD(Cosine(0.1, steps=9), momentum=Cosine(0.9, steps=7))
    assert method.settings() == {
        "learning_rate": 0.1,
        "minimum": 0.0,
        "decay_steps": 9.0,
        "momentum.learning_rate": 0.9,
        "momentum.minimum": 0.0,
        "momentum.decay_steps": 7.0,
    }


def test_open_ones_are_stretched_too():
    assert SGD(0.1, momentum=Cosine(0.9)).resolved(50) == SGD(0.1, momentum=Cosine(0.9, steps=50))
    assert Muon(others=AdamW(Cosine(0.1))).resolved(50).others == AdamW(Cosine(0.1, steps=50))
