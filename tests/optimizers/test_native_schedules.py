"""Schedules in a compiled program, of all in one, since each compilation takes seconds."""

import numpy as np
import pytest

from nnkit.graph import Trace
from nnkit.optimizers.schedules import CosineRestarts
from nnkit_numpy.device import NATIVE
from tests.optimizers.schedule_cases import CASES
from tests.plan.running import Bench

pytest.importorskip("llvmlite")

STEPS = (1, 2, 3, 26, 31, 51, 52, 101, 102, 251, 252, 333, 334, 335, 400, 401)
RESTARTS = [(CosineRestarts(1.0, first=first, multiply=m), first, m) for first, m in ((1, 2), (3, 3), (10, 5))]


def compiled(schedules, steps, dtype):
    """The rates of each schedule at its steps."""
    trace, values, outputs = Trace(), {}, {}

    def given(name, value):
        values[name] = np.asarray(value, dtype=dtype)
        return trace.input(name, "setting", (), dtype)

    for number, schedule in enumerate(schedules):
        settings = {key: given(f"{number} {key}", value) for key, value in schedule.settings().items()}
        for step in steps[number]:
            outputs[f"{number} {step}"] = schedule(given(f"{number} at {step}", step), settings) * 1.0
    found = Bench(trace.graph(outputs), values, target=NATIVE).step()
    return [[float(found[f"{number} {step}"]) for step in steps[number]] for number in range(len(schedules))]


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("float64", 1e-12)])
def test_rates(dtype, rtol):
    schedules = [case.schedule for case in CASES.values()]
    found = compiled(schedules, [STEPS] * len(schedules), dtype)
    for name, schedule, rates in zip(CASES, schedules, found, strict=True):
        expected = [schedule.at(step) for step in STEPS]
        np.testing.assert_allclose(rates, expected, rtol=rtol, atol=1e-7 if dtype == "float32" else 1e-15, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_restarts_late_in_a_training(dtype):
    """At its start every period has the whole rate, and one update before it less than half."""
    starts = []
    for _, first, multiply in RESTARTS:
        every = [first * (multiply**i - 1) // (multiply - 1) for i in range(3, 23)]
        starts.append([start for start in every if start < 2**23])
    steps = [[step for start in found for step in (start, start + 1)] for found in starts]
    for rates in compiled([schedule for schedule, _, _ in RESTARTS], steps, dtype):
        assert max(rates[::2]) < 0.5
        assert set(rates[1::2]) == {1.0}
