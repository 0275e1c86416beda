"""Wrappers: what each does to the optimiser inside, around any of them, and around each other."""

import numpy as np
import pytest

from nnkit.optimizers import (
    LAMB,
    SGD,
    Accumulate,
    Adafactor,
    Adam,
    AdamW,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    ExponentialMovingAverage,
    Muon,
    NAdam,
    Rprop,
    ScheduleFreeAdamW,
    WeightDecay,
)
from nnkit.optimizers.schedules import Constant, Cosine, Exponential, Step
from tests.optimizers.cases import ADAPTIVE, CASES, GRADIENTS, INNER, PARTS, PLAIN, START, STEPS, gradient_of
from tests.optimizers.steps import finals, run
from tests.optimizers.test_optimizers import torch_steps
from tests.peers import peer

ANY = pytest.mark.parametrize("case", [*PLAIN, *ADAPTIVE])


@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_clip_by_norm_agrees_with_torch_on_each_parameter(max_norm):
    """torch adds 1e-6 to the norm."""
    torch = peer("torch")

    def make(parameters):
        inner = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)

        def clip(*_):
            for parameter in parameters:
                torch.nn.utils.clip_grad_norm_([parameter], max_norm)

        inner.register_step_pre_hook(clip)
        return [inner]

    ours = run(ClipByNorm(INNER, max_norm), START, gradient_of, STEPS, PARTS)
    for value, theirs in zip(ours, torch_steps(make, START, GRADIENTS), strict=True):
        np.testing.assert_allclose(value, theirs, rtol=1e-5, atol=1e-7)


def test_clip_by_value_agrees_with_torch():
    torch = peer("torch")

    def make(parameters):
        inner = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
        inner.register_step_pre_hook(lambda *_: torch.nn.utils.clip_grad_value_(parameters, 0.5))
        return [inner]

    ours = run(ClipByValue(INNER, 0.5), START, gradient_of, STEPS, PARTS)
    for value, theirs in zip(ours, torch_steps(make, START, GRADIENTS), strict=True):
        np.testing.assert_allclose(value, theirs, rtol=1e-12, atol=1e-15)


@ANY
def test_accumulation_is_the_optimizer_on_means(case):
    """Every third step is one update of the optimiser inside; in between nothing moves."""
    inner = CASES[case]
    means = GRADIENTS.reshape(10, 3, 9).mean(axis=1)
    expected = run(inner, START, lambda _, step: means[step - 1], 10, PARTS)
    found = run(Accumulate(inner, 3), START, gradient_of, STEPS, PARTS)
    np.testing.assert_allclose(found[2::3], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found[:2], [START, START])
    np.testing.assert_array_equal(found[3::3], found[2:-1:3])
    np.testing.assert_array_equal(found[4::3], found[2:-1:3])


@ANY
def test_accumulation_over_one_step_is_the_optimizer(case):
    found = run(Accumulate(CASES[case], 1), START, gradient_of, 6, PARTS)
    np.testing.assert_array_equal(found, run(CASES[case], START, gradient_of, 6, PARTS))


def test_accumulation_counts_to_millions_in_float32():
    """The step that is due is found exactly, as long as float32 counts the steps themselves."""
    method, one = Accumulate(SGD(1.0), 7), np.ones(1, dtype=np.float32)
    settings = {name: np.asarray(value, dtype="float32") for name, value in method.settings().items()}
    for start in (7 * 10**5, 7 * 2_390_000):
        due = []
        for step in range(start - 8, start + 9):
            number = np.asarray(step, dtype=np.float32)
            due.append(bool(method.update(0 * one, one, {"accumulated": 0 * one}, settings, number)[0] != 0))
        assert due == [step % 7 == 0 for step in range(start - 8, start + 9)]


def test_schedules_inside_of_accumulation_count_updates():
    schedule = Step(1.0, every=2, factor=0.1)
    went = np.diff(run(Accumulate(SGD(schedule), 3), np.zeros(1), lambda *_: -np.ones(1), 12), axis=0, prepend=0.0)
    np.testing.assert_allclose(went[2::3, 0], [schedule.at(update) for update in (1, 2, 3, 4)])
    assert Accumulate(SGD(Cosine(0.1)), 3).resolved(31) == Accumulate(SGD(Cosine(0.1, steps=10)), 3)
    assert Accumulate(SGD(Cosine(0.1)), 30).resolved(10) == Accumulate(SGD(Cosine(0.1, steps=1)), 30)


@pytest.mark.parametrize("rate", [0.1, Cosine(0.1, steps=40, warmup=3)])
def test_weight_decay_around_adam_is_adamw(rate):
    found = run(WeightDecay(Adam(rate), 0.3), START, gradient_of, STEPS)
    np.testing.assert_array_equal(found, run(AdamW(rate, weight_decay=0.3), START, gradient_of, STEPS))


