"""What a network is asked for: its outputs, the loss, and the targets that classes and values become."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnkit import losses
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError
from nnkit.losses import Loss
from nnkit.nn.activations import ACTIVATIONS
from nnkit.playground.settings import Settings

ONE_SIDED = ("relu",)
"""Output activations that are never below 0, which their domain does not say."""
OF_ALL = ("softmax", "sparsemax")
"""Output activations that share 1 among the outputs, so that each class needs its own."""


@dataclass(frozen=True)
class Goal:
    """Outputs and loss, and what stands for no and yes, or for the values −1 and 1.

    Args:
        activation: of the outputs.
        loss: its name, never ``"auto"``.
        low, high: the targets; None where these are the labels themselves, of which the network gives one output each.
    """

    outputs: int
    activation: str
    loss: str
    low: float | None = None
    high: float | None = None


def counts_right(goal: Goal) -> bool:
    """Whether ``net.test`` counts rows whose class is right: not where a class is an output among others, yes or no."""
    kind = losses.get(goal.loss).targets
    return kind == "classes" or (kind == "binary" and goal.outputs == 1)


def goal_for(settings: Settings, classes: int) -> Goal:
    """The goal of a network that tells ``classes`` apart, or learns values from −1 to 1 where there are none.

    ``"auto"`` is what the other choice asks for. Without any, two classes are one output between 0 and 1, more are
    probabilities, and values are the output itself.

    Raises:
        ArgumentError: output and loss that do not fit together, or do not fit the data.

    >>> goal_for(Settings(), classes=2)
    Goal(outputs=1, activation='sigmoid', loss='binary_cross_entropy', low=0.0, high=1.0)
    >>> goal_for(Settings(output="tanh"), classes=3)
    Goal(outputs=3, activation='tanh', loss='mean_squared_error', low=-1.0, high=1.0)
    """
    activation, loss = _for_classes(settings, classes) if classes else _for_values(settings)
    losses.check_pair(loss, activation, ACTIVATIONS[activation].domain)
    low, high = _targets(loss, activation)
    one = classes <= 2 and low is not None and activation not in OF_ALL
    return Goal(1 if one else classes, activation, loss.name, low, high)


def targets(goal: Goal, target: Array, classes: int) -> Array:
    """What ``fit`` takes: labels, int32 (rows,), or numbers, float32 (rows, outputs).

    ``target`` are the labels (rows,) of ``classes``, or values from −1 to 1 where there are none.

    >>> targets(goal_for(Settings(output="tanh"), 2), np.array([0, 1, 1]), 2).tolist()
    [[-1.0], [1.0], [1.0]]
    """
    if goal.low is None or goal.high is None:
        return np.asarray(target, dtype=np.int32)
    if not classes:
        share = (np.asarray(target) + 1) / 2
    elif goal.outputs == 1:
        share = np.asarray(target == 1)
    else:
        share = target[:, None] == np.arange(classes)
    found = goal.low + share * (goal.high - goal.low)
    return found.astype(np.float32).reshape(len(target), goal.outputs)


def chosen(goal: Goal, predictions: Array) -> Array:
    """The class that each prediction says, (rows,): the largest output, or whether the only one is nearer to yes.

    >>> chosen(Goal(1, "tanh", "hinge", -1.0, 1.0), np.array([[-0.2], [0.3]])).tolist()
    [0, 1]
    """
    if goal.outputs > 1 or goal.low is None or goal.high is None:
        return np.asarray(np.argmax(predictions, axis=1))
    return np.asarray(predictions[:, 0] > (goal.low + goal.high) / 2, dtype=np.int64)


def correct(goal: Goal, predictions: Array, target: Array) -> float:
    """The share of labels that the predictions get right; one that is no number gets nothing right.

    >>> correct(Goal(2, "softmax", "cross_entropy"), np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    0.5
    """
    right = (chosen(goal, predictions) == target) & ~np.isnan(predictions).any(axis=1)
    return float(right.mean())


def _for_classes(settings: Settings, classes: int) -> tuple[str, Loss]:
    if settings.loss == "auto":
        usual = "sigmoid" if classes == 2 else "softmax"
        activation = usual if settings.output == "auto" else settings.output
        return activation, losses.get(losses.default_for(activation))
    loss = losses.get(settings.loss)
    if settings.output != "auto":
        return settings.output, loss
    suited = losses.activation_for(loss)
    if loss.targets != "numbers" or suited != "identity":
        return suited, loss
    return "tanh" if loss.minimum is None else "sigmoid", loss


def _for_values(settings: Settings) -> tuple[str, Loss]:
    loss = losses.get("mean_squared_error" if settings.loss == "auto" else settings.loss)
    if loss.targets != "numbers":
        raise ArgumentError(
            f"loss '{loss.name}' is for classes, and these data have values; choose another, "
            "for example loss='mean_squared_error'"
        )
    activation = losses.activation_for(loss) if settings.output == "auto" else settings.output
    if activation in OF_ALL:
        raise ArgumentError(
            f"output activation '{activation}' shares 1 among classes, and these data have one value for each row; "
            "choose another, for example 'identity'"
        )
    return activation, loss


def _targets(loss: Loss, activation: str) -> tuple[float | None, float | None]:
    """What stands for no and yes: ±1, or 0 and 1 where the outputs or the loss know nothing below 0."""
    if loss.targets == "classes":
        return None, None
    if loss.targets == "binary":
        return (-1.0, 1.0) if loss.domain == "signed" else (0.0, 1.0)
    below = ACTIVATIONS[activation].domain == "any" and activation not in ONE_SIDED
    return (-1.0, 1.0) if below and loss.minimum is None else (0.0, 1.0)
