"""Outputs, losses and targets: each choice works with nnkit, or says why it cannot."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnkit
from nnkit.errors import ArgumentError
from nnkit.optimizers import OPTIMIZERS, SGD, Muon, RMSprop
from nnkit.playground.goal import Goal, chosen, correct, goal_for, targets
from nnkit.playground.optimizer import optimizer_for
from nnkit.playground.settings import LOSS_NAMES, OUTPUTS, Settings
from nnkit.training.objective import objective
from nnkit.training.targets import targets as taken

USUAL = {
    "two classes": (2, {}, Goal(1, "sigmoid", "binary_cross_entropy", 0.0, 1.0)),
    "more classes": (4, {}, Goal(4, "softmax", "cross_entropy")),
    "values": (0, {}, Goal(1, "identity", "mean_squared_error", -1.0, 1.0)),
    "softmax of two": (2, {"output": "softmax"}, Goal(2, "softmax", "cross_entropy")),
    "sparsemax of two": (2, {"output": "sparsemax"}, Goal(2, "sparsemax", "mean_squared_error", 0.0, 1.0)),
    "tanh": (2, {"output": "tanh"}, Goal(1, "tanh", "mean_squared_error", -1.0, 1.0)),
    "relu": (2, {"output": "relu"}, Goal(1, "relu", "mean_squared_error", 0.0, 1.0)),
    "softplus": (2, {"output": "softplus"}, Goal(1, "softplus", "mean_squared_error", 0.0, 1.0)),
    "sigmoid of three": (3, {"output": "sigmoid"}, Goal(3, "sigmoid", "binary_cross_entropy", 0.0, 1.0)),
    "numbers for classes": (2, {"loss": "huber"}, Goal(1, "tanh", "huber", -1.0, 1.0)),
    "counts for classes": (3, {"loss": "poisson"}, Goal(3, "exponential", "poisson", 0.0, 1.0)),
    "ratios for classes": (
        *(2, {"loss": "mean_squared_logarithmic_error"}),
        Goal(1, "sigmoid", "mean_squared_logarithmic_error", 0.0, 1.0),
    ),
    "hinge": (2, {"loss": "hinge"}, Goal(1, "identity", "hinge", -1.0, 1.0)),
    "hinge of three": (3, {"loss": "squared_hinge"}, Goal(3, "identity", "squared_hinge", -1.0, 1.0)),
    "margins of two": (2, {"loss": "categorical_hinge"}, Goal(2, "identity", "categorical_hinge")),
    "focal": (2, {"loss": "focal"}, Goal(2, "softmax", "focal")),
    "binary focal": (2, {"loss": "binary_focal"}, Goal(1, "sigmoid", "binary_focal", 0.0, 1.0)),
    "squares of probabilities": (
        *(2, {"output": "sigmoid", "loss": "mean_squared_error"}),
        Goal(1, "sigmoid", "mean_squared_error", 0.0, 1.0),
    ),
    "values by sigmoid": (0, {"output": "sigmoid"}, Goal(1, "sigmoid", "mean_squared_error", 0.0, 1.0)),
    "values as counts": (0, {"loss": "poisson"}, Goal(1, "exponential", "poisson", 0.0, 1.0)),
}


@pytest.mark.parametrize(("classes", "settings", "goal"), USUAL.values(), ids=USUAL)
def test_what_choices_mean(classes: int, settings: dict, goal: Goal) -> None:
    assert goal_for(Settings(**settings), classes) == goal


@pytest.mark.parametrize("classes", [0, 2, 3, 10])
def test_every_choice_is_taken_by_nnkit_or_refused(classes: int) -> None:
    target = np.arange(12) % classes if classes else np.linspace(-1, 1, 12)
    possible = 0
    for output, loss in itertools.product(OUTPUTS, LOSS_NAMES):
        try:
            goal = goal_for(Settings(output=output, loss=loss), classes)
        except ArgumentError:
            assert "auto" not in (output, loss) or not classes
            continue
        possible += 1
        net = nnkit.FeedForward(inputs=2, outputs=goal.outputs, output_activation=goal.activation)
        given = targets(goal, target, classes)
        assert given.dtype == (np.int32 if goal.low is None else np.float32)
        wanted = taken(objective(net.module, goal.loss), net._model.layout, given, len(given))
        np.testing.assert_array_equal(wanted, given)
    assert possible > 40


@pytest.mark.parametrize(
    ("output", "loss", "classes"), [("auto", "auto", 2), ("auto", "hinge", 3), ("tanh", "auto", 0)]
)
def test_a_network_learns_what_it_is_asked_for(output: str, loss: str, classes: int) -> None:
    goal = goal_for(Settings(output=output, loss=loss), classes)
    label = np.arange(60) % max(classes, 2)
    x = np.stack([label == 1, label == 2], axis=1) * 2.0 - 1
    target = label if classes else label * 1.0 - 0.5
    net = nnkit.FeedForward(inputs=2, outputs=goal.outputs, output_activation=goal.activation)
    given = targets(goal, target, classes)
    net.fit(x, given, epochs=60, learning_rate=0.05, loss=goal.loss, progress=False, compile="off")
    if classes:
        assert correct(goal, net.predict(x), target) == 1
    else:
        np.testing.assert_allclose(net.predict(x)[:, 0], target, atol=0.1)


REFUSED = {
    "probabilities needed": (
        2,
        "tanh",
        "binary_cross_entropy",
        r"needs probabilities .*, but the output activation is",
    ),
    "distribution needed": (2, "sigmoid", "cross_entropy", r"needs class probabilities .*, but the output activation"),
    "either sign needed": (2, "relu", "hinge", r"needs values of either sign"),
    "classes for values": (0, "auto", "cross_entropy", r"'cross_entropy' is for classes, and these data have values"),
    "shares for values": (0, "softmax", "auto", r"'softmax' shares 1 among classes, and these data have one value"),
}


@pytest.mark.parametrize(("classes", "output", "loss", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_told(classes: int, output: str, loss: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        goal_for(Settings(output=output, loss=loss), classes)


def test_targets() -> None:
    label = np.array([0, 2, 1])
    assert targets(Goal(3, "softmax", "cross_entropy"), label, 3).tolist() == [0, 2, 1]
    one_hot = targets(Goal(3, "tanh", "mean_squared_error", -1.0, 1.0), label, 3)
    assert one_hot.tolist() == [[1, -1, -1], [-1, -1, 1], [-1, 1, -1]]
    value = np.array([-1.0, 0.0, 0.5])
    assert targets(Goal(1, "identity", "huber", -1.0, 1.0), value, 0).tolist() == [[-1], [0], [0.5]]
    assert targets(Goal(1, "sigmoid", "huber", 0.0, 1.0), value, 0).tolist() == [[0], [0.5], [0.75]]
    assert targets(Goal(1, "sigmoid", "huber", 0.0, 1.0), np.zeros(0), 0).shape == (0, 1)
    assert targets(Goal(3, "sigmoid", "huber", 0.0, 1.0), np.zeros(0, int), 3).shape == (0, 3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.sampled_from(["auto", "tanh", "sigmoid", "identity"]))
def test_targets_themselves_are_all_correct(labels: list[int], output: str) -> None:
    for classes in (2, 4):
        goal, label = goal_for(Settings(output=output), classes), np.array(labels) % classes
        wanted = targets(goal, label, classes)
        perfect = np.eye(classes)[label] if goal.low is None else wanted
        assert chosen(goal, perfect).tolist() == label.tolist()
        assert correct(goal, perfect, label) == 1
        assert correct(goal, perfect, (label + 1) % classes) == 0


def test_what_is_no_number_is_not_correct() -> None:
    goal = Goal(2, "softmax", "cross_entropy")
    assert correct(goal, np.array([[np.nan, np.nan], [1.0, 0.0]]), np.array([0, 0])) == 0.5


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_has_its_rate(name: str) -> None:
    made = optimizer_for(Settings(optimizer=name, rate=0.07))
    assert made == OPTIMIZERS[name](0.07)  # type: ignore[call-arg]


def test_momentum_is_for_those_that_know_it() -> None:
    assert optimizer_for(Settings(rate=0.1, momentum=0.9)) == SGD(0.1, momentum=0.9)
    assert optimizer_for(Settings(optimizer="rmsprop", rate=0.1, momentum=0.9)) == RMSprop(0.1, momentum=0.9)
    assert optimizer_for(Settings(optimizer="muon", rate=0.1)) == Muon(0.1)
    assert optimizer_for(Settings(optimizer="adam", rate=0.1, momentum=0.9)) == OPTIMIZERS["adam"](0.1)  # type: ignore[call-arg]
