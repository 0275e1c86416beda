"""What has no value says so: 0 / 0, classes without rows, targets of the wrong kind; never a silent zero."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import metrics
from nnkit.errors import ArgumentError, DataError, NnkitWarning, ShapeError, UndefinedMetricError
from nnkit.metrics import METRICS
from nnkit.metrics.notes import collected
from tests.metrics.cases import data
from tests.peers import peer

THREE = np.eye(3)
UNDEFINED = {
    "one class": (
        "roc_auc",
        [1, 1],
        [0.2, 0.3],
        "metric 'roc_auc': class 0 without rows; it needs rows of every class",
    ),
    "classes missing": ("roc_auc", [0, 0], THREE[[0, 1]], "classes 1 and 2 without rows"),
    "class missing": ("roc_auc_ovo", [0, 2, 0], THREE, "class 1 without rows.*use more rows or a stratified split"),
    "one score": ("roc_auc", [0, 1, 2], [0, 1, 2], r"there are 3 classes and one score a row; pass scores \(rows, c"),
    "no positive": ("average_precision", [0, 0], [0.2, 0.3], "class 1 without rows, so its recall would be 0/0"),
    "none of a class": ("average_precision", [0, 1, 0], THREE, "class 2 without rows"),
    "nothing predicted": (
        "precision",
        [1, 0],
        [0.2, 0.3],
        "metric 'precision': class 1 is never predicted, so it would",
    ),
    "nothing there": ("recall", [0, 0], [0.2, 0.8], "class 1 is without rows, so it would be 0/0"),
    "neither": ("f1", [0, 0], [0.2, 0.3], "metric 'f1': class 1 is neither there nor predicted"),
    "neither, beta": ("f2_binary", [0, 0], [0.2, 0.3], "metric 'f_beta': class 1 is neither"),
    "of one class": ("matthews_correlation", [1, 1], [0.2, 0.8], "all rows are of class 1, so it would be 0/0"),
    "as one class": ("matthews_correlation", [1, 0, 2], THREE[[0, 0, 0]], "all rows are predicted as class 0"),
    "all agree": ("cohen_kappa", [1, 1], [0.7, 0.8], "all rows are of class 1 and predicted as it"),
    "zero target": ("mape", [1.0, 0.0], [1.0, 1.0], "target is 0 in row 1, and no error is a share of 0; use 'mae'"),
    "constant": (
        "r2",
        [[0.1, 1.0]] * 3,
        [[1.0, 2.0]] * 3,
        "all targets of output 0 are equal, so it would divide by 0",
    ),
    "one row": ("r2", [1.0], [1.0], "metric 'r2': all targets are equal"),
    "flat": ("explained_variance", [0.1] * 5, [1.0, 2.0, 3.0, 4.0, 5.0], "all targets are equal"),
    "flat guess": ("pearson", [1.0, 2.0], [0.1, 0.1], "all predictions are equal"),
    "flat ranks": ("spearman", [1.0, 1.0], [0.1, 0.2], "metric 'spearman': all targets are equal"),
    "nan": ("roc_auc", [0, 1], [np.nan, 0.1], "prediction contains NaN or infinity"),
    "infinity": ("mse", [0.0, np.inf], [0.0, 0.1], "target contains NaN or infinity"),
    "nan weight": ("brier", [0, 1], [0.5, 0.1], None),
}


@pytest.mark.parametrize(("name", "target", "prediction", "message"), UNDEFINED.values(), ids=UNDEFINED)
def test_no_value_and_why(name, target, prediction, message) -> None:
    weight = [np.nan, 1.0] if message is None else None
    with pytest.raises(UndefinedMetricError, match=message or "sample_weight contains NaN or infinity"):
        METRICS[name](target, prediction, weight)


@pytest.mark.parametrize("name", METRICS)
def test_rows_that_weigh_nothing_make_nothing_defined(name: str) -> None:
    """Where one row is left it is as if there were one row."""
    for target, prediction in data(name, 1, rows=30):
        weight = np.zeros(30)
        weight[7] = 2.0
        answers = []
        for given in ((target, prediction, weight), (target[7:8], prediction[7:8])):
            with collected() as notes:
                try:
                    answers.append((METRICS[name](*given), notes))
                except UndefinedMetricError as error:
                    answers.append((str(error), notes))
        (weighted, its_notes), (alone, notes) = answers
        assert weighted == (alone if isinstance(alone, str) else pytest.approx(alone, rel=1e-12))
        assert its_notes == notes


def test_a_part_that_is_nothing_counts_as_zero_and_is_named() -> None:
    """As in scikit-learn, which warns too."""
    target, guess = np.asarray([0, 1, 2, 2]), np.asarray([0, 1, 1, 0])
    peers = peer("sklearn.metrics")
    with pytest.warns(
        NnkitWarning, match="metric 'precision': class 2 never predicted, so the value there would be 0/0"
    ):
        value = metrics.precision(target, guess, average="macro")
    assert value == peers.precision_score(target, guess, average="macro", zero_division=0)
    with pytest.warns(NnkitWarning, match="metric 'recall': classes 0 and 1 without rows"):
        assert metrics.recall([2, 2, 2], THREE, average="macro") == pytest.approx(1 / 9)
    assert metrics.recall([2, 2, 2], THREE, average="weighted") == pytest.approx(1 / 3)  # nobody there, no part
    assert metrics.f1([0, 0, 0], np.eye(3)[[0, 0, 0]]) == 1.0  # classes that are nowhere have no part


def test_balanced_accuracy_leaves_out_a_class_without_rows_and_names_it() -> None:
    message = "metric 'balanced_accuracy': class 2 without rows left out of the mean"
    with pytest.warns(NnkitWarning, match=message) as told:
        assert metrics.balanced_accuracy([0, 1, 1], THREE) == 0.75
    assert told[0].filename == __file__


def test_where_scikit_learn_gives_a_number() -> None:
    """The differences that the docstrings tell of, so that one is noticed which goes away."""
    peers = peer("sklearn.metrics")
    with pytest.warns(UserWarning, match="No positive class"):
        assert peers.average_precision_score([0, 0], [0.2, 0.3]) == 0.0
    with pytest.warns(UserWarning, match="Precision is ill-defined"):
        assert peers.precision_score([1, 0], [0, 0]) == 0.0
    assert peers.matthews_corrcoef([1, 1], [0, 1]) == 0.0
    assert peers.r2_score([1.0, 1.0], [1.0, 2.0]) == 0.0
    assert peers.mean_absolute_percentage_error([0.0], [1.0]) == 2.0**52
    assert peers.top_k_accuracy_score([0], [[0.5, 0.5, 0.0]], k=1, labels=[0, 1, 2]) == 0.0
    assert metrics.top_k_accuracy([0], [[0.5, 0.5, 0.0]], k=1) == 1.0


ERRORS = {
    "one-hot": ("accuracy", THREE, THREE, ShapeError, r"of one-hot rows pass target\.argmax\(axis=1\)"),
    "rows": ("roc_auc", [0, 1], [0.5], ShapeError, r"target has shape \(2,\) and prediction \(1,\)"),
    "float classes": ("f1", [0, 2], [0.0, 2.0], DataError, "target contains 2, .*not integers are probabilities of"),
    "range": ("f1", [0, 3], THREE[:2], DataError, "target contains 3, expected whole numbers from 0 to 2$"),
    "negative": ("f1", [0, -1], [0, 1], DataError, "target contains -1, expected whole numbers"),
    "halves": ("recall", [0.0, 0.5], [0.1, 0.2], DataError, "target contains 0.5, expected whole numbers from 0 to 1"),
    "text": ("accuracy", ["a", "b"], [0, 1], DataError, "target has dtype <U1; expected numbers, so encode the labels"),
    "empty": ("accuracy", [], [], DataError, "metric 'accuracy': there are no rows; pass at least one"),
    "no numbers": ("mse", [], [], DataError, "metric 'mse': there are no rows"),
    "scores": ("top_k_accuracy", [0, 1], [0.5, 0.1], ShapeError, r"needs scores \(rows, classes\), got shape \(2,\)"),
    "all of them": ("top_k_accuracy", [0, 1], THREE[:2], ArgumentError, "k is 5 of 3 classes, so it would always be 1"),
    "not two": ("f1_binary", [0, 1], THREE[:2], ArgumentError, "average 'binary' needs two classes, there are 3"),
    "logits": ("log_loss", [0, 1], [[2.0, -1.0]] * 2, DataError, r"prediction has others, such as \[2\.0, -1\.0\]"),
    "sums": ("brier", [0, 1], [[0.5, 0.1]] * 2, DataError, "needs probabilities, from 0 to 1 and with the sum 1"),
    "true sums": ("brier", [[0.5, 0.1]], [[0.5, 0.5]], DataError, "target has others.*ends in softmax or sigmoid"),
    "share shapes": (
        "brier",
        [[0.5, 0.5]],
        [0.5],
        ShapeError,
        r"\(1, 2\) and prediction \(1,\); expected probabilities",
    ),
    "shapes": (
        "mae",
        [[1.0], [2.0]],
        [1.0, 2.0],
        ShapeError,
        r"have shape \(2,\) and targets \(2, 1\); make them equal",
    ),
    "no row": ("mae", 1.0, 1.0, ShapeError, "make them equal, with one row or more"),
}


@pytest.mark.parametrize(("name", "target", "prediction", "error", "message"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_meant(name, target, prediction, error, message) -> None:
    with pytest.raises(error, match=message):
        METRICS[name](target, prediction)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (np.ones(3), ShapeError, r"sample_weight has shape \(3,\), expected \(20,\), one for a row"),
        (-np.ones(20), DataError, "sample_weight must not be negative, nor 0 in every row"),
        (np.zeros(20), DataError, "nor 0 in every row"),
    ],
)
def test_weights_that_cannot_be_meant(name, weight, error, message) -> None:
    for target, prediction in data(name, 0, rows=20):
        with pytest.raises(error, match=message):
            METRICS[name](target, prediction, weight)


def test_the_confusion_matrix_in_weights() -> None:
    target, guess, weight = np.asarray([0, 1, 1, 2]), np.asarray([0, 2, 1, 2]), [0.5, 1.0, 2.0, 0.25]
    ours = metrics.confusion_matrix(guess, target, 3, weight)
    assert ours.dtype == np.float64
    assert ours.tolist() == peer("sklearn.metrics").confusion_matrix(target, guess, sample_weight=weight).tolist()
    with pytest.raises(ShapeError, match=r"\(1,\) weights and \(4,\) labels; give one for a row"):
        metrics.confusion_matrix(guess, target, 3, [1.0])


# --- huge, tiny, many


def test_huge_numbers() -> None:
    target = np.asarray([1.0, 2.0, 4.0])
    assert metrics.pearson(1e300 * target, -1e-300 * target) == pytest.approx(-1.0, abs=1e-15)
    assert metrics.roc_auc([0, 1, 1], [-1e308, 0.0, 1e308]) == 1.0
    assert metrics.spearman(target, [0.0, 1e-308, 1e308]) == pytest.approx(1.0, abs=1e-15)


def test_differences_of_the_last_bit_rank() -> None:
    assert metrics.roc_auc([0, 1], [0.1, np.nextafter(0.1, 1.0)]) == 1.0
    assert metrics.roc_auc([0, 1], [0.1, 0.1]) == 0.5


def test_constants_that_round_are_still_constant() -> None:
    """The mean of many 0.1 is not 0.1, and the variance that is left over would be divided by."""
    with pytest.raises(UndefinedMetricError, match="all targets are equal"):
        metrics.r2(np.full(1000, 0.1), np.arange(1000.0))


def test_float32_is_summed_in_double() -> None:
    prediction = np.full((300_000, 2), 0.1, dtype=np.float32)
    exact = float(np.float32(0.1))
    assert metrics.mae(np.zeros_like(prediction), prediction) == pytest.approx(exact, rel=1e-13)
    assert metrics.mse(np.zeros_like(prediction), prediction) == pytest.approx(exact**2, rel=1e-13)
