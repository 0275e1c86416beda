"""``standardize=True``: columns scaled by the training rows, in training, tests, predictions and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nnkit
from nnkit.data import Preprocessing, Scaling
from nnkit.errors import ArgumentError, DataError, NnkitWarning, ShapeError
from tests.training.small import blobs, fit, network, same, values

CENTRE, SPREAD = np.array([50.0, -3e6, 0.02]), np.array([8.0, 4e4, 1e-3])
PLAIN, Y = blobs(120, seed=2)
RAW = PLAIN * SPREAD + CENTRE
COLUMNS = ["length", "weight", "share"]


def scaled(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return (x - x[rows].mean(axis=0)) / x[rows].std(axis=0)


def test_it_is_training_on_standardised_columns() -> None:
    net, other = network(), network()
    run = fit(net, RAW, Y, epochs=3, validation_split=0.25, standardize=True)
    train = np.setdiff1d(np.arange(120), run.record.data["validation_indices"])
    twin = fit(other, scaled(RAW, train), Y, epochs=3, validation_split=0.25)
    assert run.history["val_loss"] == pytest.approx(twin.history["val_loss"], rel=1e-9)
    assert net.preprocessing is not None
    assert net.preprocessing.scaling == Scaling.fit(RAW[train])
    np.testing.assert_allclose(net.predict(RAW), other.predict(scaled(RAW, train)), rtol=1e-7)
    assert net.test(RAW, Y).loss == pytest.approx(other.test(scaled(RAW, train), Y).loss, rel=1e-9)
    assert run.result.train == net.test(RAW[train], Y[train]).to_dict()
    assert (run.record.training["standardize"], twin.record.training["standardize"]) == (True, False)


def test_float32_keeps_the_digits_of_large_numbers() -> None:
    x = PLAIN + 1e9  # in float32 all of these would be one number
    net, other = network(dtype="float32"), network(dtype="float32")
    fit(net, x, Y, epochs=20, learning_rate=0.05, standardize=True)
    fit(other, PLAIN, Y, epochs=20, learning_rate=0.05, standardize=True)
    assert net.test(x, Y).accuracy == pytest.approx(other.test(PLAIN, Y).accuracy, abs=0.05)


def test_validation_data_are_scaled_by_the_training_rows() -> None:
    net, other = network(), network()
    run = fit(net, RAW[:80], Y[:80], epochs=1, validation_data=(RAW[80:], Y[80:]), standardize=True)
    x = scaled(RAW, np.arange(80))
    twin = fit(other, x[:80], Y[:80], epochs=1, validation_data=(x[80:], Y[80:]))
    assert run.history["val_loss"] == pytest.approx(twin.history["val_loss"], rel=1e-9)


def test_it_travels_with_the_network(tmp_path: Path) -> None:
    net = network()
    run = fit(net, RAW, Y, epochs=2, standardize=True)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert (again.predict(RAW) == net.predict(RAW)).all()
    assert again.test(RAW, Y).loss == net.test(RAW, Y).loss == run.result.train.loss
    fit(again, RAW, Y, epochs=1)  # goes on with the scaling that its weights know
    assert again.preprocessing == net.preprocessing


def test_a_second_fit_keeps_the_scaling_of_the_first() -> None:
    net = network()
    fit(net, RAW, Y, epochs=1, standardize=True)
    first = net.preprocessing
    fit(net, RAW + SPREAD, Y, epochs=1, standardize=True)
    assert net.preprocessing == first


def test_a_constant_column_does_no_harm() -> None:
    x = np.column_stack([RAW[:, :2], np.full(120, 7.0)])
    net = network()
    fit(net, x, Y, epochs=1, standardize=True)
    assert np.isfinite(net.predict(x)).all()


def test_a_fit_that_is_refused_leaves_no_scaling() -> None:
    net = network()
    before = values(net)
    with pytest.raises(ArgumentError, match="epochs must be a whole number"):
        fit(net, RAW, Y, epochs=-1, standardize=True)
    with pytest.raises(ZeroDivisionError):
        fit(net, RAW, Y, callbacks=[Refusing()], standardize=True)
    assert net.preprocessing is None
    assert same(values(net), before)


class Refusing(nnkit.Callback):
    """A callback that raises before the first step."""

    def begin(self, training: Any) -> None:
        raise ZeroDivisionError


def test_nan_is_found_where_it_is() -> None:
    x = RAW.copy()
    x[7, 1] = np.nan
    with pytest.raises(DataError, match=r"x has NaN at row 7, column 1 \(1 such value in all\)"):
        fit(network(), x, Y, standardize=True)
    net = network()
    fit(net, RAW, Y, epochs=0, standardize=True)
    fit(net, RAW, Y, epochs=1, standardize=True)
    with pytest.raises(DataError, match="x has NaN at row 7, column 1"):
        net.predict(x)
    with pytest.raises(ShapeError, match=r"layer 'layers.0' \(Dense\) expects 3 inputs, got 2"):
        net.predict(x[:, :2])


def test_images_have_no_columns() -> None:
    net = nnkit.Sequential([nnkit.nn.Flatten(), nnkit.nn.Dense(3, "softmax")], input_shape=(2, 2))
    with pytest.raises(ArgumentError, match=r"standardize=True is for rows of columns, .* of shape \(2, 2\); scale"):
        fit(net, np.zeros((3, 2, 2)), [0, 1, 2], standardize=True)


def test_rows_that_were_standardised_before_are_noticed() -> None:
    net = network()
    fit(net, RAW, Y, epochs=1, standardize=True)
    with pytest.warns(NnkitWarning, match=r"x looks standardised before: column \d has a mean of .* in training; this"):
        net.predict(scaled(RAW, np.arange(120)))
    net.predict(RAW[:50])
    net.predict(PLAIN[:3])  # too few rows to tell


def test_it_is_asked_for_by_a_warning() -> None:
    with pytest.warns(NnkitWarning, match=r"column 1 of x has a mean .* or fit\(…, standardize=True\)"):
        fit(network(), RAW, Y, epochs=1)
    assert len(nnkit.find_learning_rate(network(), RAW, Y, steps=10, standardize=True).losses) == 10


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    table = pd.DataFrame(PLAIN, columns=COLUMNS)
    net, other = network(), network()
    fit(net, table, Y, epochs=1)
    fit(other, PLAIN, Y, epochs=1)
    assert net.preprocessing == Preprocessing(features=tuple(COLUMNS))
    assert other.preprocessing is None
    swapped = table.assign(extra=1.0)[["share", "extra", "weight", "length"]]
    assert (net.predict(swapped) == net.predict(PLAIN)).all()
    with pytest.raises(DataError, match="x has no column 'share', which the network was trained on; it has 'length'"):
        net.predict(table[["length", "weight"]])


def test_what_is_no_preprocessing_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"net.preprocessing must be a nnkit.data.Preprocessing or None, got {}"):
        network().preprocessing = {}  # type: ignore[assignment]
    with pytest.raises(ArgumentError, match="standardize must be True or False, got 1"):
        fit(network(), PLAIN, Y, standardize=1)
