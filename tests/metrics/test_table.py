"""The table of metrics: each agrees with a peer, with and without weights, has an example, and its other names."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from nnkit import metrics
from nnkit.errors import ArgumentError
from nnkit.metrics import ALIASES, METRICS, FBeta, Metric, TopK, Weighted, get
from tests.metrics.cases import PEERS, data

NAMES = list(METRICS)
CLOSE = {"rel": 1e-12, "abs": 1e-12}


def two_columns(name: str, prediction: np.ndarray) -> np.ndarray:
    """Scores of two classes are to a peer the score of class 1, where it ranks."""
    ranks = name.startswith(("roc_auc", "average_precision"))
    return prediction[:, 1] if ranks and prediction.ndim == 2 and prediction.shape[1] == 2 else prediction


@pytest.mark.parametrize("ties", [False, True], ids=["", "ties"])
@pytest.mark.parametrize("name", NAMES)
def test_it_agrees_with_its_peer(name: str, ties: bool) -> None:
    for seed in range(3):
        for target, prediction in data(name, seed, ties=ties):
            value = METRICS[name](target, prediction)
            assert type(value) is float
            assert value == pytest.approx(PEERS[name](target, two_columns(name, prediction)), **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_it_agrees_with_its_peer_in_weights(name: str) -> None:
    whole = name in ("roc_auc_ovo", "roc_auc_ovo_weighted", "pearson", "spearman")  # the peer repeats rows
    for seed, ties in ((0, False), (1, True)):
        for target, prediction in data(name, seed, ties=ties):
            draw = np.random.default_rng(seed)
            rows = len(target)
            weight = draw.integers(0, 4, rows).astype(float) if whole else draw.uniform(0.1, 2.0, rows)
            expected = PEERS[name](target, two_columns(name, prediction), weight)
            assert METRICS[name](target, prediction, weight) == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_weight_two_is_two_rows_and_one_of_weight_zero_is_none(name: str) -> None:
    for target, prediction in data(name, 4, ties=True):
        weight = np.random.default_rng(4).integers(0, 3, len(target))
        again = [np.repeat(values, weight, axis=0) for values in (target, prediction)]
        assert METRICS[name](target, prediction, weight) == pytest.approx(METRICS[name](*again), **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_predictions_in_float32_are_reckoned_in_double(name: str) -> None:
    for target, prediction in data(name, 8):
        given = prediction.astype("float32")
        value = METRICS[name](target, given)
        assert type(value) is float
        assert value == METRICS[name](target, given.astype(float))


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_does_not_matter_and_lists_will_do(name: str) -> None:
    for target, prediction in data(name, 5):
        order = np.random.default_rng(5).permutation(len(target))
        value = METRICS[name](target.tolist(), prediction.tolist())
        assert METRICS[name](target[order], prediction[order]) == pytest.approx(value, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_perfect_predictions_are_best(name: str) -> None:
    row = METRICS[name]
    for target, prediction in data(name, 6):
        if "numbers" in row.targets:
            best = target
        else:
            best = target.astype(float) if prediction.ndim == 1 else np.eye(prediction.shape[1])[target]
        value = row(target, best)
        assert value == pytest.approx(1.0 if row.more_is_better else 0.0, abs=1e-12)
        assert (row(target, prediction[::-1]) < value) == row.more_is_better


@pytest.mark.parametrize("name", NAMES)
def test_its_function_is_exported(name: str) -> None:
    function = METRICS[name].function
    function = function.func if isinstance(function, partial) else function
    assert getattr(metrics, function.__name__) is function


# --- names

KERAS = {
    "accuracy": ("Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy"),
    "top_k_accuracy": ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"),
    "precision": ("Precision",),
    "recall": ("Recall",),
    "f1": ("F1Score",),
    "roc_auc": ("AUC",),
    "log_loss": ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
    "mse": ("MeanSquaredError",),
    "rmse": ("RootMeanSquaredError",),
    "mae": ("MeanAbsoluteError",),
    "mape": ("MeanAbsolutePercentageError",),
    "r2": ("R2Score",),
    "pearson": ("PearsonCorrelation",),
}
TORCHMETRICS = {
    "accuracy": ("accuracy",),
    "precision": ("precision",),
    "recall": ("recall",),
    "f1": ("f1_score",),
    "roc_auc": ("auroc",),
    "average_precision": ("average_precision",),
    "matthews_correlation": ("matthews_corrcoef",),
    "cohen_kappa": ("cohen_kappa",),
    "mse": ("mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "mape": ("mean_absolute_percentage_error",),
    "r2": ("r2_score",),
    "explained_variance": ("explained_variance",),
    "pearson": ("pearson_corrcoef",),
    "spearman": ("spearman_corrcoef",),
}
SKLEARN = {
    "accuracy": ("accuracy_score", "accuracy"),
    "top_k_accuracy": ("top_k_accuracy_score", "top_k_accuracy"),
    "balanced_accuracy": ("balanced_accuracy_score", "balanced_accuracy"),
    "precision": ("precision_score", "precision"),
    "precision_macro": ("precision_macro",),
    "recall": ("recall_score", "recall"),
    "recall_weighted": ("recall_weighted",),
    "f1": ("f1_score", "f1"),
    "f1_micro": ("f1_micro",),
    "roc_auc": ("roc_auc_score", "roc_auc"),
    "roc_auc_ovr": ("roc_auc_ovr",),
    "roc_auc_ovr_weighted": ("roc_auc_ovr_weighted",),
    "roc_auc_ovo": ("roc_auc_ovo",),
    "roc_auc_ovo_weighted": ("roc_auc_ovo_weighted",),
    "average_precision": ("average_precision_score", "average_precision"),
    "matthews_correlation": ("matthews_corrcoef",),
    "cohen_kappa": ("cohen_kappa_score",),
    "log_loss": ("log_loss",),
    "brier": ("brier_score_loss",),
    "mse": ("mean_squared_error",),
    "rmse": ("root_mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "mape": ("mean_absolute_percentage_error",),
    "r2": ("r2_score", "r2"),
    "explained_variance": ("explained_variance_score", "explained_variance"),
}
SCIPY = {"pearson": ("pearsonr",), "spearman": ("spearmanr",)}


def snake(name: str) -> str:
    """The name of a metric in Keras's log."""
    return "auc" if name == "AUC" else "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")


