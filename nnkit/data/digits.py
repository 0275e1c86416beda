"""The 1797 handwritten digits of 8 × 8 pixels that come with scikit-learn (UCI, Alpaydin and Kaynak 1998)."""

from __future__ import annotations

import numpy as np

from nnkit.data.dataset import Dataset
from nnkit.data.splits import split_indices
from nnkit.errors import MissingExtraError

_SPLIT_SEED = 0  # fixed for ever: results of all users are on the same test rows


def digits() -> Dataset:
    """Return the digits: 64 pixels from 0 to 1, float32, and the same 20 % for testing whatever the seed."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError('the data set "digits" comes with scikit-learn: pip install "nnkit[data]"') from error
    bunch = load_digits()
    x = (np.asarray(bunch.data) / 16).astype(np.float32)
    y = np.asarray(bunch.target).astype(np.int32)
    train, test = split_indices(len(x), 0.2, _SPLIT_SEED, labels=y)
    return Dataset(x[train], y[train], x[test], y[test], name="digits", classes=tuple("0123456789"))
