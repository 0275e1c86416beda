"""Iterables of batches are read into one pair of arrays."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.data.batches import joined
from nnkit.errors import DataError
from tests.peers import peer

X = np.random.default_rng(0).normal(size=(10, 3))
Y = np.arange(10) % 2
BATCHES = [(X[:4], Y[:4]), (X[4:8], Y[4:8]), (X[8:], Y[8:])]


def test_rows_stay_in_order() -> None:
    x, y = joined(BATCHES)
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)


def test_a_network_trains_and_tests_on_them_as_on_the_arrays() -> None:
    nets = [nnkit.FeedForward(inputs=3, outputs=2, output_activation="softmax", seed=1) for _ in range(2)]
    runs = [
        nets[0].fit(X, Y, epochs=2, batch_size=4, progress=False),
        nets[1].fit(BATCHES, epochs=2, batch_size=4, progress=False),
    ]
    assert runs[0].history == runs[1].history
    assert nets[0].test(X, Y).loss == nets[1].test(BATCHES).loss


def test_a_data_loader_of_torch() -> None:
    torch = peer("torch")
    rows = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    x, y = joined(torch.utils.data.DataLoader(rows, batch_size=3))
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (X, "y is missing: give x and y, or an iterable of batches"),
        ((b for b in BATCHES), "with a length; x is generator"),
        ([X[:4], X[4:]], r"batch 0 of x is no pair of arrays \(x, y\): array"),
        ([[0.0, 1.0], [1.0, 0.0]], r"batch 0 of x is no pair of arrays \(x, y\): \[0.0, 1.0\]"),
        ([], "x holds no batches; expected an iterable of pairs"),
        ([(X, Y), (X[:, :2], Y)], r"the batches' x differ in the shape of a row: \(2,\), \(3,\)"),
    ],
)
def test_what_is_refused(batches: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        joined(batches)
