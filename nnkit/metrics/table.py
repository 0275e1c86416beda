"""All metrics by name, with what each is for and which way is better, and the names that users know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from nnkit.arguments import require_takes
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.metrics import agreement, averages, distances, hits, probabilities, ranking, relations, running
from nnkit.metrics.metric import Metric
from nnkit.names import lookup

CLASSES = ("classes", "binary")
NUMBERS = ("numbers", "binary")
TOP = re.compile(r"top_?(\d+)(_accuracy)?")
WEIGHTED = "weighted_"


def top_k(k: int = 5) -> Metric:
    """The metric ``top_k_accuracy`` with this k, named "top_3_accuracy" and so on.

    >>> top_k(3).name
    'top_3_accuracy'
    """
    check_count("TopK", "k", k, at_least=1)
    function = partial(hits.top_k_accuracy, k=k)
    return Metric(f"top_{k}_accuracy", function, ("classes",), True, "labels", running.top_k(k), classes=k + 1)


def f_beta(beta: float = 1.0, average: str = "auto") -> Metric:
    """The metric ``f_beta`` with this β and average, named "f2", "f0.5_macro" and so on.

    >>> f_beta(0.5, "macro").name
    'f0.5_macro'
    """
    check_number("FBeta", "beta", beta, "(0, inf)")
    average = lookup("average", average, {name: name for name in averages.AVERAGES})
    name = f"f{beta:g}" + ("" if average == "auto" else f"_{average}")
    return _with_average(name, partial(averages.f_beta, beta=float(beta)), average)


def weighted(metric: str | Metric | Callable[..., Any]) -> Metric:
    """The metric with the sample weights of ``fit`` and ``test``, which others leave aside, as accuracy does.

    A function of your own is then called with (target, prediction, sample_weight), the last None without weights.

    >>> weighted("mae").name
    'weighted_mae'
    """
    if callable(metric) and not isinstance(metric, type | Metric):
        name = _name_of(metric)
        require_takes(f"metric Weighted({name})", metric, "target", "prediction", "sample_weight")
        return Metric(WEIGHTED + name, metric, weighted=True)
    found = get(metric)
    return found if found.weighted else replace(found, name=WEIGHTED + found.name, weighted=True)


def get(metric: str | Metric | Callable[..., Any]) -> Metric:
    """A metric by name or alias, called as it was asked for; a function (target, prediction) → number becomes one.

    "top_3_accuracy" has any number in it, and "weighted_" before a name is ``Weighted``.

    >>> get("AUC").name, get("auc").function is METRICS["roc_auc"].function
    ('auc', True)
    >>> get(lambda target, prediction: 1.0)
    Traceback (most recent call last):
        ...
    nnkit.errors.ArgumentError: a metric needs a name: write it with def, or as nnkit.metrics.Metric(name, function)
    """
    if isinstance(metric, Metric):
        return metric
    for make, example in ((top_k, "TopK(5)"), (f_beta, "FBeta(2.0)"), (weighted, "Weighted('mae')")):
        if metric is make:
            raise ArgumentError(f"metric is what makes one; call it with brackets, such as nnkit.metrics.{example}")
    if callable(metric) and not isinstance(metric, type):
        name = _name_of(metric)
        require_takes(f"metric '{name}'", metric, "target", "prediction")
        return Metric(name, _without_weights(metric))
    if not isinstance(metric, str):
        raise ArgumentError(f"metric {metric!r} is neither a name, a nnkit.metrics.Metric, nor a function")
    name = metric.strip().lower().replace("-", "_").replace(" ", "_")
    if (top := TOP.fullmatch(name)) and int(top[1]):
        return replace(top_k(int(top[1])), name=name)
    if name == "confusion_matrix":
        raise ArgumentError("metric 'confusion_matrix' is a table and no number; net.test gives it as .confusion")
    if name in ("f_beta", "fbeta", "fbeta_score"):
        raise ArgumentError(f"metric '{metric}' needs a β: write nnkit.metrics.FBeta(2.0), or by name 'f2' or 'f0.5'")
    if name.startswith(WEIGHTED):
        return weighted(name.removeprefix(WEIGHTED))
    return replace(lookup("metric", name, METRICS, ALIASES), name=name)


def _name_of(function: Callable[..., Any]) -> str:
    name = str(getattr(getattr(function, "func", function), "__name__", type(function).__name__))
    if not name.isidentifier():
        raise ArgumentError("a metric needs a name: write it with def, or as nnkit.metrics.Metric(name, function)")
    return name


def _without_weights(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda target, prediction, sample_weight=None: function(target, prediction)


def _labels(name: str, function: Callable[..., Any]) -> Metric:
    return Metric(name, function, CLASSES, True, "labels")


def _with_average(name: str, function: Callable[..., float], average: str) -> Metric:
    """With an average over classes, or over several answers of yes or no."""
    found = _labels(name, partial(function, average=average))
    if average in ("auto", "binary"):
        return found
    return replace(found, columns=partial(averages.over_columns, function=function, average=average))


def _averaged() -> Iterator[Metric]:
    """Precision, recall and F1 with every average, as scikit-learn's names of scores write them."""
    for function in (averages.precision, averages.recall, averages.f1):
        name = function.__name__
        yield _labels(name, function)
        for average in averages.AVERAGES[1:]:
            yield _with_average(f"{name}_{average}", function, average)
    for beta in (2.0, 0.5):
        yield from (f_beta(beta, average) for average in averages.AVERAGES)


