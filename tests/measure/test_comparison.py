"""Comparing two runs: how often the same run is called different, and whether a slowdown of 10 % is found."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import nnkit
from nnkit.measure import compare


def noisy(draw, seconds, epochs=40):
    """Epoch times as on a shared machine: jitter, spells of other load, and a level that differs from run to run."""
    times = seconds * (1 + 0.005 * draw.normal()) * (1 + 0.02 * draw.gamma(2.0, size=epochs))
    for start in np.flatnonzero(draw.random(epochs) < 0.05):
        times[start : start + 4] *= 1.3 + draw.random()
    return {"time": {"epochs_s": times.tolist()}, "data": {"train": 1000}}


def test_the_same_run_is_rarely_called_different_and_a_slowdown_of_a_tenth_is_found() -> None:
    draw = np.random.default_rng(3)
    same = [compare(noisy(draw, 1.0), noisy(draw, 1.0))[0] for _ in range(100)]
    slower = [compare(noisy(draw, 1.0), noisy(draw, 1.1))[0] for _ in range(100)]
    assert sum(bool(figure.real) for figure in same) <= 5
    assert sum(bool(figure.real) for figure in slower) >= 95
    assert all("slow" in figure.verdict for figure in slower if figure.real)
    assert all(figure.interval[0] <= figure.ratio <= figure.interval[1] for figure in same)


def test_a_faster_run_is_called_faster() -> None:
    draw = np.random.default_rng(4)
    assert "as fast" in compare(noisy(draw, 1.0), noisy(draw, 0.5))[0].verdict


def test_few_epochs_tell_nothing() -> None:
    draw = np.random.default_rng(5)
    figure = compare(noisy(draw, 1.0, epochs=8), noisy(draw, 2.0))[0]
    assert figure.real is None
    assert figure.verdict == "too few epochs to tell; train 9 or more"
    assert compare({}, {})[0].real is None


def record(accuracy, rows=10_000, part="test"):
    return {"result": {part: {"accuracy": accuracy}}, "data": {part: rows}}


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (0.97, 0.98, "the second is better"),
        (0.98, 0.97, "the first is better"),
        (0.975, 0.976, "no difference shown"),
        (1.0, 1.0, "no difference shown"),
        (0.0, 0.0, "no difference shown"),
    ],
)
def test_accuracy(first, second, verdict) -> None:
    for part in ("test", "validation"):
        figure = compare(record(first, part=part), record(second, part=part))[1]
        assert figure.verdict == f"{verdict} on the {part} rows"


def test_figures_that_are_missing_are_said_to_be() -> None:
    assert {figure.verdict for figure in compare({}, {})[1:]} == {"not recorded in both"}


@pytest.mark.slow
def test_ten_repeats_of_a_real_run() -> None:
    data = nnkit.data.load("digits")
    records = []
    for _ in range(10):
        net = nnkit.FeedForward(64, 10, [64, 32], output_activation="softmax", seed=0)
        records.append(net.fit(data.x_train, data.y_train, epochs=100, progress=False).to_dict())
    different = [compare(a, b)[0].real for a, b in combinations(records, 2)]
    assert sum(map(bool, different)) <= 0.05 * len(different)
