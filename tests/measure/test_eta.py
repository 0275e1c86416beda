import pytest

from nnkit.measure.eta import RemainingTime


def run(left, start, epoch, steps, step_s, each=1):
    """Observe `steps` steps from time `start`; return the time after them."""
    for step in range(each, steps + 1, each):
        left.observe(epoch, step, start + step * step_s)
    return start + steps * step_s


def test_nothing_is_known_at_first():
    assert RemainingTime(3, 10, 0.0).seconds(0.0) is None


def test_a_steady_rate_counts_down():
    left = RemainingTime(epochs=10, steps=100, now=0.0)
    now, shown = 0.0, []
    for epoch in range(1, 11):
        now = run(left, now, epoch, 100, 0.02, each=7)
        left.end_epoch(epoch, now)
        shown.append(left.seconds(now))
        assert shown[-1] == pytest.approx(20.0 - now, rel=0.1, abs=1e-9)
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] == 0


def test_the_first_observation_with_compilation_in_it_is_dropped():
    left = RemainingTime(epochs=1, steps=100, now=0.0)
    left.observe(1, 1, 30.0)
    assert left.seconds(30.0) == pytest.approx(99 * 30)
    left.observe(1, 2, 30.1)
    assert left.seconds(30.1) == pytest.approx(98 * 0.1)


def test_validation_is_counted_once_it_was_seen():
    left = RemainingTime(epochs=5, steps=100, now=0.0)
    now = run(left, 0.0, 1, 100, 0.01) + 3.0
    left.end_epoch(1, now)
    assert left.seconds(now) == pytest.approx(4 * 4.0, rel=0.05)
    now = run(left, now, 2, 50, 0.01)
    assert left.seconds(now) == pytest.approx(0.5 + 3.0 + 3 * 4.0, rel=0.05)


def test_a_real_slow_down_is_followed():
    left = RemainingTime(epochs=1, steps=1000, now=0.0)
    now = run(left, 0.0, 1, 500, 0.1, each=5)
    for step in range(505, 705, 5):
        now += 5 * 1.0
        left.observe(1, step, now)
    assert left.seconds(now) == pytest.approx(300, rel=0.15)


def test_one_pause_changes_little():
    left = RemainingTime(epochs=1, steps=1000, now=0.0)
    now = run(left, 0.0, 1, 500, 0.1) + 600
    left.observe(1, 501, now)
    assert left.seconds(now) == pytest.approx(49.9, rel=0.1)


def test_epochs_too_short_to_be_observed_inside():
    left = RemainingTime(epochs=100, steps=4, now=0.0)
    for epoch in range(1, 51):
        left.end_epoch(epoch, epoch * 0.05)
    assert left.seconds(2.5) == pytest.approx(2.5, rel=0.1)


def test_one_step_per_epoch_with_validation():
    left = RemainingTime(epochs=20, steps=1, now=0.0)
    now = 0.0
    for epoch in range(1, 11):
        left.observe(epoch, 1, now + 1.0)
        now += 1.5
        left.end_epoch(epoch, now)
    assert left.seconds(now) == pytest.approx(15, rel=0.1)


def test_a_resumed_run_starts_in_a_later_epoch():
    left = RemainingTime(epochs=10, steps=10, now=0.0)
    run(left, 0.0, 9, 10, 1.0)
    assert left.seconds(10.0) == pytest.approx(10.0)


def test_an_observation_without_new_steps_is_ignored():
    left = RemainingTime(epochs=1, steps=10, now=0.0)
    left.observe(1, 2, 2.0)
    left.observe(1, 2, 50.0)
    assert left.step_s == 1.0
