"""Losses by name, which activations they go with, and their errors."""

import json

import numpy as np
import pytest

from nnkit import losses
from nnkit.errors import ArgumentError, ShapeError
from nnkit.losses import ALIASES, LOSSES, CrossEntropy, Huber, Loss, check_pair, default_for, from_config, get
from nnkit.nn.activations import ACTIVATIONS


def test_names_and_aliases():
    assert set(ALIASES.values()) <= LOSSES.keys()
    assert not ALIASES.keys() & LOSSES.keys()
    for name in LOSSES:
        assert get(name).name == name
        assert isinstance(get(name), Loss)
        assert type(get(name)).__name__ in losses.__all__
    for alias in ("mse", "mae", "bce", "binary_crossentropy", "sparse_categorical_crossentropy"):
        assert get(alias).name == ALIASES[alias]
    huber = Huber(delta=2.0)
    assert get(huber) is huber


@pytest.mark.parametrize("loss", [Huber(2.5), CrossEntropy(0.1), get("mse")])
def test_config_survives_json(loss):
    assert from_config(json.loads(json.dumps(loss.config()))) == loss


def test_errors():
    with pytest.raises(ArgumentError, match=r"unknown loss 'mes'. Did you mean 'mse'"):
        get("mes")
    with pytest.raises(ArgumentError, match=r"Huber: delta is 0, expected a number in \(0, inf\)"):
        Huber(delta=0)
    with pytest.raises(ArgumentError, match=r"CrossEntropy: label_smoothing is 1.0, expected a number in \[0, 1\)"):
        CrossEntropy(label_smoothing=1.0)


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"cross_entropy"}))
def test_shapes_must_be_equal(name):
    message = rf"loss '{name}': predictions have shape \(4, 1\) and targets \(4,\); they must be equal"
    with pytest.raises(ShapeError, match=message):
        get(name)(np.ones((4, 1)), np.ones(4))
    for paired in get(name).paired.values():
        with pytest.raises(ShapeError, match=message):
            paired(np.ones((4, 1)), np.ones(4))


@pytest.mark.parametrize(
    ("prediction", "target"),
    [
        (np.ones((4, 3)), np.ones((4, 1), dtype=np.int64)),
        (np.ones((4, 3)), np.ones(4)),
        (np.ones((4, 3)), np.ones((3, 4))),
        (np.ones(4), np.ones(4)),
    ],
)
def test_shapes_of_classes(prediction, target):
    for function in (get("ce"), get("ce").paired["softmax"]):
        with pytest.raises(ShapeError, match=r"loss 'cross_entropy': .* targets are integer labels \(rows,\) or prob"):
            function(prediction, target)


def test_every_default_can_be_used():
    for row in ACTIVATIONS.values():
        check_pair(get(default_for(row.name)), row.name, row.domain)
    assert default_for("identity") == "mean_squared_error"
    assert default_for("sigmoid") == "binary_cross_entropy"
    assert default_for("log_softmax") == "cross_entropy"
    assert default_for("exponential") == "poisson"
    assert default_for("tanh") == "mean_squared_error"


@pytest.mark.parametrize(
    ("loss", "fits"),
    [
        ("mean_squared_error", set(ACTIVATIONS)),
        ("cross_entropy", {"softmax", "log_softmax", "sparsemax"}),
        ("binary_cross_entropy", {"sigmoid", "hard_sigmoid", "softmax", "sparsemax"}),
        (
            "poisson",
            {"sigmoid", "hard_sigmoid", "softmax", "sparsemax", "exponential", "softplus", "squareplus"},
        ),
    ],
)
def test_which_activations_fit(loss, fits):
    for name, row in ACTIVATIONS.items():
        if name in fits:
            check_pair(get(loss), name, row.domain)
        else:
            with pytest.raises(ArgumentError, match=rf"loss '{loss}' needs .*, but the output activation is '{name}'"):
                check_pair(get(loss), name, row.domain)


def test_the_error_of_a_pair_says_what_to_do():
    message = (
        r"loss 'cross_entropy' needs class probabilities \(output_activation='softmax'\), but the output activation is "
        r"'relu'; change the one or the other, for example to loss='mean_squared_error'"
    )
    with pytest.raises(ArgumentError, match=message):
        check_pair(get("cross_entropy"), "relu", "any")
