"""``nnkit test``: the data set's own test rows, treated as the network was trained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit.measure import check_layout
from tests.cli.conftest import Cli, write_flowers


@pytest.fixture
def flowers(cli: Cli, iris: Path) -> str:
    """A network that was trained on the file iris.csv; the line with the figures of its test."""
    out = cli("train", "--data", iris, "--hidden", 8, "--learning-rate", 0.02, "--seed", 5, "--save", "iris.h5").out
    return _figures(out)


@pytest.mark.parametrize("name", ["digits", "spiral", "sine"])
def test_it_prints_the_figures_that_training_printed(cli: Cli, name: str) -> None:
    if name == "digits":
        pytest.importorskip("sklearn")
    trained = cli("train", "--data", name, "--epochs", 2, "--seed", 3, "--save", "net.h5").out
    status, out, err = cli("test", "net.h5", "--data", name)
    assert (status, err) == (0, "")
    assert _figures(trained) in out.splitlines()


def test_it_shows_who_was_taken_for_whom(cli: Cli, flowers: str) -> None:
    out = cli("test", "iris.h5", "--data", "iris.csv").out
    assert flowers in out.splitlines()
    assert re.search(r"^precision 0\.\d{4}|^precision 1\.0000", out, re.MULTILINE)
    assert "true \\ predicted" in out
    assert re.search(r"^ +versicolor +0 +\d+ +\d+$", out, re.MULTILINE)


def test_the_record_of_a_test_follows_the_layout(cli: Cli, flowers: str) -> None:
    cli("test", "iris.h5", "--data", "iris.csv", "--record", "test.json")
    record = json.loads(Path("test.json").read_text(encoding="utf-8"))
    assert check_layout(record) == []
    assert f"({round(24 * record['result']['test']['accuracy'])}/24)" in flowers
    assert record["data"]["test"] == 24
    assert record["data"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert record["resources"]["reasons"]["plan"] == "nothing was trained: this is the record of a test"


def test_columns_in_another_order_and_more_of_them_change_nothing(cli: Cli, flowers: str, tmp_path: Path) -> None:
    write_flowers(tmp_path / "shuffled.csv", header="species,petal,extra,sepal")
    status, out, _ = cli("test", "iris.h5", "--data", "shuffled.csv")
    assert status == 0
    assert flowers.partition(",")[0] in out


def test_classes_that_are_some_of_the_networks_keep_their_names(cli: Cli, flowers: str, tmp_path: Path) -> None:
    write_flowers(tmp_path / "two.csv", ("versicolor", "virginica"))
    out = cli("test", "iris.h5", "--data", "two.csv").out
    assert re.search(r"^ +setosa +0 +0 +0$", out, re.MULTILINE)
    accuracy = re.search(r"accuracy ([\d.]+) %", out)
    assert accuracy
    assert float(accuracy[1]) > 80


def test_rows_without_names_get_the_networks_scaling(cli: Cli, flowers: str, tmp_path: Path) -> None:
    table = [line.split(",") for line in Path("iris.csv").read_text(encoding="utf-8").splitlines()[1:]]
    numbers = np.array([[float(sepal), float(petal)] for sepal, petal, _ in table])
    np.savez(tmp_path / "raw.npz", x=numbers, y=np.array([name for *_, name in table]))
    out = cli("test", "iris.h5", "--data", "raw.npz").out
    assert flowers.partition(",")[0] in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("iris.h5 --data spiral", "spiral has the class '0', the class '1', the class '2' to predict, but the network"),
        ("iris.h5 --data sine", "the network takes 2 inputs, but sine has 1; use data like those"),
        ("iris.h5 --data less.csv", "less.csv has no column 'petal', which the network was trained on"),
        ("iris.h5 --data other.csv", "other.csv has the class 'tulip' to predict, but the network knows the classes"),
        ("iris.h5 --data iris.csv --target petal", "iris.csv, line 2: column 'species' holds text ('setosa')"),
        ("iris.h5 --data lone.csv", "lone.csv has numbers to predict, but the network knows the classes setosa"),
        ("iris.h5 --data iris.csv --record no/x.json", "--record no/x.json: the folder "),
        ("absent.h5 --data iris.csv", ""),
        ("iris.csv --data iris.csv", ""),
    ],
)
def test_what_does_not_fit_is_said(cli: Cli, flowers: str, tmp_path: Path, words: str, message: str) -> None:
    write_flowers(tmp_path / "less.csv", header="sepal,species")
    write_flowers(tmp_path / "other.csv", ("setosa", "tulip"))
    rows = "".join(f"{i},{i + 1},{i + 0.5}\n" for i in range(20))
    (tmp_path / "lone.csv").write_text(f"sepal,petal,species\n{rows}", encoding="utf-8")
    status, out, err = cli("test", *words.split())
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_a_metric_for_numbers_is_not_for_classes(cli: Cli, flowers: str) -> None:
    status, out, err = cli("test", "iris.h5", "--data", "iris.csv", "--metrics", "mae")
    assert (status, out) == (2, "")
    assert err.startswith("error: metric 'mae' is for numbers or yes and no, but the targets of loss 'cross_entropy'")


def test_a_network_without_classes_is_tested_by_numbers(cli: Cli) -> None:
    nnkit.FeedForward(inputs=2, outputs=2, output_activation="softmax").save("net.h5")
    out = cli("test", "net.h5", "--data", "moons").out
    assert re.search(r"^accuracy [\d.]+ % \(\d+/200\)", out, re.MULTILINE)


def test_a_network_for_numbers_is_not_tested_on_classes(cli: Cli, tmp_path: Path) -> None:
    nnkit.FeedForward(inputs=2, outputs=1, output_activation="identity").save("num.h5")
    write_flowers(tmp_path / "text.csv")
    np.savez(tmp_path / "text.npz", x=np.eye(40, 2), y=np.array(["neg", "pos"] * 20))
    for file, names in (("text.csv", "setosa, versicolor, virginica"), ("text.npz", "neg, pos")):
        status, out, err = cli("test", "num.h5", "--data", file)
        assert (status, out) == (1, "")
        assert f"error: {file} has the classes {names} to predict, but the network predicts numbers; test it on" in err


def test_whole_numbers_are_not_classes_to_a_network_for_numbers(cli: Cli, tmp_path: Path) -> None:
    x, y = np.eye(40, 2), np.repeat([-3, 8], 20)
    network = nnkit.FeedForward(inputs=2, outputs=1, output_activation="identity")
    network.save("num.h5")
    np.savez(tmp_path / "whole.npz", x_train=x, y_train=y, x_test=x[:30] + 1, y_test=y[:30])
    status, out, _ = cli("test", "num.h5", "--data", "whole.npz", "--metrics", "mae")
    error = np.abs(network.predict(x[:30] + 1)[:, 0] - y[:30]).mean()
    assert status == 0
    assert f"mae {error:.3f}" in out


def _figures(out: str) -> str:
    """The line with the test's figures in what training printed."""
    return next(line.removeprefix("test ") for line in out.splitlines() if line.startswith("test ") and "loss" in line)
