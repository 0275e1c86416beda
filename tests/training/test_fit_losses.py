"""Every loss from ``fit`` to file: plain and compiled programs agree, wrong targets are refused, and it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import losses
from nnkit.errors import ArgumentError, DataError, DtypeError, ShapeError
from nnkit.losses import Loss
from nnkit.optimizers import SGD
from tests.training.small import fit, values
from tests.training.steps import Job, check_compiled

RNG = np.random.default_rng(7)
ROWS = 44
X = RNG.normal(size=(ROWS, 3))
NUMBERS = np.tanh(X @ RNG.normal(size=(3, 2))) + 0.1 * RNG.normal(size=(ROWS, 2))
LABELS = np.digitize(X[:, 0], [-0.5, 0.5])
YES = NUMBERS > 0
SHARES = np.exp(NUMBERS) / np.exp(NUMBERS).sum(axis=1, keepdims=True)

# Outputs, output activation and targets for each loss.
TASKS: dict[str, tuple[str | Loss, int, str, Any]] = {
    "mean_squared_error": ("mse", 2, "identity", NUMBERS),
    "mean_absolute_error": ("mae", 2, "identity", NUMBERS),
    "huber": (losses.Huber(0.5), 2, "identity", NUMBERS),
    "log_cosh": ("logcosh", 2, "identity", NUMBERS),
    "quantile": (losses.Quantile(0.9), 2, "identity", NUMBERS),
    "mean_absolute_percentage_error": (losses.MeanAbsolutePercentageError(0.5), 2, "identity", NUMBERS),
    "mean_squared_logarithmic_error": ("msle", 2, "softplus", abs(NUMBERS)),
    "poisson": ("poisson", 2, "exponential", np.floor(3 * abs(NUMBERS))),
    "gaussian_nll": ("gaussian_nll", 4, "identity", NUMBERS),
    "gaussian_nll of one": (losses.GaussianNLL(1e-3), 2, "identity", NUMBERS[:, 0]),
    "cosine_similarity": ("cosine", 2, "identity", NUMBERS),
    "binary_cross_entropy": ("bce", 2, "sigmoid", YES),
    "binary_focal": ("binary_focal", 2, "sigmoid", YES),
    "hinge": ("hinge", 2, "identity", YES),
    "hinge of one": ("hinge", 1, "tanh", 2 * YES[:, 0].astype(int) - 1),
    "squared_hinge": ("squared_hinge", 2, "identity", 2.0 * YES - 1),
    "cross_entropy": (losses.CrossEntropy(0.1), 3, "softmax", LABELS),
    "focal": ("focal", 3, "softmax", LABELS),
    "categorical_hinge": ("categorical_hinge", 3, "identity", LABELS),
    "kl_divergence": ("kl", 2, "softmax", SHARES),
    "triplet": ("triplet", 2, "identity", 10 * LABELS),
    "triplet of all": (losses.Triplet(0.5, "all"), 2, "identity", LABELS),
    "triplet, soft": (losses.Triplet(None), 2, "identity", LABELS),
    "margin_ranking": (losses.MarginRanking(0.5), 2, "identity", YES[:, 0]),
}
EVERY = pytest.mark.parametrize("task", TASKS)


def network(task: str, **options: Any) -> nnkit.Network:
    _, outputs, activation, _ = TASKS[task]
    given = {"dtype": "float64", "seed": 1} | options
    return nnkit.FeedForward(3, outputs, [5], activation="tanh", output_activation=activation, **given)


@EVERY
def test_compiled_steps_are_those_of_the_reference(task: str) -> None:
    loss, _, _, y = TASKS[task]
    y = np.asarray(y)
    made = losses.get(loss)
    target = y.astype("int32") if made.targets in ("classes", "groups") and y.ndim == 1 else y.astype("float64")
    target = target.reshape(ROWS, -1) if made.targets in ("numbers", "binary") else target
    check_compiled(Job(network(task).module, (3,), loss, SGD(0.05), target, ROWS), batch=12)


@pytest.mark.parametrize("task", ["gaussian_nll of one", "hinge of one", "cross_entropy", "triplet", "margin_ranking"])
def test_plain_and_compiled_programs_agree(task: str) -> None:
    """One of each kind of targets, as ``fit`` takes them."""
    loss, _, _, y = TASKS[task]
    ends, histories = [], []
    for mode in ("off", "first"):
        net = network(task)
        run = fit(net, X, y, loss=loss, epochs=3, batch_size=22, optimizer=SGD(0.05), compile=mode)
        assert run.record.training["program"] == run.record.training["program"] | {
            "kind": "plain" if mode == "off" else "native",
            "fallbacks": [],
        }
        ends.append(values(net))
        histories.append(run.history["loss"])
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-10)
    for name, value in ends[0].items():
        np.testing.assert_allclose(ends[1][name], value, rtol=1e-9, atol=1e-11)


@EVERY
def test_it_learns_and_its_scores_are_exact(task: str, tmp_path: Path) -> None:
    loss, _, _, y = TASKS[task]
    net = network(task, dtype="float32")
    run = fit(net, X, y, loss=loss, epochs=25, batch_size=ROWS, learning_rate=0.02, validation_split=0.25)
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert np.isfinite(run.history["val_loss"]).all()
    scores, made = net.test(X, y), losses.get(loss)
    again = _rows(made, net.predict(X).astype(np.float64), y).mean()
    assert scores.loss == pytest.approx(again, rel=2e-4, abs=2e-6)
    assert (scores.accuracy is None) == (made.targets in ("numbers", "signs", "groups"))
    assert (scores.r2 is None) == (made.targets != "numbers")
    net.save(tmp_path / "net.h5")
    loaded = nnkit.load(tmp_path / "net.h5")
    assert losses.get(loaded._loss) == made
    assert loaded.test(X, y).loss == scores.loss


def _rows(loss: Loss, prediction: Any, y: Any) -> Any:
    y = np.asarray(y)
    given = y.reshape(ROWS, -1) if loss.targets in ("numbers", "binary") else y
    return loss(prediction, given)


@EVERY
def test_it_can_be_explained(task: str) -> None:
    assert "loss" in network(task).explain(loss=TASKS[task][0], batch_size=8)


@EVERY
def test_gradients_are_those_of_finite_differences(task: str) -> None:
    loss, _, _, y = TASKS[task]
    nnkit.check_gradients(network(task), X[:12], y[:12], loss=loss, order=1)


def test_a_hinge_decides_at_zero() -> None:
    net = network("hinge of one")
    fit(net, X, YES[:, 0], loss="hinge", epochs=30, learning_rate=0.05)
    for answers in (YES[:, 0], 2 * YES[:, 0].astype(int) - 1):
        assert net.test(X, answers).accuracy == ((net.predict(X)[:, 0] > 0) == YES[:, 0]).mean() > 0.8
    last = fit(net, X, YES[:, 0], loss="hinge", epochs=1, learning_rate=0, batch_size=ROWS)
    assert last.history["accuracy"] == [net.test(X, YES[:, 0]).accuracy]
    assert last.record.data["classes"] == 2
    fit(net, X, YES[:, 0], loss="hinge", epochs=1, class_weight="balanced")


def test_the_gaussian_learns_how_sure_it_can_be() -> None:
    draw = np.random.default_rng(0)
    x = draw.uniform(-1, 1, size=(2000, 1))
    spread = np.where(x > 0, 0.5, 0.1)
    net = nnkit.FeedForward(1, 2, [16], activation="tanh", seed=0)
    fit(net, x, x + spread * draw.normal(size=x.shape), loss="gaussian_nll", epochs=60, learning_rate=0.01)
    mean, log_variance = net.predict(np.asarray([[-0.5], [0.5]])).T
    np.testing.assert_allclose(mean, [-0.5, 0.5], atol=0.1)
    np.testing.assert_allclose(np.exp(log_variance / 2), [0.1, 0.5], rtol=0.25)


def test_rows_of_several_batches_of_a_test_are_compared_in_their_own() -> None:
    """The last batch is filled up with rows that belong to no label."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(1030, 3)), draw.integers(0, 4, 1030)
    net = network("triplet")
    parts = [losses.get("triplet")(net.predict(x[part]), y[part]) for part in (slice(1024), slice(1024, None))]
    assert net.test(x, y, loss="triplet").loss == pytest.approx(np.concatenate(parts).mean(), rel=1e-12)


