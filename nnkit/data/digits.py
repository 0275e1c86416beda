"""The 1797 handwritten digits of 8 × 8 pixels that come with scikit-learn (UCI, Alpaydin and Kaynak 1998)."""

from __future__ import annotations

import numpy as np

from nnkit.data.dataset import Dataset
from nnkit.errors import MissingExtraError

_SPLIT_SEED = 0  # fixed for ever: results of all users are on the same test rows, and so are those of other tools


def digits() -> Dataset:
    """Return the digits: 64 pixels from 0 to 1, float32, and the same 20 % for testing whatever the seed.

    The split is scikit-learn's ``train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)``, so that figures
    can be compared with those of any other library.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingExtraError('the data set "digits" comes with scikit-learn: pip install "nnkit[data]"') from error
    bunch = load_digits()
    x = (np.asarray(bunch.data) / 16).astype(np.float32)
    y = np.asarray(bunch.target).astype(np.int32)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=_SPLIT_SEED)
    return Dataset(x_train, y_train, x_test, y_test, name="digits", classes=tuple("0123456789"))
