"""The dynamic programme against every way to compute stages again, on all small chains of a few sizes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nnkit.plan.chain import Stage, events, front
from tests.plan.exhaustive import cost, everything, peak


def chain_of(passed, own, seconds, more):
    """Stages with consistent figures: what is alive in a part is at least what it reads and leaves."""
    stages, read = [], 0
    for left, kept, run, extra in zip(passed, own, seconds, more, strict=True):
        last, whole = (1.0, run + 1.0) if kept else (0.0, run)
        sizes = (left, left + kept, read + left + kept + extra, read + kept + extra, 1 + extra)
        stages.append(Stage(*sizes, run, whole, last, bool(kept)))
        read = left
    return stages


def check(stages, pinned=0):
    """For every amount of memory the least extra time, and what the choice is said to take."""
    found = [(choice.peak, choice.seconds) for choice in front(stages, pinned)]
    assert found == sorted(found)
    for choice in front(stages, pinned):
        run = list(events(choice))
        assert (peak(stages, pinned, run), cost(stages, run)) == (choice.peak, choice.seconds)
    every = [(peak(stages, pinned, run), cost(stages, run)) for run in everything(len(stages))]
    for limit in {size for size, _ in every}:
        best = min(seconds for size, seconds in every if size <= limit)
        assert min(seconds for size, seconds in found if size <= limit) == best
    assert found[0][0] == min(size for size, _ in every)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_no_choice_beats_it_on_any_small_chain(count):
    for passed in product((1, 3), repeat=count):
        for own in product((0, 2), repeat=count):
            check(chain_of(passed, own, (2.0,) * count, (0,) * count))


@pytest.mark.parametrize("seed", range(40))
def test_no_choice_beats_it_on_random_chains(seed):
    draw = np.random.default_rng(seed)
    count = int(draw.integers(2, 6))
    passed, own, more = (draw.integers(low, 4, count).tolist() for low in (1, 0, 0))
    check(chain_of(passed, own, draw.integers(1, 5, count).astype(float).tolist(), more), int(draw.integers(3)))


def test_a_long_chain_in_little_memory_takes_what_is_known_of_it():
    """With room for every second result, each of the others is computed again once; see Griewank and Walther (2000)."""
    stages = chain_of((10,) * 20, (0,) * 20, (1.0,) * 20, (0,) * 20)
    found = front(stages, 0)
    assert found[-1].seconds == 0.0
    assert found[-1].peak > 9 * found[0].peak / 2
    seconds = [choice.seconds for choice in found]
    assert seconds == sorted(seconds, reverse=True)
