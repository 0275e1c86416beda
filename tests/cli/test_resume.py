"""``nnkit train --checkpoint`` and going on from it: what is printed, written and learned."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit.measure import check_layout
from nnkit.training.loop import Loop
from tests.cli.conftest import Cli

QUICK = ("--data", "moons", "--epochs", 4, "--hidden", 8, "--dropout", 0.1)


def interrupted(cli: Cli, monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    """A training that Ctrl-C ends after its second epoch."""
    steps = Loop._steps

    def some(self: Loop, interruption: object) -> bool:
        if self.epoch == 2:
            interruption.wanted = True  # type: ignore[attr-defined]
        return steps(self, interruption)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_steps", some)
        assert cli("train", *QUICK, "--checkpoint", "run.h5", *words).status == 130


def test_it_goes_on_as_if_it_had_not_stopped(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("train", *QUICK, "--save", "whole.h5").status == 0
    interrupted(cli, monkeypatch)
    status, out, err = cli("resume", "run.h5", "--data", "moons", "--save", "net.h5", "--record", "run.json")
    assert (status, "Traceback" in err) == (0, False)
    assert "test accuracy " in out
    assert "written     network net.h5, record run.json" in out
    record = json.loads(Path("run.json").read_text(encoding="utf-8"))
    assert check_layout(record) == []
    assert len(record["history"]["loss"]) == 4
    assert (record["data"]["name"], record["data"]["test"]) == ("moons", 200)
    rows = np.ones((3, 2))
    assert np.array_equal(nnkit.load("net.h5").predict(rows), nnkit.load("whole.h5").predict(rows))


def test_as_a_flag_of_train(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(cli, monkeypatch, "--patience", 3, "--every", "100 steps")
    status, out, err = cli("train", "--resume", "run.h5", "--data", "moons", "--quiet")
    assert (status, err) == (0, "")
    assert out.startswith("accuracy ")
    assert out.count("\n") == 1
    assert cli("resume", "run.h5", "--data", "moons", "--quiet").out == out  # it has ended, and comes back


def test_what_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(cli, monkeypatch)
    assert cli("train", *QUICK, "--checkpoint", "run.h5").err.startswith(
        "error: checkpoint: run.h5 holds a training that is not finished (epoch 2 of 4); go on with it by"
    )
    assert cli("train", *QUICK, "--every", "1 epoch").err == (
        "error: --every says how often to write a checkpoint; name its file with --checkpoint\n"
    )
    assert cli("train", "--resume", "run.h5", "--hidden", 3).err == (
        "error: --hidden is settled by the checkpoint; leave it out with --resume\n"
    )
    assert "run.h5 is the checkpoint of a training on other data: " in cli("resume", "run.h5", "--data", "xor").err
    assert cli("resume", "absent.h5", "--data", "xor").err == (
        "error: absent.h5 does not exist; check the name and the folder\n"
    )
    assert "would overwrite a file that this command reads" in cli("resume", "run.h5", "--save", "run.h5").err
    assert cli("train", *QUICK, "--checkpoint", "a.h5", "--save", "a.h5").err.startswith(
        "error: --save and --checkpoint are the same file"
    )


def test_inspect_says_how_far_it_is(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(cli, monkeypatch)
    assert "training    epoch 2 of 4; nnkit resume run.h5 goes on with it\n" in cli("inspect", "run.h5").out
    cli("resume", "run.h5", "--data", "moons")
    assert "training    came to its end after 4 epochs\n" in cli("inspect", "run.h5").out


def test_the_checkpoint_knows_the_target_of_a_table(cli: Cli, monkeypatch: pytest.MonkeyPatch, iris: Path) -> None:
    lines = [line.split(",") for line in iris.read_text(encoding="utf-8").split()]
    table = "\n".join(",".join([line[2], line[0], line[1]]) for line in lines)
    Path("first.csv").write_text(table, encoding="utf-8")
    interrupted(cli, monkeypatch, "--data", "first.csv", "--target", "species", "--time-ordered")
    message = (
        "error: give --data: run.h5 is the checkpoint of a training on a file with the columns 'sepal', 'petal' and "
        "the target 'species', not on digits\n"
    )
    for words in (("resume", "run.h5"), ("train", "--resume", "run.h5", "--data-dir", ".")):
        assert tuple(cli(*words)) == (2, "", message)
    status, out, _ = cli("resume", "run.h5", "--data", "first.csv")
    assert (status, "\ntrain " in out) == (0, True)
    status, out, err = cli("resume", "run.h5", "--data", "first.csv")
    assert (status, "\ntrain " in out) == (0, True)
    assert err == (
        "warning: run.h5 holds a training that came to its end after 4 epochs, so nothing was left to do: its run "
        "comes back\n"
    )


def test_without_a_name_digits_are_meant_where_they_can_be(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(cli, monkeypatch)
    assert cli("resume", "run.h5").err == (
        "error: give --data: run.h5 is the checkpoint of a training on rows of 2 numbers, not on digits\n"
    )
    Path("run.h5").unlink()
    interrupted(cli, monkeypatch, "--data", "digits")
    assert cli("resume", "run.h5", "--quiet").out.startswith("accuracy ")
