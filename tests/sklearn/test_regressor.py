"""Numbers, one or several for each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.sklearn.data import same, waves

from scipy.sparse import csr_array  # isort: skip

from nnkit.sklearn import Regressor  # isort: skip

FAST: dict[str, Any] = {"hidden": (16,), "activation": "tanh", "learning_rate": 0.02, "random_state": 0}


@pytest.mark.parametrize("outputs", [None, 2, 3])
def test_the_shape_of_the_targets_comes_back(outputs: int | None) -> None:
    x, y = waves(outputs)
    net = Regressor(**FAST).fit(x, y)
    assert net.predict(x).shape == y.shape
    assert (net.predict(x).reshape(len(x), -1) == net.network_.predict(x)).all()
    assert net.score(x, y) > 0.8


def test_there_are_no_classes() -> None:
    net = Regressor(**FAST).fit(*waves())
    for name in ("classes_", "predict_proba", "decision_function", "class_weight"):
        assert not hasattr(net, name)


def test_counts_with_an_exponential_output() -> None:
    x, _ = waves()
    y = np.round(np.exp(1 + x[:, 0]))
    net = Regressor(output_activation="exponential", **FAST).fit(x, y)
    assert net.run_.record.training["loss"]["name"] == "poisson"
    assert (net.predict(x) > 0).all()
    assert net.score(x, y) > 0.8
    with pytest.raises(ValueError, match="this loss needs targets of at least 0"):
        net.fit(x, -1 - y)


def test_another_loss() -> None:
    x, y = waves()
    wild = y.copy()
    wild[::20] += 100
    steady = Regressor(loss="huber", **FAST).fit(x, wild)
    assert steady.run_.record.training["loss"]["name"] == "huber"
    away = np.abs(steady.predict(x) - y)
    assert np.median(away) < np.median(np.abs(Regressor(**FAST).fit(x, wild).predict(x) - y))


def test_sparse_rows_and_targets_are_the_dense_ones() -> None:
    x, y = waves(2)
    dense = Regressor(**FAST).fit(x, y)
    assert same(Regressor(**FAST).fit(csr_array(x), y), dense)
    assert same(Regressor(**FAST).fit(x, csr_array(y)), dense)


def test_whole_numbers_are_numbers() -> None:
    x, y = waves()
    whole = np.round(10 * y).astype(int)
    assert same(Regressor(**FAST).fit(x, whole), Regressor(**FAST).fit(x, whole.astype(float)))


def test_partial_fit_with_another_number_of_outputs_is_refused() -> None:
    x, y = waves(2)
    net = Regressor(**FAST).partial_fit(x, y)
    with pytest.raises(ValueError, match=r"y has shape \(60, 3\), expected \(60, 2\)"):
        net.partial_fit(x, waves(3)[1])
