"""Schedules in a compiled program, of all in one, since each compilation takes a second."""

from functools import cache

import numpy as np
import pytest

from nnkit.graph import Trace
from nnkit.optimizers.schedules import CosineRestarts
from nnkit_numpy.device import NATIVE
from tests.optimizers.schedule_cases import CASES
from tests.peers import peer
from tests.plan.running import Bench

STEPS = (1, 2, 3, 26, 31, 51, 52, 101, 102, 251, 252, 333, 334, 335, 400, 401)
RESTARTS = [(CosineRestarts(1.0, first=first, multiply=m), first, m) for first, m in ((1, 2), (3, 3), (10, 5))]


def compiled(schedules, steps, dtype):
    """The rates of each schedule at its steps, by one program that runs as often."""
    peer("llvmlite")
    trace, values, outputs = Trace(), {}, {}

    def given(name, value):
        values[name] = np.asarray(value, dtype=dtype)
        return trace.input(name, "setting", (), dtype)

    for number, schedule in enumerate(schedules):
        settings = {key: given(f"{number} {key}", value) for key, value in schedule.settings().items()}
        outputs[str(number)] = schedule(given(f"{number} at", 1), settings) * 1.0
    bench, rates = Bench(trace.graph(outputs), values, target=NATIVE), []
    for present in zip(*steps, strict=True):
        bench.store.write({f"{number} at": np.asarray(step, dtype=dtype) for number, step in enumerate(present)})
        rates.append({name: float(value) for name, value in bench.step().items()})
    return [[found[str(number)] for found in rates] for number in range(len(schedules))]


@cache
def compiled_cases(dtype):
    found = compiled([case.schedule for case in CASES.values()], [STEPS] * len(CASES), dtype)
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("name", CASES)
def test_rates(name, dtype, rtol):
    expected = [CASES[name].schedule.at(step) for step in STEPS]
    atol = 1e-7 if dtype == "float32" else 1e-15
    np.testing.assert_allclose(compiled_cases(dtype)[name], expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_restarts_late_in_a_training(dtype):
    """At its start every period has the whole rate, and one update before it less than half."""
    starts = []
    for _, first, multiply in RESTARTS:
        every = [first * (multiply**i - 1) // (multiply - 1) for i in range(3, 23)]
        starts.append([start for start in every if start < 2**23])
    most = max(map(len, starts))
    starts = [found + found[-1:] * (most - len(found)) for found in starts]
    steps = [[step for start in found for step in (start, start + 1)] for found in starts]
    for rates in compiled([schedule for schedule, _, _ in RESTARTS], steps, dtype):
        assert max(rates[::2]) < 0.5
        assert set(rates[1::2]) == {1.0}
