"""The loss scale against its rule written out: what a step does, what a skipped one leaves, where the scale goes."""

import numpy as np
import pytest

from nnkit.optimizers import Adam, ExponentialMovingAverage, LossScale, Muon
from tests.optimizers.cases import ADAPTIVE, CASES, GRADIENTS, INNER, PARTS, PLAIN, START, gradient_of
from tests.optimizers.steps import finals, run, settings_of, states

ANY = pytest.mark.parametrize("case", [*PLAIN, *ADAPTIVE])
OWN = ("scale_ratio", "scale_good", "scale_skipped")
SKIPPED = (2, 3, 9, 17)
"""Steps whose gradient is not finite, from 1."""


def spoilt(_, step):
    """A gradient that has a number in it that is none in some of the steps."""
    gradient = GRADIENTS[step - 1].copy()
    if step in SKIPPED:
        gradient[step % 9] = (np.inf, -np.inf, np.nan)[step % 3]
    return gradient


def quiet(found):
    """All of what is computed with such a gradient and thrown away."""
    with np.errstate(all="ignore"):
        return list(found)


def adam_in_a_scale(initial, interval, rate=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    """Weights, both moments, scale, good steps since it changed, and skipped ones, after each step."""
    weights, first, second = START.copy(), np.zeros(9), np.zeros(9)
    scale, good, skipped, updates = initial, 0, 0, 0
    for step in range(1, len(GRADIENTS) + 1):
        gradient = spoilt(None, step) / scale
        if np.isfinite(gradient).all():
            updates += 1
            first = beta1 * first + (1 - beta1) * gradient
            second = beta2 * second + (1 - beta2) * gradient**2
            mean, square = first / (1 - beta1**updates), second / (1 - beta2**updates)
            weights = weights - rate * mean / (np.sqrt(square) + eps)
            good += 1
            if good == interval:
                scale, good = 2 * scale, 0
        else:
            scale, good, skipped = scale / 2, 0, skipped + 1
        yield weights, first, second, scale, good, skipped


def test_every_step_is_that_of_the_rule_written_out():
    method = LossScale(Adam(0.01), initial=12.0, interval=4)
    settings = settings_of(method, "float64")
    found = quiet(states(method, START, spoilt, len(GRADIENTS), PARTS))
    scales = []
    for (weights, moments), expected in zip(found, adam_in_a_scale(12.0, 4), strict=True):
        for value, other in zip((weights, moments["first"], moments["second"]), expected[:3], strict=True):
            np.testing.assert_allclose(value, other, rtol=1e-12, atol=1e-18)
        own = (method.scale(moments, settings), moments["scale_good"], moments["scale_skipped"])
        assert tuple(map(float, own)) == expected[3:]
        scales.append(expected[3])
    assert set(scales) == {3.0, 6.0, 12.0, 24.0}


@ANY
def test_a_skipped_step_is_as_if_it_had_not_been(case):
    """Parameters and moments keep their bits, and the steps after it are those of a training without it."""
    method = LossScale(CASES[case], initial=2.0**40, interval=100)
    found = quiet(states(method, START, spoilt, 20, PARTS))
    for step in SKIPPED:
        before, after = found[step - 2], found[step - 1]
        assert after[0].tobytes() == before[0].tobytes()
        assert all(after[1][name].tobytes() == before[1][name].tobytes() for name in method.optimizer.moments)
        assert after[1]["scale_ratio"] == 0.5 * (before[1]["scale_ratio"] or 1.0)
    good = [step for step in range(1, 21) if step not in SKIPPED]

    def descaled(_, update):
        halved = sum(step < good[update - 1] for step in SKIPPED)
        return GRADIENTS[good[update - 1] - 1] / 2.0 ** (40 - halved)

    alone = list(states(CASES[case], START, descaled, len(good), PARTS))
    for (weights, moments), step in zip(alone, good, strict=True):
        np.testing.assert_array_equal(found[step - 1][0], weights)
        for name, value in moments.items():
            np.testing.assert_array_equal(found[step - 1][1][name], value)


@ANY
def test_a_scaled_loss_is_the_optimizer_on_the_plain_one(case):
    """Powers of two change no digit."""

    def larger(_, step):
        return 2.0 ** (3 + (step - 1) // 4) * GRADIENTS[step - 1]

    expected = run(CASES[case], START, gradient_of, 12, PARTS)
    found = run(LossScale(CASES[case], 8.0, 4), START, larger, 12, PARTS)
    np.testing.assert_array_equal(found, expected)


def test_the_scale_stays_finite():
    """Of gradients that are all zero; and it comes down again from where it is."""
    method, zeros = LossScale(INNER, 1.0, 1), np.zeros(9, np.float32)
    settings = settings_of(method, "float32")
    given = [zeros] * 140 + [np.full(9, np.nan, np.float32)] * 3
    with np.errstate(over="ignore"):  # twice the largest scale is looked at, and not taken
        found = quiet(states(method, START.astype(np.float32), lambda _, step: given[step - 1], len(given), PARTS))
    scales = [float(method.scale(moments, settings)) for _, moments in found]
    assert scales[126] == max(scales) == scales[139] == 2.0**127
    assert scales[140:] == [2.0**126, 2.0**125, 2.0**124]


def test_whether_a_step_may_be_skipped():
    method = LossScale(INNER, 8.0)
    settings = settings_of(method, "float64")
    allowed = {ratio: bool(method.may_skip({"scale_ratio": np.asarray(ratio)}, settings)) for ratio in (0, 1, 0.25)}
    assert allowed == {0: True, 1: True, 0.25: True}
    assert not method.may_skip({"scale_ratio": np.asarray(0.125)}, settings)


def test_averages_are_over_the_updates_that_were_done():
    """The divisor of the first ones counts no step that was skipped; and before any update there is no average."""
    method = LossScale(ExponentialMovingAverage(INNER, 0.8), 1.0, 100)
    skipped = {1, 2, 5}

    def scaled(_, step):
        return np.full(9, np.inf) if step in skipped else GRADIENTS[step - 1] * 0.5 ** sum(k < step for k in skipped)

    good = [step for step in range(1, 9) if step not in skipped]
    expected = finals(method.optimizer, START, lambda _, update: GRADIENTS[good[update - 1] - 1], len(good), PARTS)
    found = quiet(finals(method, START, scaled, 8, PARTS))
    np.testing.assert_array_equal(found[:2], [START, START])
    np.testing.assert_array_equal([found[step - 1] for step in good], expected)
    np.testing.assert_array_equal(found[4], found[3])


def test_its_own_moments_are_single_numbers():
    method = LossScale(Muon(0.1))
    assert method.moments[-3:] == OWN
    shapes = method.moment_shapes(PARTS)
    assert [shapes[name] for name in OWN] == [(), (), ()]
    assert {name: shape for name, shape in shapes.items() if name not in OWN} == Muon(0.1).moment_shapes(PARTS)
    assert (LossScale(INNER).initial, LossScale(INNER).interval) == (65536.0, 2000)
