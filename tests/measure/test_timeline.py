import json
import random

import pytest

from nnkit.measure.timeline import MOST, Timeline


def line(samples, most=MOST, power=lambda second: 50.0, heat=lambda second: 40.0, step_s=1.0):
    """A timeline of so many samples, each of the power since the one before."""
    found = Timeline(("power_w",), ("temperature_c",), most)
    joules = 0.0
    for number in range(samples + 1):
        joules += power(number) * step_s if number else 0.0
        found.add(number * step_s, (joules,), (heat(number),))
    return found


def test_few_samples_are_kept_as_they_are():
    assert line(3, power=lambda s: 10.0 * s, heat=lambda s: 30 + s).columns() == {
        "elapsed_s": [1.0, 2.0, 3.0],
        "power_w": [10.0, 20.0, 30.0],
        "temperature_c": [31, 32, 33],
    }


@pytest.mark.parametrize("samples", [0, 1, MOST - 1, MOST, MOST + 1, 2 * MOST + 1, 50_000])
def test_however_many_samples_the_points_are_bounded(samples):
    columns = line(samples).columns()
    count = len(columns["elapsed_s"])
    assert min(samples, MOST // 2) <= count <= MOST
    assert columns["elapsed_s"][-1:] == [samples][:samples]
    assert columns["elapsed_s"] == sorted(set(columns["elapsed_s"]))
    assert len(json.dumps(columns)) < 10_000


def test_merging_keeps_the_total_and_the_peak():
    draw = random.Random(0)
    watts = [draw.uniform(0, 100) for _ in range(3000)]
    heats = [draw.randint(30, 80) for _ in range(3000)]
    heats[1234] = 99
    columns = line(2999, power=watts.__getitem__, heat=heats.__getitem__).columns()
    seconds = [end - begin for begin, end in zip([0.0, *columns["elapsed_s"]], columns["elapsed_s"], strict=False)]
    joules = sum(power * length for power, length in zip(columns["power_w"], seconds, strict=True))
    assert joules == pytest.approx(sum(watts[1:]), rel=1e-3)
    at = columns["temperature_c"].index(99)
    assert columns["elapsed_s"][at - 1] < 1234 <= columns["elapsed_s"][at]


def test_points_are_equally_far_apart_but_for_the_last():
    elapsed_s = line(1000, most=8).columns()["elapsed_s"]
    assert elapsed_s == [128.0 * number for number in range(1, 8)] + [1000.0]


def test_a_sample_right_after_another_has_no_rate_of_its_own():
    found = line(2, power=lambda _: 50.0)
    found.add(2.001, (100.0 + 9.0,), (70.0,))  # 9 kW for a thousandth of a second
    assert found.columns() == {
        "elapsed_s": [1.0, 2.001],
        "power_w": [50.0, pytest.approx(59 / 1.001, abs=0.01)],
        "temperature_c": [40.0, 70.0],
    }


def test_what_was_not_answered_is_none_and_the_rate_goes_on_from_what_was():
    found = Timeline(("power_w",), ("temperature_c",))
    for second, joules, heat in ((0, 0, 1), (1, None, None), (2, 60, 2), (3, 10, None)):
        found.add(second, (joules,), (heat,))
    columns = found.columns()
    assert columns["power_w"] == [None, 30.0, None]  # the counter was reset
    assert columns["temperature_c"] == [None, 2, None]


def test_a_question_that_was_never_answered_has_no_column():
    found = Timeline(("power_w",), ("temperature_c",))
    for second in range(4):
        found.add(second, (None,), (None,))
    assert found.columns() == {"elapsed_s": [1, 2, 3], "power_w": None, "temperature_c": None}


def test_a_counter_that_answers_late_has_rates_from_then_on():
    found = Timeline(("power_w",), ())
    for second, joules in enumerate((None, None, 5.0, 7.0)):
        found.add(second, (joules,), ())
    assert found.columns()["power_w"] == [None, None, 2.0]