@pytest.mark.parametrize("library", [KERAS, TORCHMETRICS, SKLEARN, SCIPY], ids=["keras", "torch", "sklearn", "scipy"])
def test_names_that_users_know(library: dict[str, tuple[str, ...]]) -> None:
    for name, others in library.items():
        for other in others:
            assert get(snake(other) if other[0].isupper() else other).function is METRICS[name].function, other


def test_every_metric_is_known_by_the_name_of_a_peer() -> None:
    known = KERAS.keys() | TORCHMETRICS.keys() | SKLEARN.keys() | SCIPY.keys()
    families = {name for name in METRICS if name not in known}
    variants = ("_binary", "_macro", "_micro", "_weighted", "_linear", "_quadratic")
    assert {name for name in families if not name.endswith(variants)} == {"f2", "f0.5"}  # scikit-learn's take a beta


def test_aliases_lead_somewhere_and_hide_nothing() -> None:
    assert set(ALIASES.values()) <= METRICS.keys()
    assert not ALIASES.keys() & METRICS.keys()


def test_a_metric_is_called_as_it_was_asked_for() -> None:
    assert [get(name).name for name in ("mae", "Mean Absolute Error", "PR-AUC", "top5", "TOP_3_accuracy")] == [
        "mae",
        "mean_absolute_error",
        "pr_auc",
        "top5",
        "top_3_accuracy",
    ]
    assert get("weighted_acc").name == "weighted_acc"
    row = METRICS["mae"]
    assert get(row) is row
    assert METRICS["mae"].name == "mae"


def test_parameters() -> None:
    target, scores = np.asarray([2, 0, 1]), np.asarray([[0.5, 0.2, 0.3], [0.1, 0.5, 0.4], [0.1, 0.8, 0.1]])
    assert TopK(2)(target, scores) == get("top_2_accuracy")(target, scores) == 2 / 3
    assert TopK(1)(target, scores) == METRICS["accuracy"](target, scores) == 1 / 3
    assert TopK(2).running == get("top2").running
    assert FBeta(3.0, "micro").name == "f3_micro"
    assert FBeta(1.0)(target, scores) == METRICS["f1"](target, scores)
    assert Weighted("mae").weighted
    assert Weighted(Weighted("mae")) == Weighted("mae")


def mine(target: np.ndarray, prediction: np.ndarray, weight: object = "none") -> float:
    return 1.0 if weight == "none" else 2.0


def test_functions_of_ones_own() -> None:
    assert get(mine).name == get(partial(mine)).name == "mine"
    assert get(mine)([1], [1], [5.0]) == 1.0
    assert get(mine).more_is_better is None
    assert Weighted(mine).name == "weighted_mine"
    assert Weighted(mine)([1], [1], None) == 2.0
    row = Metric("bias", lambda t, p, w: 3.0, more_is_better=False)
    assert get(row)([1], [1]) == Weighted(row)([1], [1]) == 3.0


def one(target):
    return 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get("acuracy"), "unknown metric 'acuracy'. Did you mean 'accuracy'"),
        (lambda: get("weighted_nothing"), "unknown metric 'nothing'"),
        (lambda: get("top_0_accuracy"), "unknown metric 'top_0_accuracy'. Did you mean 'top_k_accuracy'"),
        (
            lambda: get("confusion matrix"),
            "'confusion_matrix' is a table and no number; net.test gives it as .confusion",
        ),
        (
            lambda: get("F-beta"),
            r"metric 'F-beta' needs a β: write nnkit\.metrics\.FBeta\(2\.0\), or by name 'f2' or 'f0.5'",
        ),
        (lambda: get(5), r"metric 5 is neither a name, a nnkit\.metrics\.Metric, nor a function"),
        (lambda: get(Metric), "is neither a name"),
        (lambda: get(lambda t, p: 0.0), "a metric needs a name: write it with def"),
        (
            lambda: get(one),
            r"metric 'one' is called with \(target, prediction\), but the function given takes \(target\)",
        ),
        (
            lambda: Weighted(one),
            r"metric Weighted\(one\) is called with \(target, prediction, sample_weight\), but the f",
        ),
        (lambda: get(TopK), r"metric is what makes one; call it with brackets, such as nnkit.metrics.TopK\(5\)"),
        (lambda: get(FBeta), r"such as nnkit.metrics.FBeta\(2.0\)"),
        (lambda: get(Weighted), r"such as nnkit.metrics.Weighted\('mae'\)"),
        (lambda: TopK(0), "TopK: k is 0, expected a whole number from 1 up"),
        (lambda: TopK([3]), r"TopK: k is \[3\], expected a whole number"),
        (lambda: FBeta(-1.0), r"FBeta: beta is -1.0, expected a number in \(0, inf\)"),
        (lambda: FBeta(1.0, "mean"), "unknown average 'mean'"),
    ],
)
def test_what_is_no_metric(call, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()
