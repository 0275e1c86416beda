"""``nnkit predict``: the columns of the file, the names of classes, and figures that agree with the network."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit import data, nn
from tests.cli.conftest import Cli, write_flowers


@pytest.fixture
def flowers(cli: Cli, iris: Path) -> nnkit.Network:
    """A network that was trained on the file iris.csv."""
    assert cli("train", "--data", iris, "--hidden", 8, "--learning-rate", 0.02, "--save", "iris.h5").status == 0
    return nnkit.load("iris.h5")


def test_classes_have_names_and_probabilities(cli: Cli, flowers: nnkit.Network) -> None:
    status, out, err = cli("predict", "iris.h5", "--data", "iris.csv", "--output", "out.csv")
    assert (status, err) == (0, "")
    assert out.startswith("120 predictions written to out.csv: prediction, p_setosa, p_versicolor, p_virginica")
    header, *rows = _read("out.csv")
    assert header == ["prediction", "p_setosa", "p_versicolor", "p_virginica"]
    probabilities = np.array([row[1:] for row in rows], dtype=np.float32)
    x = data.files.read_features(Path("iris.csv"), ["sepal", "petal"])
    np.testing.assert_array_equal(probabilities, flowers.predict(x))
    assert [row[0] for row in rows] == [flowers.classes[best] for best in probabilities.argmax(axis=1)]
    right = sum(row[0] == line[-1] for row, line in zip(rows, _read("iris.csv")[1:], strict=True))
    assert right > 110


def test_columns_are_found_by_name(cli: Cli, flowers: nnkit.Network, tmp_path: Path) -> None:
    write_flowers(tmp_path / "shuffled.csv", header="extra,petal,sepal")
    for name in ("iris", "shuffled"):
        assert cli("predict", "iris.h5", "--data", f"{name}.csv", "--output", f"{name}-out.csv").status == 0
    assert _read("iris-out.csv") == _read("shuffled-out.csv")


def test_numbers_have_one_column_each(cli: Cli, tmp_path: Path) -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    for outputs, header in ((1, ["prediction"]), (2, ["prediction_0", "prediction_1"])):
        network = nnkit.FeedForward(inputs=2, hidden=[4], outputs=outputs)
        network.save("net.h5")
        assert cli("predict", "net.h5", "--data", "x.npz", "--output", "out.csv").status == 0
        found, *rows = _read("out.csv")
        assert found == header
        np.testing.assert_array_equal(np.array(rows, dtype=np.float32), network.predict(x))


def test_several_answers_of_yes_or_no_are_no_classes(cli: Cli, tmp_path: Path) -> None:
    network = nnkit.Sequential([nn.Dense(3, "sigmoid")], input_shape=(2,))
    network.classes = ("a", "b", "c")
    network.save("net.h5")
    np.savez(tmp_path / "x.npz", x=np.ones((2, 2)))
    assert cli("predict", "net.h5", "--data", "x.npz", "--output", "out.csv").status == 0
    assert _read("out.csv")[0] == ["prediction_0", "prediction_1", "prediction_2"]


@pytest.mark.parametrize(
    ("loss", "columns"), [("hinge", ["versicolor"]), ("categorical_hinge", ["setosa", "versicolor"])]
)
def test_classes_by_scores(cli: Cli, tmp_path: Path, loss: str, columns: list[str]) -> None:
    write_flowers(tmp_path / "two.csv", ("setosa", "versicolor"))
    words = ("--hidden", 8, "--learning-rate", 0.02, "--loss", loss, "--save", "two.h5")
    assert cli("train", "--data", "two.csv", *words).status == 0
    assert cli("predict", "two.h5", "--data", "two.csv", "--output", "out.csv").status == 0
    header, *rows = _read("out.csv")
    assert header == ["prediction", *(f"score_{name}" for name in columns)]
    for name, *values in rows:
        scores = [float(value) for value in values]
        yes = scores[0] > 0 if len(scores) == 1 else scores[1] > scores[0]
        assert name == ("versicolor" if yes else "setosa")
    assert sum(row[0] == line[-1] for row, line in zip(rows, _read("two.csv")[1:], strict=True)) > 76


def test_variances_stand_beside_predictions(cli: Cli, tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 80, dtype=np.float32)[:, None]
    np.savez(tmp_path / "lines.npz", x=x, y=np.concatenate([x, 2 * x], axis=1))
    assert cli("train", "--data", "lines.npz", "--loss", "gaussian_nll", "--save", "net.h5").status == 0
    assert cli("predict", "net.h5", "--data", "lines.npz", "--output", "out.csv").status == 0
    header, *rows = _read("out.csv")
    assert header == ["prediction_0", "prediction_1", "variance_0", "variance_1"]
    found, out = np.array(rows, dtype=np.float64), nnkit.load("net.h5").predict(x)
    np.testing.assert_allclose(found[:, :2], out[:, :2], rtol=1e-6)
    np.testing.assert_allclose(found[:, 2:], 1e-6 + np.exp(out[:, 2:].astype(np.float64)), rtol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "log_softmax"])
def test_probabilities_from_other_outputs(cli: Cli, tmp_path: Path, activation: str) -> None:
    network = nnkit.Sequential([nn.Dense(1 if activation == "sigmoid" else 2, activation)], input_shape=(2,))
    network.save("net.h5")
    np.savez(tmp_path / "x.npz", x=np.array([[1.0, 2.0], [-3.0, 4.0], [5.0, -6.0]]))
    cli("predict", "net.h5", "--data", "x.npz", "--output", "out.csv")
    header, *rows = _read("out.csv")
    assert header == ["prediction", "p_0", "p_1"]
    for name, *probabilities in rows:
        values = [float(value) for value in probabilities]
        assert sum(values) == pytest.approx(1)
        assert int(name) == int(values[1] > values[0])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--data iris.csv --output no/out.csv", 1, "--output no/out.csv: the folder "),
        ("--data digits --output out.csv", 2, "--data takes a .csv, .npz or .h5 file with rows to predict from, got"),
        ("--data absent.csv --output out.csv", 1, "absent.csv does not exist"),
        ("--data less.csv --output out.csv", 1, "less.csv has no column 'petal', which the network was trained on"),
        ("--data wide.npz --output out.csv", 1, "the network takes 2 inputs, but wide.npz has 3"),
    ],
)
def test_what_does_not_fit_is_said(
    cli: Cli, flowers: nnkit.Network, tmp_path: Path, words: str, status: int, message: str
) -> None:
    write_flowers(tmp_path / "less.csv", header="sepal,species")
    np.savez(tmp_path / "wide.npz", x=np.eye(3))
    found, out, err = cli("predict", "iris.h5", *words.split())
    assert (found, out) == (status, "")
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not Path("out.csv").exists()


@pytest.mark.parametrize("words", [(), ("--output", "-")])
def test_without_a_file_only_the_table_goes_to_standard_output(
    cli: Cli, flowers: nnkit.Network, words: tuple[str, ...]
) -> None:
    assert cli("predict", "iris.h5", "--data", "iris.csv", "--output", "out.csv").status == 0
    printed = cli("predict", "iris.h5", "--data", "iris.csv", *words)
    assert printed == (0, Path("out.csv").read_text(encoding="utf-8"), "")
    assert not Path("-").exists()


def test_names_of_classes_do_not_act_on_a_terminal(cli: Cli, tmp_path: Path) -> None:
    names = ("x\x1b[31mred", "\u202eab\nc")
    network = nnkit.FeedForward(inputs=2, outputs=2, output_activation="softmax")
    network.classes = names
    network.save("net.h5")
    np.savez(tmp_path / "x.npz", x=np.eye(2))
    out = cli("predict", "net.h5", "--data", "x.npz", "--output", "out.csv").out
    assert out == "2 predictions written to out.csv: prediction, p_x\\x1b[31mred, p_\\u202eab\\nc\n"
    assert _read("out.csv")[0] == ["prediction", *(f"p_{name}" for name in names)]


def test_rows_of_another_width(cli: Cli, tmp_path: Path) -> None:
    nnkit.FeedForward(inputs=2, outputs=1).save("net.h5")
    np.savez(tmp_path / "wide.npz", x=np.eye(3))
    status, _, err = cli("predict", "net.h5", "--data", "wide.npz", "--output", "out.csv")
    assert status == 1
    assert err.startswith("error: the network takes 2 inputs, but wide.npz has 3; use data like those")


def test_a_file_that_cannot_be_written_stays_as_it_was(
    cli: Cli, flowers: nnkit.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    Path("out.csv").write_text("old", encoding="utf-8")
    monkeypatch.setattr("nnkit.cli.predict.csv.writer", full)
    status, _, err = cli("predict", "iris.h5", "--data", "iris.csv", "--output", "out.csv")
    assert (status, err) == (1, "error: cannot write the predictions to 'out.csv': No space left on device\n")
    assert Path("out.csv").read_text(encoding="utf-8") == "old"


def _read(path: str) -> list[list[str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))
