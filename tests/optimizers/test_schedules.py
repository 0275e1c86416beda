"""Schedules against their closed forms, PyTorch and Keras over hundreds of updates, on the host and in a graph."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nnkit.graph import Trace, interpret
from nnkit.optimizers.schedules import (
    ALIASES,
    SCHEDULES,
    Constant,
    Cosine,
    CosineRestarts,
    InverseSquareRoot,
    OneCycle,
    Sequence,
    Step,
    Stretched,
    from_config,
    get,
)
from tests.optimizers.schedule_cases import CASES, STEPS
from tests.peers import peer

EVERY = pytest.mark.parametrize("name", CASES)


def warmed_up(schedule, warmup):
    fields = {"warmup": warmup}
    if isinstance(schedule, Stretched):
        fields["steps"] = schedule.steps + warmup
    return replace(schedule, **fields)


@EVERY
@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_closed_form(name, warmup):
    case = CASES[name]
    schedule = warmed_up(case.schedule, warmup)
    if name == "inverse_square_root" and warmup:  # its formula knows the warm-up
        expected = [0.3 * min((warmup + 1) / t, 1) ** 0.5 for t in range(1, STEPS + 1)]
    else:
        expected = [case.closed(max(t - 1 - warmup, 0)) for t in range(1, STEPS + 1)]
    for step, value in enumerate(expected, start=1):
        assert schedule.at(step) == pytest.approx(value * min(step / (warmup + 1), 1), rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.torch])
@pytest.mark.parametrize("warmup", [0, 5])
@pytest.mark.filterwarnings("ignore")  # SequentialLR steps its parts with an epoch, of which PyTorch itself warns
def test_agrees_with_torch(name, warmup):
    case = CASES[name]
    if warmup and name.partition(",")[0] in ("one_cycle", "cyclic", "sequence", "inverse_square_root"):
        return  # theirs take the place of the rate that another one set, or know the warm-up
    torch = peer("torch")
    schedulers = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = case.torch(schedulers, optimizer)
    if warmup:
        rise = schedulers.LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
        theirs = schedulers.SequentialLR(optimizer, [rise, theirs], milestones=[warmup])
    schedule = warmed_up(case.schedule, warmup)
    for step in range(1, STEPS):
        assert schedule.at(step) == pytest.approx(theirs.get_last_lr()[0], rel=1e-10, abs=1e-15)
        optimizer.step()
        theirs.step()


LONGEST = "cosine_restarts, each lower"
KERAS = [
    pytest.param(name, marks=[pytest.mark.slow] if name == LONGEST else [])
    for name, case in CASES.items()
    if case.keras
]


@pytest.mark.parametrize("name", KERAS)
def test_agrees_with_keras(name, monkeypatch):
    """Which computes in float32."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    theirs = CASES[name].keras(peer("keras").optimizers.schedules)
    for n in (0, 1, 6, 7, 8, 29, 30, 31, 99, 100, 350, 399):  # each call of some takes long
        assert CASES[name].schedule.at(n + 1) == pytest.approx(float(theirs(n)), rel=3e-5, abs=1e-7)


def test_noam():
    schedule = InverseSquareRoot.transformer(64, warmup=50, factor=2.0)
    for t in (*range(1, STEPS), 10**6):
        assert schedule.at(t) == pytest.approx(2.0 * 64**-0.5 * min(t**-0.5, t * 50**-1.5), rel=1e-13)
    assert InverseSquareRoot.transformer(64, warmup=1).warmup == 0


