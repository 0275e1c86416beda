import pytest

from nnkit.errors import ArgumentError
from nnkit.measure.clock import PHASES, Clock, StepTimer


class Hand:
    """A clock that the test turns by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def hand():
    return Hand()


def test_phases_add_up_and_time_between_them_belongs_to_none(hand):
    clock = Clock(hand)
    with clock.phase("prepare"):
        hand.now += 1
    hand.now += 10
    for _ in range(2):
        with clock.phase("train"):
            hand.now += 2
    assert [clock.seconds(name) for name in PHASES] == [1, 0, 4, 0]
    assert clock.elapsed_s == 15


def test_an_inner_phase_pauses_the_outer_one(hand):
    clock = Clock(hand)
    with clock.phase("train"):
        hand.now += 1
        with clock.phase("validate"):
            hand.now += 5
            with clock.phase("validate"):
                hand.now += 1
        hand.now += 2
    assert clock.seconds("train") == 3
    assert clock.seconds("validate") == 6


def test_a_phase_can_be_read_while_it_runs(hand):
    clock = Clock(hand)
    with clock.phase("train"):
        hand.now += 1
        assert clock.seconds("train") == 1
        with clock.phase("validate"):
            hand.now += 1
            assert clock.seconds("train") == 1
            assert clock.seconds("validate") == 1


def test_an_error_ends_its_phase(hand):
    clock = Clock(hand)

    def interrupted():
        with clock.phase("train"):
            hand.now += 3
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    hand.now += 4
    assert clock.seconds("train") == 3


def test_stop_freezes_the_elapsed_time(hand):
    clock = Clock(hand)
    hand.now += 2
    assert clock.stop() == 2
    hand.now += 2
    assert clock.stop() == clock.elapsed_s == 2


def test_an_unknown_phase_is_refused(hand):
    clock = Clock(hand)
    with pytest.raises(ArgumentError, match=r"unknown phase 'trian'\. Did you mean 'train'"), clock.phase("trian"):
        pass
    with pytest.raises(ArgumentError, match="unknown phase"):
        clock.seconds("lunch")


def test_the_real_clock_runs():
    clock = Clock()
    with clock.phase("train"):
        sum(range(1000))
    assert 0 < clock.seconds("train") <= clock.elapsed_s


def test_median_and_spread_drop_the_first_block():
    timer = StepTimer()
    for steps, seconds in [(1, 50.0), (10, 10.0), (10, 20.0), (10, 30.0), (5, 20.0), (10, 50.0)]:
        timer.add(steps, seconds)
    assert timer.timed == [1, 2, 3, 4, 5]
    assert timer.step_median_s == 3
    assert timer.step_spread_s == 2
    assert timer.reasons == {}


def test_a_single_block_counts_and_has_no_spread():
    timer = StepTimer()
    timer.add(4, 2.0)
    timer.add(0, 7.0)
    assert timer.step_median_s == 0.5
    assert timer.step_spread_s is None
    assert timer.reasons == {"time.step_spread_s": "1 block(s) of steps were timed"}


def test_no_block_gives_no_figure():
    timer = StepTimer(warm_up=2)
    assert timer.step_median_s is None
    assert set(timer.reasons) == {"time.step_median_s", "time.step_spread_s"}
