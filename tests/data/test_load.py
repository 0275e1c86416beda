"""``load`` by name: what comes back, from which seed, and what a wrong name says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from nnkit.data import load
from nnkit.errors import ArgumentError, FileError, MissingExtraError, NnkitWarning

SYNTHETIC = {"xor": 2, "moons": 2, "circles": 2, "spiral": 3, "blobs": 3}


@pytest.mark.parametrize(("name", "classes"), SYNTHETIC.items())
def test_points_in_the_plane(name: str, classes: int) -> None:
    data = load(name)
    assert (data.x_train.shape, data.x_test.shape) == ((800, 2), (200, 2))
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == data.y_test.dtype == np.int32
    assert data.classes == tuple(str(i) for i in range(classes))
    assert np.bincount(data.y_test, minlength=classes).min() >= 200 // classes - 10
    assert np.abs(data.x_train).max() < 5


@pytest.mark.parametrize("name", [*SYNTHETIC, "sine"])
def test_the_seed_draws_the_points(name: str) -> None:
    assert load(name, seed=1).sha256 == load(name, seed=1).sha256 != load(name, seed=2).sha256


@pytest.mark.parametrize("name", SYNTHETIC)
def test_near_points_mostly_share_their_class(name: str) -> None:
    """The sets can be learnt: the nearest training point has the right class for nearly every test point."""
    data = load(name)
    distances = ((data.x_test[:, None] - data.x_train[None]) ** 2).sum(axis=-1)
    assert (data.y_train[distances.argmin(axis=1)] == data.y_test).mean() > 0.9


def test_sine_is_a_regression() -> None:
    data = load("sine")
    assert data.classes is None
    assert data.x_train.shape == (800, 1)
    assert data.y_train.dtype == np.float32
    assert np.std(data.y_train - np.sin(data.x_train[:, 0])) == pytest.approx(0.1, rel=0.15)


def test_digits_are_split_alike_for_every_seed() -> None:
    pytest.importorskip("sklearn")
    data = load("digits", seed=7)
    assert data.x_train.shape == (1437, 64)
    assert data.x_test.shape == (360, 64)
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
    assert data.classes == tuple("0123456789")
    assert np.bincount(data.y_test).min() >= 34
    assert data.sha256 == load("digits", seed=8).sha256


def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r'"digits" comes with scikit-learn: pip install "nnkit\[data\]"'):
        load("digits")


def test_names_are_forgiving_and_unknown_ones_get_the_nearest() -> None:
    assert load(" Moons ").name == "moons"
    with pytest.raises(ArgumentError, match=r"unknown data set 'mnits'. Did you mean 'mnist'\? Known: blobs, circles"):
        load("mnits")
    for other in (3, np.eye(2)):
        message = (
            f"a data set is a name or the path of a file, got {type(other).__name__}; arrays and tables go to a net"
        )
        with pytest.raises(ArgumentError, match=message):
            load(other)


def test_a_target_for_a_named_set() -> None:
    with pytest.raises(ArgumentError, match=r"target='y' names a column of a CSV file; the data set 'xor' has its own"):
        load("xor", target="y")


@pytest.mark.parametrize("name", ["data.txt", "some/folder", "folder/data.xlsx"])
def test_what_looks_like_a_file_is_one(name: str) -> None:
    with pytest.raises(FileError, match=r"data files are .csv, .tsv, .npz, .h5, .hdf5: convert it"):
        load(name)


def test_the_last_rows_of_a_file_are_for_testing_on_request(tmp_path: Path) -> None:
    np.savez(tmp_path / "series.npz", x=np.arange(20.0).reshape(10, 2), y=np.arange(10) + 0.5)
    (tmp_path / "series.csv").write_text("a,y\n" + "\n".join(f"{i},{i + 0.5}" for i in range(10)) + "\n")
    assert load(tmp_path / "series.npz", time_ordered=True).y_test.tolist() == [8.5, 9.5]
    series = load(tmp_path / "series.csv", time_ordered=True, standardize=False)
    assert series.x_test.tolist() == [[8.0], [9.0]]
    assert (series.x_test.dtype, series.scaling) == (np.float64, None)
    with pytest.raises(ArgumentError, match="time_ordered=True is for files; the data set 'moons' has its own"):
        load("moons", time_ordered=True)


def test_rows_in_both_parts_of_a_file_are_reported(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[40:] = x[:10]
    np.savez(tmp_path / "twice.npz", x=x, y=x[:, 0])
    with pytest.warns(NnkitWarning, match="10 of the 10 rows of the test data are in the training data too") as caught:
        load(tmp_path / "twice.npz", time_ordered=True)
    assert caught[0].filename == __file__
    (tmp_path / "twice.csv").write_text("a,b,y\n" + "\n".join(f"{i % 20},{i % 20},{i}" for i in range(40)) + "\n")
    with pytest.warns(NnkitWarning, match="8 of the 8 rows of the test data are in the training data too"):
        load(tmp_path / "twice.csv", time_ordered=True)
    np.savez(tmp_path / "parts.npz", x_train=x[:40], y_train=x[:40, 0], x_test=x[35:45], y_test=x[35:45, 0])
    with pytest.warns(NnkitWarning, match="10 of the 10 rows of the test data are in the training data too"):
        load(tmp_path / "parts.npz")