@pytest.mark.parametrize("multiply", [2, 3, 5])
@pytest.mark.parametrize("first", [1, 3, 10, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_restarts_fall_on_their_updates_in_every_dtype(first, multiply, dtype):
    schedule = CosineRestarts(1.0, first=first, multiply=multiply)
    settings = {name: np.asarray(value, dtype=dtype) for name, value in schedule.settings().items()}
    start, length = 0, first
    while start + length < 2**23:
        start, length = start + length, length * multiply
        before, at, after = (float(schedule(np.asarray(start + k, dtype=dtype), settings)) for k in (0, 1, 2))
        assert at == 1.0
        last = length // multiply
        assert before == pytest.approx(np.cos(np.pi / 2 * (last - 1) / last) ** 2, rel=1e-4, abs=1e-9)
        assert after == pytest.approx(np.cos(np.pi / 2 / length) ** 2, rel=1e-6, abs=1e-9)


def test_a_cycle_that_begins_at_its_height():
    assert OneCycle(1.0, steps=4, rise=0.25).at(1) == 1.0
    rates = [OneCycle(1.0, steps=3, rise=0.0).at(step) for step in (1, 2, 3)]
    assert rates == sorted(rates, reverse=True)
    assert OneCycle(1.0, steps=1).at(1) == pytest.approx(4e-6)


def test_cosine_ends_at_its_minimum_and_stays():
    schedule = Cosine(1.0, steps=10, minimum=0.125)
    assert schedule.at(11) == pytest.approx(0.125, rel=1e-15)
    assert schedule.at(1000) == schedule.at(11)


def test_warmup_rises_to_the_full_rate():
    assert [Constant(1.0, warmup=3).at(step) for step in range(1, 6)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def graph_of(schedule, dtype="float32"):
    trace = Trace()
    inputs = {key: trace.input(key, "setting", (), dtype) for key in (*schedule.settings(), "step")}
    return trace.graph({"rate": schedule(inputs["step"], inputs) * 1.0})


@EVERY
@pytest.mark.parametrize("warmup", [0, 5])
def test_in_a_graph_in_float32(name, warmup):
    schedule = warmed_up(CASES[name].schedule, warmup)
    graph = graph_of(schedule)
    settings = {key: np.asarray(value, dtype=np.float32) for key, value in schedule.settings().items()}
    for step in range(1, STEPS + 10):
        number = {"step": np.asarray(step, dtype=np.float32)}
        rate = interpret(graph, np, settings | number)["rate"]
        assert rate.dtype == np.float32
        assert rate.item() == pytest.approx(schedule.at(step), rel=2e-5, abs=1e-7)


OTHER_NUMBERS = {
    "constant": {},
    "step": {"every": 9, "factor": 0.3},
    "multi_step": {"milestones": (1, 2, 3, 400), "factor": 0.7},
    "exponential": {"factor": 0.5, "every": 3},
    "polynomial": {"steps": 77, "power": 3.0, "minimum": 0.001},
    "inverse_time": {"decay": 2.0, "every": 3},
    "inverse_square_root": {},
    "cosine": {"steps": 99, "minimum": 0.0},
    "cosine_restarts, each longer": {"first": 9, "multiply": 7, "minimum": 0.0, "factor": 0.5},
    "one_cycle": {"steps": 99, "rise": 0.9, "div_factor": 2.0, "final_div_factor": 3.0},
    "cyclic, exp_range": {"minimum": 0.02, "rise": 3, "fall": 4, "factor": 0.5},
    "linear": {"steps": 99, "start_factor": 3.0, "end_factor": 0.1},
    "sequence": {"boundaries": (3, 4)},
}


@pytest.mark.parametrize("name", OTHER_NUMBERS)
@pytest.mark.parametrize("warmup", [0, 5])
def test_numbers_are_settings_and_enter_no_plan(name, warmup):
    one = warmed_up(CASES[name].schedule, warmup)
    other = OTHER_NUMBERS[name] if name == "sequence" else {"learning_rate": 0.4} | OTHER_NUMBERS[name]
    other = replace(one, **other) if not warmup else replace(one, warmup=7, **other)
    assert other != one or name == "constant"
    assert graph_of(one).fingerprint == graph_of(other).fingerprint


@EVERY
def test_the_host_can_change_the_rate_between_steps(name):
    """With twice the rate, what does not depend on a minimum is twice as high."""
    schedule = CASES[name].schedule
    settings = {key: np.asarray(value) for key, value in schedule.settings().items()}
    settings["learning_rate"] = settings["learning_rate"] * 2
    low = float(settings.get("minimum", 0.0))
    for step in (1, 3, 40, 260):
        expected = schedule.at(step) - low
        if low:
            expected *= (2 * schedule.learning_rate - low) / (schedule.learning_rate - low)
        else:
            expected *= 2
        assert float(schedule(np.asarray(float(step)), settings)) == pytest.approx(low + expected, rel=1e-12)


def test_open_ends_of_a_sequence():
    parts = Sequence([Cosine(1.0), Step(1.0, every=2), Cosine(0.5)], boundaries=[10, 20], warmup=4)
    made = parts.resolved(50)
    assert made.schedules == (Cosine(1.0, steps=10), Step(1.0, every=2), Cosine(0.5, steps=26))
    assert made.resolved(99) is not made
    assert made.resolved(99) == made
    assert parts.resolved(5).schedules[2] == Cosine(0.5, steps=1)  # the training ends before


def test_a_sequence_in_a_sequence():
    inner = Sequence.piecewise([2], [0.5, 0.25])
    outer = Sequence([inner, Constant(1.0, warmup=1)], boundaries=[3])
    assert [outer.at(step) for step in range(1, 7)] == [0.5, 0.5, 0.25, 0.5, 1.0, 1.0]
    assert from_config(json.loads(json.dumps(outer.config()))) == outer


def test_a_sequence_of_rates_that_are_zero():
    assert [Sequence.piecewise([1], [0.0, 0.0]).at(step) for step in (1, 2)] == [0.0, 0.0]


# -- every schedule in the table has all that a schedule needs


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_table(name):
    cases = {key: case for key, case in CASES.items() if key.partition(",")[0] == name}
    assert cases
    assert all(isinstance(case.schedule, SCHEDULES[name]) for case in cases.values())
    assert any(key.partition(",")[0] == name for key in OTHER_NUMBERS)
    assert get(name) is SCHEDULES[name]


@EVERY
@pytest.mark.parametrize("warmup", [0, 5])
def test_config_survives_json(name, warmup):
    schedule = warmed_up(CASES[name].schedule, warmup)
    assert from_config(json.loads(json.dumps(schedule.config()))) == schedule
    assert hash(schedule) == hash(from_config(schedule.config()))


def test_the_names_that_others_use():
    torch = "ConstantLR StepLR MultiStepLR ExponentialLR PolynomialLR CosineAnnealingLR CosineAnnealingWarmRestarts"
    more = "OneCycleLR CyclicLR LinearLR SequentialLR"
    keras = "ExponentialDecay PolynomialDecay InverseTimeDecay CosineDecay CosineDecayRestarts PiecewiseConstantDecay"
    for name in f"{torch} {more} {keras} multi-step noam".split():
        assert get(name).name in SCHEDULES
    assert set(ALIASES.values()) <= SCHEDULES.keys()
    assert not ALIASES.keys() & SCHEDULES.keys()
