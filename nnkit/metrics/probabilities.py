"""How good predicted probabilities are."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.metrics.checks import mean, shares

Array = Any
LEAST = float(np.finfo(np.float64).eps)


def log_loss(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Mean of −log of the probability that was given to the right class: −Σ tᵢ log pᵢ for each row.

    ``prediction`` holds probabilities of class 1 (rows,) or of every class (rows, classes); ``target`` class numbers
    (rows,), or probabilities of the shape of ``prediction``. p is kept from 2⁻⁵² to 1 − 2⁻⁵², as in scikit-learn for
    float64, so that one row that was surely wrong costs 36. Good, "Rational decisions", 1952.

    >>> round(log_loss([0, 1], [[0.5, 0.5], [0.25, 0.75]]), 6)
    0.490415
    """
    t, p, weight = shares("log_loss", target, prediction, sample_weight)
    logarithms = np.log(np.clip(p, LEAST, 1.0 - LEAST))
    return float(mean(-(t * logarithms).sum(axis=1), weight))


def brier(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Mean of (p − t)² for two classes; of Σ (pᵢ − tᵢ)², 0 to 2, for more.

    Arguments as in ``log_loss``. Brier, "Verification of forecasts expressed in terms of probability", 1950.

    >>> round(brier([0, 1], [0.1, 0.7]), 6)
    0.05
    """
    t, p, weight = shares("brier", target, prediction, sample_weight)
    whole = float(mean(np.square(p - t).sum(axis=1), weight))
    return whole / 2 if p.shape[1] == 2 else whole
