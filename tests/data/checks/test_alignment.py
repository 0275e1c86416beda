"""Tables whose rows have labels: the same labels in another order are remarked."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import nnkit
from nnkit.data.checks import warn_other_order
from nnkit.errors import NnkitWarning

X = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["a", "b"])
Y = X["a"] * 2


def test_the_same_labels_in_another_order() -> None:
    with pytest.warns(
        NnkitWarning, match=r"x and y have the same labels of rows in different orders, .* y\.loc\[x\.ind"
    ):
        warn_other_order(X, Y.sample(frac=1, random_state=0))


@pytest.mark.parametrize(
    "y",
    [
        Y,
        Y.to_numpy()[::-1],
        Y.sample(frac=1, random_state=0).reset_index(drop=True),
        Y.set_axis(range(100, 120)),  # other labels: nothing says that they belong together otherwise
        Y[:10],
    ],
)
def test_everything_else_is_not_remarked(y: object) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warn_other_order(X, y)
        warn_other_order(X.set_axis([0] * 20), Y)
    assert not seen


def test_fit_says_so_where_it_is_called() -> None:
    with pytest.warns(NnkitWarning, match="in different orders") as seen:
        nnkit.FeedForward(2, 1).fit(X, Y.sample(frac=1, random_state=0), epochs=1, progress=False)
    assert [warning.filename for warning in seen] == [__file__]
