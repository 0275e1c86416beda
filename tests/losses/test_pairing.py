"""Losses by name, which activations they go with, and their errors."""

import numpy as np
import pytest

from nnkit import losses
from nnkit.errors import ArgumentError, ShapeError
from nnkit.losses import ALIASES, LOSSES, Huber, Loss, check_pair, default_for, get
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


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("nll_loss", "cross_entropy"),
        ("NLL", "cross_entropy"),
        ("CrossEntropyLoss", "cross_entropy"),
        ("cross_entropy_with_logits", "cross_entropy"),
        ("bce_with_logits", "binary_cross_entropy"),
        ("BCEWithLogitsLoss", "binary_cross_entropy"),
        ("MSELoss", "mean_squared_error"),
        ("L1Loss", "mean_absolute_error"),
        ("SmoothL1Loss", "huber"),
        ("KLDivLoss", "kl_divergence"),
    ],
)
def test_names_of_pytorch_and_of_losses_on_logits(name, ours):
    assert get(name).name == ours


def test_errors():
    with pytest.raises(ArgumentError, match=r"unknown loss 'mes'. Did you mean 'mse'"):
        get("mes")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(delta=0), r"Huber: delta is 0, expected a number in \(0, inf\)"),
        (
            lambda: losses.CrossEntropy(label_smoothing=1.0),
            r"CrossEntropy: label_smoothing is 1.0, expected .* \[0, 1\)",
        ),
        (lambda: losses.MeanAbsolutePercentageError(eps=0), "MeanAbsolutePercentageError: eps is 0, expected a number"),
        (lambda: losses.Quantile(tau=1), r"Quantile: tau is 1, expected a number in \(0, 1\)"),
        (lambda: losses.BinaryFocal(gamma=-1), r"BinaryFocal: gamma is -1, expected a number in \[0, inf\)"),
        (lambda: losses.BinaryFocal(alpha=2), r"BinaryFocal: alpha is 2, expected a number in \[0, 1\]"),
        (lambda: losses.Focal(gamma=-1), "Focal: gamma is -1"),
        (lambda: losses.Focal(alpha=[1, 2]), r"Focal: alpha is \[1, 2\], expected a number in \(0, inf\)"),
        (lambda: losses.GaussianNLL(eps=0), "GaussianNLL: eps is 0"),
        (lambda: losses.Triplet(margin=-1), r"Triplet: margin is -1, expected a number in \[0, inf\)"),
        (lambda: losses.Triplet(mining="semi"), "Triplet: mining is 'semi', expected 'hard' or 'all'"),
        (lambda: losses.Triplet(None, "all"), "Triplet: margin is None, the soft margin, which needs mining='hard'"),
        (lambda: losses.MarginRanking(margin=-1), "MarginRanking: margin is -1"),
    ],
)
def test_hyper_parameters(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


CLASSES = {name for name, made in LOSSES.items() if made.targets == "classes"}
OTHERS = {"gaussian_nll", "triplet", "margin_ranking"}


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - CLASSES - OTHERS))
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
@pytest.mark.parametrize("name", sorted(CLASSES))
def test_shapes_of_classes(name, prediction, target):
    for function in (get(name), *get(name).paired.values()):
        with pytest.raises(ShapeError, match=rf"loss '{name}': .* targets are integer labels \(rows,\) or prob"):
            function(prediction, target)


@pytest.mark.parametrize(
    ("name", "prediction", "target", "message"),
    [
        ("gaussian_nll", (4, 2), (4, 2), r"with targets \(rows, k\), predictions are \(rows, 2 k\)"),
        ("gaussian_nll", (4, 2), (4,), r"predictions have shape \(4, 2\) and targets \(4,\)"),
        ("gaussian_nll", (4, 2), (), r"and targets \(\)"),
        ("triplet", (4, 2), (4, 1), "expected predictions .* and one integer label for each row"),
        ("triplet", (4,), (4,), r"predictions have shape \(4,\)"),
        ("margin_ranking", (4, 3), (4,), r"expected predictions \(rows, 2\) and targets \(rows,\)"),
        ("margin_ranking", (4, 2), (4, 2), r"and targets \(4, 2\)"),
    ],
)
def test_shapes_of_other_targets(name, prediction, target, message):
    with pytest.raises(ShapeError, match=rf"loss '{name}': .*{message}"):
        get(name)(np.ones(prediction), np.ones(target))


def test_how_many_targets_belong_to_the_outputs():
    assert [get(name).targets_for(6) for name in ("mse", "gaussian_nll")] == [6, 3]
    assert get("margin_ranking").targets_for(2) == 1
    for name in ("mse", "gaussian_nll", "margin_ranking"):
        assert get(name).targets_for(get(name).outputs_for(1)) == 1
    with pytest.raises(ShapeError, match=r"'gaussian_nll' needs two outputs for each target, .* and the network has 3"):
        get("gaussian_nll").targets_for(3)
    with pytest.raises(ShapeError, match=r"'margin_ranking' compares two outputs, and the network has 3; .* outputs=2"):
        get("margin_ranking").targets_for(3)


def test_every_default_can_be_used():
    for row in ACTIVATIONS.values():
        check_pair(get(default_for(row.name)), row.name, row.domain)
    assert default_for("identity") == "mean_squared_error"
    assert default_for("sigmoid") == "binary_cross_entropy"
    assert default_for("log_softmax") == "cross_entropy"
    assert default_for("exponential") == "poisson"
    assert default_for("tanh") == "mean_squared_error"


SIGNED = {name for name, row in ACTIVATIONS.items() if row.domain == "any"} - {"relu", "relu6", "log_sigmoid"}


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
        ("binary_focal", {"sigmoid", "hard_sigmoid", "softmax", "sparsemax"}),
        ("focal", {"softmax", "log_softmax", "sparsemax"}),
        ("kl_divergence", {"softmax", "log_softmax", "sparsemax"}),
        *((name, SIGNED) for name in ("hinge", "squared_hinge", "gaussian_nll")),
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
        r"'relu'; build the network with what it needs, or take a loss for 'relu', such as 'mean_squared_error'"
    )
    with pytest.raises(ArgumentError, match=message):
        check_pair(get("cross_entropy"), "relu", "any")
