"""What users of scikit-learn pass, as dense rows of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import column_or_1d, validate_data

Array = Any
FLOATS = (np.float64, np.float32)
ROWS = 1024  # of a sparse matrix that are made dense together for a prediction


def training_rows(estimator: Any, x: Any, y: Any, *, numeric: bool, reset: bool) -> tuple[Array, Array]:
    """``x`` and ``y`` by scikit-learn's checks and messages, both dense; a column of targets becomes a vector."""
    x, y = validate_data(
        estimator, x, y, accept_sparse="csr", multi_output=True, y_numeric=numeric, dtype=FLOATS, reset=reset
    )
    y = y.toarray() if issparse(y) else y
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return (x.toarray() if issparse(x) else x), y


def pieces(estimator: Any, x: Any) -> Iterator[Array]:
    """``x`` by scikit-learn's checks and messages: whole if it is dense, else some rows at a time, made dense."""
    x = validate_data(estimator, x, accept_sparse="csr", dtype=FLOATS, reset=False)
    if not issparse(x):
        yield x
        return
    for start in range(0, x.shape[0], ROWS):
        yield x[start : start + ROWS].toarray()
