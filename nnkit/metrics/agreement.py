"""How far predicted classes agree with the true ones beyond what chance gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.metrics.checks import labelled
from nnkit.names import lookup

Array = Any


def matthews_correlation(target: Array, prediction: Array, sample_weight: Array = None) -> float:
    """Correlation of true and predicted classes, −1 to 1; for two classes (TP·TN − FP·FN) / √(product of the sums).

    Arguments as in ``accuracy``. Where all rows are of one class, or predicted as one, it would be 0 / 0 and raises
    UndefinedMetricError; scikit-learn gives 0. Gorodkin, "Comparing two K-category assignments by a K-category
    correlation coefficient", Computational Biology and Chemistry 28, 2004.

    >>> round(matthews_correlation([1, 1, 1, 0], [1, 0, 1, 1]), 4)
    -0.3333
    """
    data = labelled("matthews_correlation", target, prediction, sample_weight)
    confusion = data.confusion.astype(np.float64)
    rows, predicted, total = confusion.sum(axis=1), confusion.sum(axis=0), confusion.sum()
    for what, sums in (("of", rows), ("predicted as", predicted)):
        if np.count_nonzero(sums) == 1:
            raise data.undefined(f"all rows are {what} class {sums.argmax()}, so it would be 0/0")
    shared = confusion.trace() * total - rows @ predicted
    return float(shared / np.sqrt((total**2 - rows @ rows) * (total**2 - predicted @ predicted)))


def cohen_kappa(target: Array, prediction: Array, sample_weight: Array = None, weights: str = "none") -> float:
    """1 − disagreement / disagreement by chance: 1 where all agree, 0 where only as much as by chance.

    Arguments as in ``accuracy``. ``weights`` is what a wrong class costs: "none" always 1, "linear" the difference of
    the class numbers, "quadratic" its square. Where all rows are of one class and predicted as it, it would be 0 / 0
    and raises UndefinedMetricError; scikit-learn gives NaN. Cohen, "A coefficient of agreement for nominal scales",
    1960; Cohen, "Weighted kappa", 1968.

    >>> cohen_kappa([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    weights = lookup("weights", weights, {name: name for name in ("none", "linear", "quadratic")})
    data = labelled("cohen_kappa", target, prediction, sample_weight)
    confusion = data.confusion.astype(np.float64)
    by_chance = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / confusion.sum()
    cost = _cost(data.classes, weights)
    if not (cost * by_chance).any():
        raise data.undefined(f"all rows are of class {data.target[0]} and predicted as it, so it would be 0/0")
    return float(1.0 - (cost * confusion).sum() / (cost * by_chance).sum())


def _cost(classes: int, weights: str) -> NDArray[Any]:
    apart = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes)))
    return {"none": apart > 0, "linear": apart, "quadratic": apart**2}[weights]