def _areas() -> Iterator[Metric]:
    yield _labels("roc_auc", ranking.roc_auc)
    for way in ("ovr", "ovo"):
        yield _labels(f"roc_auc_{way}", partial(ranking.roc_auc, multi_class=way))
        yield _labels(f"roc_auc_{way}_weighted", partial(ranking.roc_auc, multi_class=way, average="weighted"))
    yield _labels("average_precision", ranking.average_precision)


METRICS: dict[str, Metric] = {
    row.name: row
    for row in (
        Metric("accuracy", hits.accuracy, CLASSES, True, "labels", running.ACCURACY),
        replace(top_k(5), name="top_k_accuracy"),
        _labels("balanced_accuracy", hits.balanced_accuracy),
        *_averaged(),
        *_areas(),
        _labels("matthews_correlation", agreement.matthews_correlation),
        _labels("cohen_kappa", agreement.cohen_kappa),
        _labels("cohen_kappa_linear", partial(agreement.cohen_kappa, weights="linear")),
        _labels("cohen_kappa_quadratic", partial(agreement.cohen_kappa, weights="quadratic")),
        Metric("log_loss", probabilities.log_loss, CLASSES, False, "shares", running.LOG_LOSS),
        Metric("brier", probabilities.brier, CLASSES, False, "shares", running.BRIER),
        Metric("mse", distances.mse, NUMBERS, False, "numbers", running.MSE),
        Metric("rmse", distances.rmse, NUMBERS, False, "numbers", running.RMSE),
        Metric("mae", distances.mae, NUMBERS, False, "numbers", running.MAE),
        Metric("mape", distances.mape, NUMBERS, False, "numbers", running.MAPE),
        Metric("r2", relations.r2, NUMBERS, True, "numbers"),
        Metric("explained_variance", relations.explained_variance, NUMBERS, True, "numbers"),
        Metric("pearson", relations.pearson, NUMBERS, True, "numbers"),
        Metric("spearman", relations.spearman, NUMBERS, True, "numbers"),
    )
}
ALIASES = {
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "top_k_accuracy_score": "top_k_accuracy",
    "top_k_categorical_accuracy": "top_k_accuracy",
    "sparse_top_k_categorical_accuracy": "top_k_accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "precision_score": "precision",
    "recall_score": "recall",
    "sensitivity": "recall",
    "f1_score": "f1",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "pr_auc": "average_precision",
    "auprc": "average_precision",
    "average_precision_score": "average_precision",
    "matthews_corrcoef": "matthews_correlation",
    "mcc": "matthews_correlation",
    "kappa": "cohen_kappa",
    "cohen_kappa_score": "cohen_kappa",
    "binary_crossentropy": "log_loss",
    "binary_cross_entropy": "log_loss",
    "categorical_crossentropy": "log_loss",
    "sparse_categorical_crossentropy": "log_loss",
    "cross_entropy": "log_loss",
    "brier_score": "brier",
    "brier_score_loss": "brier",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "r2_score": "r2",
    "explained_variance_score": "explained_variance",
    "pearson_corrcoef": "pearson",
    "pearson_correlation": "pearson",
    "pearsonr": "pearson",
    "spearman_corrcoef": "spearman",
    "spearmanr": "spearman",
}
