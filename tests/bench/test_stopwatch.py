"""A planned step by the stopwatch."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

import nnkit
from nnkit.bench import job
from nnkit.bench.stopwatch import measured
from nnkit.training.planning import training_plan

FORMS = [False, *([True] if find_spec("llvmlite") else [])]


@pytest.mark.parametrize("native", FORMS)
def test_a_step_that_takes_long_is_measured_on_the_few_rows_that_there_are(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BLOCK_S", 1e-9)  # as if one step were all that there is time for
    network = nnkit.FeedForward(4, 3, hidden=[8], output_activation="softmax", seed=0)
    plan = training_plan(network._model, 16, "adam", "auto", native=native)
    taken = measured(network, plan, 16, "adam", "auto")
    assert len(taken.steps) == len(plan.steps)
    assert 0 < sum(taken.steps) < 1
    assert taken.whole > 0


def test_the_first_rounds_warm_up_where_that_leaves_one() -> None:
    from nnkit_numpy.stopwatch import warm

    assert [warm(rounds) for rounds in (1, 2, 3, 16)] == [0, 1, 2, 2]
