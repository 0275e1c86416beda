"""Learning rates: that they reach the update, change from step to step, and stretch over the whole training."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError
from nnkit.optimizers import SGD, Adam, ClipByGlobalNorm, RMSprop, schedules
from tests.training.small import blobs, fit, same, values


def rates(optimizer: object, fits: tuple[int, ...] = (6,), **options: object) -> list[float]:
    """The rate of every update: with constant gradient −1 of a bias, it is how far the bias went."""
    net = nnkit.FeedForward(1, 1, dtype="float64", seed=0)
    net.set_parameters({"layers.0.weight": [[0.0]]})
    went = [0.0]
    x, y = np.zeros((4, 1)), np.full(4, 1e6)
    for epochs in fits:
        run = fit(
            net,
            x,
            y,
            epochs=epochs,
            batch_size=2,
            optimizer=optimizer,
            loss="mae",
            callbacks=lambda _: went.append(float(net.parameters()["layers.0.bias"][0])),
            **options,
        )
        assert run.stopped is None
    return np.diff(went).tolist()  # one number for the two steps of each epoch


def expected(schedule: schedules.Schedule, steps: int) -> list[float]:
    every = [schedule.at(step) for step in range(1, steps + 1)]
    return [a + b for a, b in zip(every[::2], every[1::2], strict=True)]


FOLLOWED: list[schedules.Schedule] = [
    schedules.Constant(0.5),
    schedules.Step(0.5, every=3, factor=0.1),
    schedules.MultiStep(0.5, [3, 4, 9], factor=0.5),
    schedules.Exponential(0.5, every=1, factor=0.9),
    schedules.Polynomial(0.5, steps=8, power=1.5, warmup=2),
    schedules.Linear(0.5, steps=8, start_factor=0.5, end_factor=2.0),
    schedules.InverseTime(0.5, decay=0.3),
    schedules.InverseSquareRoot(0.5, warmup=3),
    schedules.Cosine(0.5, steps=8, warmup=2),
    schedules.CosineRestarts(0.5, first=3, factor=0.9),
    schedules.CosineRestarts(0.5, first=1, multiply=2, minimum=0.1),
    schedules.OneCycle(0.5, steps=11, warmup=1),
    schedules.Cyclic(0.5, minimum=0.1, rise=3, fall=2),
    schedules.Cyclic(0.5, minimum=0.1, rise=2, mode="triangular2"),
    schedules.Cyclic(0.5, minimum=0.1, rise=2, mode="exp_range", factor=0.9),
    schedules.Sequence([schedules.Linear(0.1), schedules.Constant(0.5, warmup=1)], boundaries=[5]).resolved(12),
]


def test_every_schedule_is_among_them() -> None:
    assert {schedule.name for schedule in FOLLOWED} == schedules.SCHEDULES.keys()


@pytest.mark.parametrize("compile", ["off", "first"])
@pytest.mark.parametrize("schedule", FOLLOWED, ids=str)
def test_the_schedule_is_followed(schedule: schedules.Schedule, compile: str) -> None:
    assert rates(SGD(schedule), compile=compile) == pytest.approx(expected(schedule, 12), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.Cosine(0.5),
        schedules.Polynomial(0.5, power=2.0),
        schedules.Linear(0.5),
        schedules.OneCycle(0.5),
        schedules.Sequence([schedules.Linear(0.5, start_factor=0.1, end_factor=1.0), schedules.Cosine(0.5)], [4]),
    ],
    ids=lambda schedule: schedule.name,
)
def test_what_is_left_open_is_stretched_over_the_whole_training(schedule: schedules.Schedule) -> None:
    assert rates(SGD(schedule)) == pytest.approx(expected(schedule.resolved(12), 12), rel=1e-9, abs=1e-9)


def test_an_open_cosine_is_stretched_over_the_whole_training() -> None:
    found = rates(SGD(schedules.Cosine(0.5)))
    assert found == pytest.approx(expected(schedules.Cosine(0.5, steps=12), 12), rel=1e-9, abs=1e-9)
    assert found[0] > 0.9
    assert found[-1] < 0.05


def test_an_open_cosine_inside_of_clipping() -> None:
    found = rates(ClipByGlobalNorm(SGD(schedules.Cosine(0.5)), max_norm=100.0))
    assert found == pytest.approx(expected(schedules.Cosine(0.5, steps=12), 12), rel=1e-9, abs=1e-9)


def test_going_on_stretches_it_over_both_trainings_and_never_stays_at_zero() -> None:
    found = rates(SGD(schedules.Cosine(0.5)), fits=(6, 6))
    assert found[6:] == pytest.approx(expected(schedules.Cosine(0.5, steps=24), 24)[6:], rel=1e-9, abs=1e-9)


def test_a_new_object_starts_its_schedule_anew() -> None:
    net = nnkit.FeedForward(3, 1, seed=0)
    x = blobs(20)[0]
    fit(net, x, x[:, 0], epochs=2, optimizer=SGD(schedules.Cosine(0.1)))
    assert int(net._model.store.read(["counter.update"])["counter.update"]) == 2
    fit(net, x, x[:, 0], epochs=3, optimizer=SGD(schedules.Cosine(0.1)))
    assert int(net._model.store.read(["counter.update"])["counter.update"]) == 3
    assert int(net._model.store.read(["counter.step"])["counter.step"]) == 5


def test_a_schedule_may_stand_for_the_rate() -> None:
    x, y = blobs(30)
    a, b = (nnkit.FeedForward(3, 3, output_activation="softmax", seed=0) for _ in range(2))
    schedule = schedules.Step(0.1, every=1, factor=0.5)
    fit(a, x, y, epochs=2, optimizer="sgd", learning_rate=schedule)
    run = fit(b, x, y, epochs=2, optimizer=SGD(schedule))
    assert same(values(a), values(b))
    assert run.to_dict()["training"]["learning_rate"]["name"] == "step"


@pytest.mark.parametrize(
    ("optimizer", "rate"), [(Adam(0.02), 0.02), (RMSprop(0.03), 0.03), (ClipByGlobalNorm(Adam(0.04), 1.0), 0.04)]
)
def test_the_record_has_the_rate_of_the_optimizer(optimizer: object, rate: float) -> None:
    x, y = blobs(10)
    net = nnkit.FeedForward(3, 3, output_activation="softmax")
    assert fit(net, x, y, epochs=1, optimizer=optimizer).to_dict()["training"]["learning_rate"] == rate


def test_a_rate_beside_an_object_is_refused() -> None:
    x, y = blobs(10)
    net = nnkit.FeedForward(3, 3, output_activation="softmax")
    message = r"learning_rate=0\.1 has no effect beside an optimiser object; write it there: SGD\(0\.1\)"
    with pytest.raises(ArgumentError, match=message):
        fit(net, x, y, optimizer=SGD(0.5), learning_rate=0.1)


@pytest.mark.parametrize(("rate", "becomes"), [(1e39, "inf"), (1e-60, "0")])
def test_a_rate_that_float32_does_not_hold_is_refused(rate: float, becomes: str) -> None:
    x, y = blobs(10)
    with pytest.raises(
        ArgumentError, match=rf"learning_rate=.* of the optimizer becomes {becomes} in float32; choose a"
    ):
        fit(nnkit.FeedForward(3, 3, output_activation="softmax"), x, y, learning_rate=rate)
    fit(nnkit.FeedForward(3, 3, output_activation="softmax", dtype="float64"), x, y, epochs=1, learning_rate=1e-60)


def test_no_rate_at_all_moves_nothing() -> None:
    x, y = blobs(10)
    net = nnkit.FeedForward(3, 3, output_activation="softmax")
    before = values(net)
    fit(net, x, y, epochs=2, learning_rate=0)
    assert same(values(net), before)
