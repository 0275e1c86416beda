"""What users get wrong with ``nnkit train``: one message, the right status, and no training that is then lost."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nnkit
from nnkit.errors import FileError
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--data digts", "unknown data set 'digts'. Did you mean 'digits'?"),
        ("--save net.onnx", "save: 'net.onnx' ends like a file of ONNX, which net.export writes"),
        ("--checkpoint ck.pt", "checkpoint: 'ck.pt' ends like a file of PyTorch; checkpoint writes nnkit's own format"),
        ("--hidden 1.5", "argument --hidden: expected a whole number from 1, got '1.5'"),
        ("--hidden -5", "argument --hidden: expected a whole number from 1, got '-5'"),
        ("--hidden 0", "argument --hidden: expected a whole number from 1, got '0'"),
        ("--hidden 8 8 --activation relu tanh elu", "--activation has 3 names for 2 hidden layers"),
        ("--activation rellu", "unknown activation 'rellu'. Did you mean 'relu'?"),
        ("--output-activation softmx", "unknown activation 'softmx'. Did you mean 'softmax'?"),
        ("--optimizer adamm", "unknown optimizer 'adamm'. Did you mean 'adam'?"),
        ("--loss hubr", "unknown loss 'hubr'. Did you mean 'huber'?"),
        (
            "--loss triplet",
            "moons has 2 classes to predict, and loss 'triplet' with output activation 'identity' is for rows that "
            "belong together; train it in Python: net.fit(x, y, loss='triplet')",
        ),
        (
            "--data sine --loss margin_ranking",
            "sine has numbers to predict, and loss 'margin_ranking' with output activation 'identity' is for the order",
        ),
        (
            "--loss huber",
            "moons has 2 classes to predict, and loss 'huber' with output activation 'identity' is for numbers; leave",
        ),
        (
            "--loss gaussian",
            "moons has 2 classes to predict, and loss 'gaussian_nll' with output activation 'identity'",
        ),
        (
            "--data sine --loss categorical_hinge",
            "sine has numbers to predict, and loss 'categorical_hinge' with output",
        ),
        ("--loss hinge --output-activation softmax", "loss 'hinge' needs values of either sign"),
        ("--output-activation identity", "moons has 2 classes to predict, and loss 'mean_squared_error'"),
        ("--data sine --output-activation softmax", "sine has numbers to predict, and loss 'cross_entropy'"),
        (
            "--data spiral --output-activation sigmoid",
            "loss 'binary_cross_entropy' with output activation 'sigmoid' answers yes or no, but spiral has 3 classes",
        ),
        (
            "--data spiral --loss hinge",
            "loss 'hinge' with output activation 'identity' answers yes or no, but spiral has 3",
        ),
        (
            "--validation-split 1.5",
            "argument --validation-split: expected a number from 0 up to, but not, 1, got '1.5'",
        ),
        ("--dropout 1", "argument --dropout: expected a number from 0 up to, but not, 1, got '1'"),
        ("--l2 -1", "argument --l2: expected a number from 0, got '-1'"),
        ("--learning-rate nan", "argument --learning-rate: expected a number from 0, got 'nan'"),
        ("--epochs -1", "argument --epochs: expected a whole number from 0, got '-1'"),
        ("--batch-size 0", "argument --batch-size: expected a whole number from 1, got '0'"),
        ("--seed 1e3", "argument --seed: expected a whole number from 0, got '1e3'"),
        ("--patience 3 --validation-split 0", "--patience watches the validation loss; --validation-split must then"),
        ("--metrics f1 acuracy", "unknown metric 'acuracy'. Did you mean 'accuracy'?"),
        ("--metrics f1 F1", "metrics has 'f1' twice; give each another name, or leave one out"),
        ("--metrics mae", "metric 'mae' is for numbers or yes and no, but the targets of loss 'cross_entropy' are cla"),
        ("--data sine --metrics auc", "metric 'auc' is for classes or yes and no, but the targets of loss"),
        ("--metrics top_3_accuracy", "metric 'top_3_accuracy' needs 4 classes or more, the network has 2"),
        ("--metrics auc --validation-split 0", "--metrics auc needs all rows at once, so training has it for valid"),
        ("--memory-limit 3XB", "argument --memory-limit: expected bytes, such as 200MB, '1.5 GB' or 64MiB, got '3XB'"),
        ("--compile maybe", "argument --compile: invalid choice: 'maybe'"),
        ("--target y", "target='y' names a column of a CSV file"),
        ("--lr 0.1", "unrecognized arguments: --lr 0.1 (did you mean '--learning-rate'?);"),
        ("--batch_size=8", "unrecognized arguments: --batch_size=8 (did you mean '--batch-size'?);"),
        ("a.csv", "unrecognized arguments: a.csv (data are named by an option: --data a.csv);"),
        ("--hidden 4 --hidden 5", "argument --hidden: it is there twice; write all of its values after one of them;"),
        ("--metrics auc --metrics f1", "argument --metrics: it is there twice; write all of its values after one of"),
        (
            "--memory-limit -5MB",
            "argument --memory-limit: expected one argument (one that begins with - is written aft",
        ),
        ("--checkpoint c.h5 --every moon", "--checkpoint: every is 'moon', expected text such as '1 epoch'"),
        ("--record=", "argument --record: expected the name of a file, got ''"),
        ("--save a.h5 --record a.h5", "--save and --record are the same file, a.h5; write to two files"),
    ],
)
def test_a_wrong_command_line_has_status_2(cli: Cli, words: str, message: str) -> None:
    status, out, err = cli("train", "--data", "moons", *words.split())
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--data flowers.csv", "flowers.csv does not exist"),
        ("--data flowers.txt", "flowers.txt has the suffix '.txt'"),
        ("--data iris.csv --target specis", "iris.csv has no column 'specis'. Did you mean 'species'?"),
        ("--device cuda", "no GPU"),
        ("--save nowhere/net.h5", "--save nowhere/net.h5: the folder "),
        ("--record nowhere/run.json", "--record nowhere/run.json: the folder "),
        ("--save .", "--save . is a folder; add the name of the file"),
    ],
)
def test_a_failure_has_status_1(
    cli: Cli, iris: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.setattr("nnkit.cli.architecture.select", _no_cuda)
    status, out, err = cli("train", "--data", "moons", *words.split())
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
@pytest.mark.parametrize("flag", ["--save", "--checkpoint"])
def test_a_pipe_takes_no_network(cli: Cli, flag: str) -> None:
    os.mkfifo("pipe")
    status, _, err = cli("train", "--data", "moons", flag, "pipe")
    assert status == 1
    assert err == f"error: {flag} pipe is no ordinary file, which HDF5 needs; choose another name\n"


def test_a_folder_that_cannot_be_written_to(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.cli.places.os.access", lambda path, mode: False)
    status, _, err = cli("train", "--data", "moons", "--save", "net.h5")
    assert status == 1
    assert "cannot be written to; choose another" in err


def test_the_network_that_cannot_be_saved_costs_neither_the_record_nor_the_figures(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: nnkit.Network, path: str) -> None:
        raise FileError("no space left on the device")

    monkeypatch.setattr(nnkit.Network, "save", full)
    status, out, err = cli("train", "--data", "moons", "--epochs", 1, "--save", "net.h5", "--record", "run.json")
    assert status == 1
    assert Path("run.json").exists()
    assert "test accuracy" in out
    assert "what to try next" in out
    assert err.endswith("error: no space left on the device\n")


def test_test_rows_that_cannot_be_scored_cost_nothing_else(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise nnkit.errors.DataError("the test rows are bad")

    monkeypatch.setattr(nnkit.Network, "test", refuse)
    status, out, err = cli("train", "--data", "moons", "--epochs", 1, "--record", "run.json", "--quiet")
    assert (status, err) == (1, "error: the test rows are bad\n")
    assert Path("run.json").exists()
    assert "accuracy" not in out


def test_a_metric_without_a_value_on_the_test_rows_costs_no_other_figure(cli: Cli, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    np.savez(
        tmp_path / "one.npz", x_train=x[:40], y_train=y[:40], x_test=x[40:][y[40:] == 1], y_test=y[40:][y[40:] == 1]
    )
    status, out, err = cli(
        "train", "--data", "one.npz", "--epochs", 1, "--metrics", "auc", "brier", "--record", "r.json"
    )
    assert status == 1
    assert "\ntest accuracy " in out
    assert "auc" not in out.rpartition("\ntest accuracy ")[2].splitlines()[0]
    assert err.splitlines()[-1].startswith("error: ")
    assert "auc" in err.splitlines()[-1]
    assert "accuracy" in json.loads(Path("r.json").read_text(encoding="utf-8"))["result"]["test"]


def test_rows_of_which_none_is_left_for_training(cli: Cli, tmp_path: Path) -> None:
    np.savez(tmp_path / "few.npz", x=np.eye(4), y=np.arange(4.0))
    status, _, err = cli("train", "--data", "few.npz", "--validation-split", 0.9, "--quiet")
    assert status == 1
    assert "leaves nothing for training" in err


def _no_cuda(name: str) -> object:
    if name == "cuda":
        raise nnkit.errors.DeviceError("no GPU")
    return SimpleNamespace(name=name)
