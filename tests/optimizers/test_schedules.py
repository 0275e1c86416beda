"""Schedules against their closed forms and torch.optim.lr_scheduler, on the host and in a graph."""

import math

import numpy as np
import pytest

from nnkit.graph import Trace, interpret
from nnkit.optimizers.schedules import Constant, Cosine, Exponential, Step
from tests.peers import peer

STEPS = 40

SCHEDULES = {
    "constant": (Constant(0.3), lambda n: 0.3, lambda s, o: s.ConstantLR(o, factor=1.0)),
    "step": (
        Step(0.3, every=7, factor=0.5),
        lambda n: 0.3 * 0.5 ** (n // 7),
        lambda s, o: s.StepLR(o, step_size=7, gamma=0.5),
    ),
    "exponential": (
        Exponential(0.3, factor=0.9),
        lambda n: 0.3 * 0.9**n,
        lambda s, o: s.ExponentialLR(o, gamma=0.9),
    ),
    "exponential, over 10": (Exponential(0.3, factor=0.9, every=10), lambda n: 0.3 * 0.9 ** (n / 10), None),
    "cosine": (
        Cosine(0.3, steps=STEPS, minimum=0.01),
        lambda n: 0.01 + 0.29 * (1 + math.cos(math.pi * n / STEPS)) / 2,
        lambda s, o: s.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.01),
    ),
}
EVERY = pytest.mark.parametrize("name", SCHEDULES)


def warmed_up(schedule, warmup):
    fields = {"warmup": warmup}
    if isinstance(schedule, Cosine):
        fields["steps"] = schedule.steps + warmup
    return type(schedule)(**{**vars(schedule), **fields})


@EVERY
@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_closed_form(name, warmup):
    schedule, closed, _ = SCHEDULES[name]
    schedule = warmed_up(schedule, warmup)
    for step in range(1, STEPS + warmup + 1):
        expected = closed(max(step - 1 - warmup, 0)) * min(step / (warmup + 1), 1)
        assert schedule.at(step) == pytest.approx(expected, rel=1e-13)


@EVERY
@pytest.mark.parametrize("warmup", [0, 5])
def test_agrees_with_torch(name, warmup):
    schedule, _, make = SCHEDULES[name]
    if make is None:
        return
    torch = peer("torch")
    schedulers = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    if warmup:
        rise = schedulers.LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
        theirs = schedulers.SequentialLR(optimizer, [rise, make(schedulers, optimizer)], milestones=[warmup])
    else:
        theirs = make(schedulers, optimizer)
    for step in range(1, STEPS + 1):
        assert warmed_up(schedule, warmup).at(step) == pytest.approx(theirs.get_last_lr()[0], rel=1e-10)
        optimizer.step()
        theirs.step()


def test_cosine_ends_at_its_minimum_and_stays():
    schedule = Cosine(1.0, steps=10, minimum=0.125)
    assert schedule.at(11) == pytest.approx(0.125, rel=1e-15)
    assert schedule.at(1000) == schedule.at(11)


def test_warmup_rises_to_the_full_rate():
    assert [Constant(1.0, warmup=3).at(step) for step in range(1, 6)] == [0.25, 0.5, 0.75, 1.0, 1.0]


@EVERY
@pytest.mark.parametrize("warmup", [0, 5])
def test_in_a_graph_in_float32(name, warmup):
    schedule = warmed_up(SCHEDULES[name][0], warmup)
    trace = Trace()
    inputs = {key: trace.input(key, "setting", (), "float32") for key in (*schedule.settings(), "step")}
    graph = trace.graph({"rate": schedule(inputs["step"], inputs) * 1.0})
    settings = {key: np.asarray(value, dtype=np.float32) for key, value in schedule.settings().items()}
    for step in (1, 2, 5, 6, 8, 15, 39):
        number = {"step": np.asarray(step, dtype=np.float32)}
        rate = interpret(graph, np, settings | number)["rate"]
        assert rate.dtype == np.float32
        assert rate.item() == pytest.approx(schedule.at(step), rel=1e-5)


def test_the_host_can_change_the_rate_between_steps():
    settings = {name: np.asarray(value) for name, value in Step(0.1, every=2).settings().items()}
    settings["learning_rate"] = np.asarray(0.8)
    assert float(Step(0.1, every=2)(np.asarray(3.0), settings)) == pytest.approx(0.08)
