"""Metrics: exact figures of how well a network predicts, computed on the host in float64."""

from nnkit.metrics.classification import binary, classification, confusion_matrix
from nnkit.metrics.regression import regression

__all__ = ["binary", "classification", "confusion_matrix", "regression"]
