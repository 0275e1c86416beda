"""How far predicted numbers are from the true ones; with several outputs, the plain mean over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.metrics.checks import mean, pairs

Array = Any
LEAST = float(np.finfo(np.float64).eps)


def mse(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Mean of (p − t)². Both arguments have one shape, (rows,) or (rows, outputs); ``sample_weight`` (rows,).

    >>> mse([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    3.0
    """
    data = pairs("mse", target, prediction, sample_weight)
    return float(np.mean(mean(np.square(data.error), data.weight)))


def rmse(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """√ of the mean of (p − t)², for each output, and then the mean over the outputs, as in scikit-learn.

    >>> rmse([1.0, 2.0], [2.0, 3.0])
    1.0
    """
    data = pairs("rmse", target, prediction, sample_weight)
    return float(np.mean(np.sqrt(mean(np.square(data.error), data.weight))))


def mae(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Mean of |p − t|.

    >>> mae([1.0, 2.0], [2.0, 4.0])
    1.5
    """
    data = pairs("mae", target, prediction, sample_weight)
    return float(np.mean(mean(np.abs(data.error), data.weight)))


def mape(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Mean of |p − t| / |t|, as a fraction: 0.1 is ten percent; Keras gives percent.

    A target that is 0 makes it undefined (UndefinedMetricError); scikit-learn divides by 2⁻⁵² there. de Myttenaere and
    others, "Mean absolute percentage error for regression models", 2016.

    >>> mape([2.0, 4.0], [1.0, 5.0])
    0.375
    """
    data = pairs("mape", target, prediction, sample_weight)
    if not data.target.all():
        row = np.flatnonzero((data.target == 0).any(axis=0))[0]
        raise data.undefined(f"target is 0 in row {row}, and no error is a share of 0; use 'mae', or leave it out")
    return float(np.mean(mean(np.abs(data.error) / np.maximum(np.abs(data.target), LEAST), data.weight)))
