"""How far predicted numbers are from the true ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnkit.errors import DataError, ShapeError

Array = Any


def regression(prediction: Array, target: Array) -> dict[str, float]:
    """``mae`` (mean |e|), ``mse`` (mean e²), ``rmse`` (√ of it), ``r2`` (1 − Σ e² / Σ (t − mean t)²), as Python floats.

    Both arguments have one shape, (rows,) or (rows, …), and are computed with in float64. Each metric is computed for
    every output and then averaged over the outputs, as scikit-learn does: so with several outputs ``rmse`` is a mean of
    roots. For an output whose targets are all equal, r2 is 1 if every prediction is exact, else 0; with one row, NaN.

    >>> result = regression([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    >>> round(result["rmse"], 4), result["r2"]
    (0.5774, 0.5)
    """
    predicted, true = np.asarray(prediction, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if predicted.shape != true.shape or true.ndim == 0:
        raise ShapeError(
            f"regression metrics: predictions have shape {predicted.shape} and targets {true.shape}; "
            "make them equal, with one row or more"
        )
    if not true.size:
        raise DataError("regression metrics: there are no rows; pass at least one")
    rows = true.shape[0]
    error, true = (predicted - true).reshape(rows, -1), true.reshape(rows, -1)
    mse = np.square(error).mean(axis=0)
    return {
        "mae": float(np.abs(error).mean()),
        "mse": float(mse.mean()),
        "rmse": float(np.sqrt(mse).mean()),
        "r2": float(_explained(error, true).mean()) if rows > 1 else float("nan"),
    }


def _explained(error: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """R² of each output."""
    unexplained = np.square(error).sum(axis=0)
    total = np.square(true - true.mean(axis=0)).sum(axis=0)
    constant = true.min(axis=0) == true.max(axis=0)  # whose mean may be rounded
    r2: NDArray[np.float64] = np.where(constant, unexplained == 0, 1.0 - unexplained / np.where(constant, 1.0, total))
    return r2