def test_weight_decay_around_accumulation_decays_in_every_step_at_the_rate_of_the_update_that_is_worked_on():
    schedule = Exponential(0.5, factor=0.1)
    end = run(WeightDecay(Accumulate(SGD(schedule), 2), 0.1), np.ones(1), lambda *_: np.zeros(1), 4)[-1]
    assert end.item() == pytest.approx((1 - 0.5 * 0.1) ** 2 * (1 - 0.05 * 0.1) ** 2)


@ANY
def test_the_average_is_the_weighted_mean_of_the_parameters(case):
    inner, decay = CASES[case], 0.8
    if inner.has_final:
        return
    trained = run(inner, START, gradient_of, 12, PARTS)
    averaged = ExponentialMovingAverage(inner, decay)
    np.testing.assert_array_equal(run(averaged, START, gradient_of, 12, PARTS), trained)
    for step, value in enumerate(finals(averaged, START, gradient_of, 12, PARTS), start=1):
        weights = decay ** np.arange(step - 1, -1, -1)
        np.testing.assert_allclose(value, np.average(trained[:step], axis=0, weights=weights), rtol=1e-12, atol=1e-14)


def test_without_decay_the_average_is_the_parameter():
    method = ExponentialMovingAverage(INNER, 0.0)
    np.testing.assert_array_equal(
        finals(method, START, gradient_of, 5, PARTS), run(method, START, gradient_of, 5, PARTS)
    )


def test_an_average_inside_of_accumulation_is_over_updates():
    means = GRADIENTS.reshape(10, 3, 9).mean(axis=1)
    expected = finals(ExponentialMovingAverage(INNER, 0.8), START, lambda _, step: means[step - 1], 10)
    found = finals(Accumulate(ExponentialMovingAverage(INNER, 0.8), 3), START, gradient_of, STEPS)
    np.testing.assert_allclose(found[2::3], expected, rtol=1e-10)
    np.testing.assert_array_equal(found[0], START)  # before the first update there is no average


def test_equal_wrappers_around_each_other_keep_their_own_numbers():
    tight = ClipByGlobalNorm(ClipByGlobalNorm(INNER, 0.5), 1e9)
    np.testing.assert_array_equal(
        run(tight, START, gradient_of, 5), run(ClipByGlobalNorm(INNER, 0.5), START, gradient_of, 5)
    )
    assert set(tight.settings()) == {"learning_rate", "momentum", "max_norm", "outer.max_norm"}
    twice = WeightDecay(WeightDecay(AdamW(0.1, weight_decay=0.1), 0.2), Cosine(0.3, steps=9))
    assert {"weight_decay", "outer.weight_decay", "outer.outer.weight_decay.learning_rate"} <= set(twice.settings())
    scheduled = WeightDecay(AdamW(0.1, weight_decay=Constant(0.1)), 0.2)
    assert {"weight_decay.learning_rate", "outer.weight_decay"} <= set(scheduled.settings())
    four = Accumulate(Accumulate(SGD(1.0), 2), 2)
    assert four.moments == ("accumulated", "outer.accumulated")
    end = run(four, np.zeros(1), lambda _, step: np.asarray([float(step)]), 4)
    np.testing.assert_array_equal(np.ravel(end), [0.0, 0.0, 0.0, -2.5])


def test_wrappers_reach_what_knows_shapes_inside():
    for inner in (LAMB(0.1), Adafactor(0.1), Muon(0.1), NAdam(0.1)):
        loose = WeightDecay(ClipByValue(ClipByNorm(ClipByGlobalNorm(inner, 1e9), 1e9), 1e9), 0.0)
        assert loose.moment_shapes(PARTS) == inner.moment_shapes(PARTS)
        found = run(loose, START, gradient_of, 5, PARTS)
        np.testing.assert_array_equal(found, run(inner, START, gradient_of, 5, PARTS))


def test_final_weights_are_those_of_the_one_that_has_them():
    assert not SGD().has_final
    assert not Accumulate(Rprop(), 2).has_final
    for method in (ScheduleFreeAdamW(0.1), ClipByNorm(ScheduleFreeAdamW(0.1), 1e9)):
        assert method.has_final
        np.testing.assert_array_equal(
            finals(method, START, gradient_of, 5, PARTS), finals(ScheduleFreeAdamW(0.1), START, gradient_of, 5)
        )
    np.testing.assert_array_equal(finals(SGD(0.1), START, gradient_of, 2), run(SGD(0.1), START, gradient_of, 2))
