"""How much of what the targets do the predictions follow; with several outputs, the plain mean over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.metrics.checks import Floats, Pairs, mean, pairs

Array = Any


def r2(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """1 − Σ (p − t)² / Σ (t − mean t)². Both arguments have one shape, (rows,) or (rows, outputs).

    Where all targets of an output are equal, or there is one row, it would divide by 0 and raises UndefinedMetricError;
    scikit-learn gives 1 or 0 for equal targets, and NaN for one row.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    data = _varied(pairs("r2", target, prediction, sample_weight))
    unexplained = mean(np.square(data.error), data.weight)
    return float(np.mean(1.0 - unexplained / _variance(data.target, data.weight)))


def explained_variance(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """1 − var(p − t) / var(t): R² for predictions that are all off by the same. Undefined where ``r2`` is.

    >>> explained_variance([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    1.0
    """
    data = _varied(pairs("explained_variance", target, prediction, sample_weight))
    left = _variance(data.error, data.weight)
    return float(np.mean(1.0 - left / _variance(data.target, data.weight)))


def pearson(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Correlation coefficient: cov(t, p) / √(var t · var p), −1 to 1.

    Where all targets or all predictions of an output are equal it would be 0 / 0 and raises UndefinedMetricError; SciPy
    gives NaN. Pearson, "Notes on regression and inheritance", 1895.

    >>> round(pearson([1.0, 2.0, 3.0], [2.0, 4.0, 7.0]), 6)
    0.993399
    """
    return _correlation(_varied(pairs("pearson", target, prediction, sample_weight), both=True))


def spearman(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Pearson's correlation of the ranks, equal values sharing the mean of theirs. Undefined where ``pearson`` is.

    With weights, a row of weight 2 is as two rows. Spearman, "The proof and measurement of association between two
    things", 1904.

    >>> round(spearman([1.0, 2.0, 3.0], [1.0, 100.0, 10.0]), 6)
    0.5
    """
    data = _varied(pairs("spearman", target, prediction, sample_weight), both=True)
    weight = np.ones(data.target.shape[1]) if data.weight is None else data.weight
    t, p = (np.stack([_ranks(line, weight) for line in lines]) for lines in (data.target, data.prediction))
    return _correlation(Pairs(data.name, t, p, data.weight))


def _varied(data: Pairs, both: bool = False) -> Pairs:
    """Refuse what does not vary: its variance is 0, or what rounding leaves of it."""
    there = slice(None) if data.weight is None else data.weight > 0
    for what, values in (("targets", data.target), ("predictions", data.prediction))[: 2 if both else 1]:
        equal = np.flatnonzero(values[:, there].min(axis=1) == values[:, there].max(axis=1))
        if len(equal):
            where = f" of output {equal[0]}" if len(values) > 1 else ""
            raise data.undefined(f"all {what}{where} are equal, so it would divide by 0; use rows that differ")
    return data


def _centred(values: Floats, weight: Floats | None) -> Floats:
    centred: Floats = values - np.asarray(mean(values, weight))[:, None]
    return centred


def _variance(values: Floats, weight: Floats | None) -> Any:
    return mean(np.square(_centred(values, weight)), weight)


def _correlation(data: Pairs) -> float:
    weight = 1.0 if data.weight is None else np.sqrt(data.weight)
    t, p = (_unit(_centred(values, data.weight) * weight) for values in (data.target, data.prediction))
    return float(np.mean(np.clip((t * p).sum(axis=1), -1.0, 1.0)))


def _unit(lines: Floats) -> Floats:
    """Each line with the length 1; scaled first, so that no square overflows."""
    scaled = lines / np.abs(lines).max(axis=1, keepdims=True)
    unit: Floats = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


def _ranks(line: Floats, weight: Floats) -> Floats:
    _, group = np.unique(line, return_inverse=True)
    total = np.bincount(group, weight)
    ranks: Floats = (np.cumsum(total) - total / 2)[group]
    return ranks
