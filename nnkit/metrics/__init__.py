"""Metrics: exact figures of how well a network predicts, computed on the host in float64."""

from nnkit.metrics.agreement import cohen_kappa, matthews_correlation
from nnkit.metrics.averages import f1, f_beta, precision, recall
from nnkit.metrics.classification import binary, classification, confusion_matrix
from nnkit.metrics.distances import mae, mape, mse, rmse
from nnkit.metrics.hits import accuracy, balanced_accuracy, top_k_accuracy
from nnkit.metrics.metric import Metric
from nnkit.metrics.probabilities import brier, log_loss
from nnkit.metrics.ranking import average_precision, roc_auc
from nnkit.metrics.regression import regression
from nnkit.metrics.relations import explained_variance, pearson, r2, spearman
from nnkit.metrics.running import Running
from nnkit.metrics.table import ALIASES, METRICS, get
from nnkit.metrics.table import f_beta as FBeta  # noqa: N812  # reads as the kind of metric that it makes
from nnkit.metrics.table import top_k as TopK  # noqa: N812
from nnkit.metrics.table import weighted as Weighted  # noqa: N812

__all__ = [
    "ALIASES",
    "METRICS",
    "FBeta",
    "Metric",
    "Running",
    "TopK",
    "Weighted",
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "binary",
    "brier",
    "classification",
    "cohen_kappa",
    "confusion_matrix",
    "explained_variance",
    "f1",
    "f_beta",
    "get",
    "log_loss",
    "mae",
    "mape",
    "matthews_correlation",
    "mse",
    "pearson",
    "precision",
    "r2",
    "recall",
    "regression",
    "rmse",
    "roc_auc",
    "spearman",
    "top_k_accuracy",
]
