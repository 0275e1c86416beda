"""Every metric beside the function of a peer that says the same, on data that it is for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nnkit.metrics import METRICS
from nnkit.metrics.averages import AVERAGES
from tests.peers import peer


def skl(name: str, **options: Any) -> Callable[..., float]:
    """The function of scikit-learn, with class numbers chosen as it wants them."""

    def call(target: Any, given: Any, weight: Any = None, **more: Any) -> float:
        weights = {} if weight is None else {"sample_weight": weight}
        return float(getattr(peer("sklearn.metrics"), name)(target, given, **(options | more | weights)))

    return call


def chosen(function: Callable[..., float]) -> Callable[..., float]:
    """From predicted classes."""

    def call(target: Any, prediction: Any, weight: Any = None) -> float:
        guess = prediction.argmax(axis=1) if prediction.ndim == 2 else prediction > 0.5
        return function(target, guess.astype(int), weight)

    return call


def several(function: Callable[..., float], **options: Any) -> Callable[..., float]:
    """From scores: of class 1, or of all classes, of which the peer wants to be told."""

    def call(target: Any, prediction: Any, weight: Any = None) -> float:
        if prediction.ndim == 1:
            return function(target, prediction, weight)
        return function(target, prediction, weight, **options, labels=np.arange(prediction.shape[1]))

    return call


def top(target: Any, prediction: Any, weight: Any = None) -> float:
    """Of equal scores scikit-learn takes the last first: the same with the columns turned round."""
    last = prediction.shape[1] - 1
    return skl("top_k_accuracy_score", k=5, labels=np.arange(last + 1))(last - target, prediction[:, ::-1], weight)


def averaged(name: str, average: str, **options: Any) -> Callable[..., float]:
    function = skl(name, zero_division=0.0, **options)

    def call(target: Any, prediction: Any, weight: Any = None) -> float:
        binary = average == "binary" or (average == "auto" and prediction.ndim == 1)
        kind = "binary" if binary else "macro" if average == "auto" else average
        return chosen(lambda t, p, w: function(t, p, w, average=kind))(target, prediction, weight)

    return call


def scipy_stats(name: str) -> Callable[..., float]:
    """A correlation of SciPy, which knows no weights: whole ones are as many rows."""

    def call(target: Any, prediction: Any, weight: Any = None) -> float:
        if weight is not None:
            target, prediction = (np.repeat(values, weight.astype(int), axis=0) for values in (target, prediction))
        columns = zip(np.atleast_2d(target.T), np.atleast_2d(prediction.T), strict=True)
        function = getattr(peer("scipy.stats"), name)
        return float(np.mean([function(t, p).statistic for t, p in columns]))

    return call


def pairwise(average: str) -> Callable[..., float]:
    """One against one: scikit-learn knows no weights there, so whole ones are as many rows."""
    function = skl("roc_auc_score", multi_class="ovo", average=average)

    def call(target: Any, prediction: Any, weight: Any = None) -> float:
        if weight is not None:
            target, prediction = (np.repeat(values, weight.astype(int), axis=0) for values in (target, prediction))
        return several(function)(target, prediction)

    return call


def precision_recall_area(target: Any, prediction: Any, weight: Any = None) -> float:
    function = skl("average_precision_score")
    if prediction.ndim == 1:
        return function(target, prediction, weight)
    columns = range(prediction.shape[1])
    return float(np.mean([function(target == number, prediction[:, number], weight) for number in columns]))


def kappa(weights: str | None) -> Callable[..., float]:
    def call(target: Any, guess: Any, weight: Any = None) -> float:
        labels = np.arange(max(target.max(), guess.max()) + 1)
        return skl("cohen_kappa_score", weights=weights, labels=labels)(target, guess, weight)

    return chosen(call)


ovr = partial(skl, "roc_auc_score", multi_class="ovr")
PEERS: dict[str, Callable[..., float]] = {
    "accuracy": chosen(skl("accuracy_score")),
    "top_k_accuracy": top,
    "balanced_accuracy": chosen(skl("balanced_accuracy_score")),
    "roc_auc": several(ovr(average="macro")),
    "roc_auc_ovr": several(ovr(average="macro")),
    "roc_auc_ovr_weighted": several(ovr(average="weighted")),
    "roc_auc_ovo": pairwise("macro"),
    "roc_auc_ovo_weighted": pairwise("weighted"),
    "average_precision": precision_recall_area,
    "matthews_correlation": chosen(skl("matthews_corrcoef")),
    "cohen_kappa": kappa(None),
    "cohen_kappa_linear": kappa("linear"),
    "cohen_kappa_quadratic": kappa("quadratic"),
    "log_loss": several(skl("log_loss")),
    "brier": several(skl("brier_score_loss")),
    "mse": skl("mean_squared_error"),
    "rmse": skl("root_mean_squared_error"),
    "mae": skl("mean_absolute_error"),
    "mape": skl("mean_absolute_percentage_error"),
    "r2": skl("r2_score"),
    "explained_variance": skl("explained_variance_score"),
    "pearson": scipy_stats("pearsonr"),
    "spearman": scipy_stats("spearmanr"),
}
for short, long, extra in (
    ("precision", "precision_score", {}),
    ("recall", "recall_score", {}),
    ("f1", "f1_score", {}),
    ("f2", "fbeta_score", {"beta": 2.0}),
    ("f0.5", "fbeta_score", {"beta": 0.5}),
):
    for average in AVERAGES:
        PEERS[short if average == "auto" else f"{short}_{average}"] = averaged(long, average, **extra)


def data(name: str, seed: int, rows: int = 300, ties: bool = False) -> list[tuple[Any, Any]]:
    """Targets and predictions of every kind that a metric is for."""
    draw = np.random.default_rng(seed)
    row = METRICS[name]
    rounded = (lambda values: np.round(values, 1)) if ties else (lambda values: values)
    found: list[tuple[Any, Any]] = []
    if "numbers" in row.targets:
        for shape in ((rows,), (rows, 1), (rows, 3)):
            target = rounded(draw.normal(size=shape) * 3 + 20.0)
            found.append((target, rounded(target + draw.normal(size=shape))))
        return found
    if "binary" in row.targets:
        target = draw.integers(2, size=rows)
        found.append((target, np.clip(rounded(0.4 * target + 0.6 * draw.random(rows)), 0.0, 1.0)))
    if name.endswith("_binary"):
        return found
    for classes in (2, 7):
        if classes <= row.classes:
            continue
        target = draw.integers(classes, size=rows)
        scores = draw.random((rows, classes)) + 0.5 * np.eye(classes)[target]
        scores = np.floor(scores * 4) + 1.0 if ties else scores
        found.append((target, scores / scores.sum(axis=1, keepdims=True)))
    return found