WRONG: dict[str, tuple[str, Any, type[Exception], str]] = {
    "odd outputs": (
        "categorical_hinge",
        "gaussian_nll",
        ShapeError,
        "needs two outputs for each target, .* has 3; build",
    ),
    "too many means": ("gaussian_nll", X, ShapeError, r"expected \(44, 2\); pass 2 columns, or build .* for 6 outputs"),
    "as many targets as outputs": ("gaussian_nll of one", NUMBERS, ShapeError, "pass 1 column, or build .* 4 outputs"),
    "three to rank": (
        "categorical_hinge",
        "margin_ranking",
        ShapeError,
        r"compares two outputs, and the network has 3",
    ),
    "two ranks": ("margin_ranking", NUMBERS, ShapeError, r"y has shape \(44, 2\), expected \(44, 1\); pass 1 column$"),
    "ranks": ("margin_ranking", LABELS, DataError, "y has 2 at row .*, column 0; this loss needs 1 and −1, or 1 and 0"),
    "three answers": ("hinge", LABELS[:, None] - YES, DataError, "; this loss needs 1 and −1, or 1 and 0"),
    "three signs": ("hinge of one", LABELS - 1, DataError, "y has both 0 and −1; this loss needs 1 and −1, or 1 and 0"),
    "half": ("hinge of one", np.full(ROWS, 0.5), DataError, "y has 0.5 at row 0, column 0; this loss needs 1 and"),
    "numbers as groups": ("triplet", NUMBERS, ShapeError, r"this loss compares rows by their labels: expected one int"),
    "groups as floats": (
        "triplet",
        LABELS / 2,
        DtypeError,
        r"y holds float64 values such as 0\.5, .*; for numbers choose another",
    ),
    "groups below 0": ("triplet", LABELS - 1, DataError, "y has the label -1 in row .*, expected 0 to 2147483647; enc"),
    "large groups": ("triplet", LABELS + 2**40, DataError, "expected 0 to 2147483647; encode the labels: numpy.unique"),
    "text": ("triplet", np.asarray(["a", "b"])[YES[:, 0].astype(int)], DataError, "y holds text; its classes are 'a'"),
    "logarithms": ("mean_squared_logarithmic_error", NUMBERS, DataError, "this loss needs targets of at least 0"),
    "counts": ("poisson", NUMBERS, DataError, "this loss needs targets of at least 0, so shift them, or choose"),
    "sure": ("kl_divergence", "hinge", ArgumentError, r"'hinge' needs values of either sign .*'identity'.*'softmax'"),
    "bounded": ("poisson", "gaussian_nll", ArgumentError, "'gaussian_nll' needs values of either sign .*'exponential'"),
    "scores": ("hinge", "focal", ArgumentError, "'focal' needs class probabilities"),
}


@pytest.mark.parametrize(("task", "wrong", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_targets_and_pairs(task: str, wrong: Any, error: type[Exception], message: str) -> None:
    loss, _, _, y = TASKS[task]
    loss, y = (wrong, y) if isinstance(wrong, str) else (loss, wrong)
    net = network(task)
    before = values(net)
    for use in (lambda: fit(net, X, y, loss=loss), lambda: net.test(X, y, loss=loss)):
        with pytest.raises(error, match=message):
            use()
    for name, value in values(net).items():
        np.testing.assert_array_equal(value, before[name])


def test_groups_are_no_classes() -> None:
    with pytest.raises(ArgumentError, match="class_weight needs classes, but loss 'triplet' has none here"):
        fit(network("triplet"), X, LABELS, loss="triplet", class_weight="balanced")
