"""Every example of every command's help, and every command that training suggests, runs."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from nnkit.cli.entry import COMMANDS
from nnkit.data.mnist import PARTS
from tests.cli.conftest import Cli

MNIST = Path(os.environ.get("NNKIT_DATA_DIR") or os.devnull)  # as it was before the tests hide it


@pytest.mark.slow
def test_the_examples_run_in_the_order_in_which_they_are_shown(
    cli: Cli, iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setenv("NNKIT_DATA_DIR", str(MNIST))
    for command in COMMANDS.values():
        for example in command.examples:
            if _runs(example):
                status, out, err = cli(*shlex.split(example)[1:])
                assert status == 0, f"{example}: {err}"
                assert out


@pytest.mark.parametrize(
    "trained",
    [
        "--data moons --epochs 2 --hidden 8",
        "--data moons --epochs 2 --hidden=8 --save moons.h5",
        "--data iris.csv --epochs 2 --hidden --save iris.h5 --record iris.json --quiet",
        "--data sine --epochs 3 --hidden 4 --optimizer sgd",
    ],
)
def test_what_training_suggests_runs(cli: Cli, iris: Path, trained: str) -> None:
    words = [word for word in trained.split() if word != "--quiet"]
    suggested = cli("train", *words).out.partition("what to try next:\n")[2].splitlines()
    assert len(suggested) == 3
    for line in suggested:
        status, _, err = cli(*shlex.split(line)[1:])
        assert status == 0, f"{line}: {err}"


def _runs(example: str) -> bool:
    """MNIST only where its files are; all peers at once take minutes, and one of them is tested in ``test_bench``.

    The step of a failed training is shown again in ``test_replay``; ``play`` serves until it is told to end.
    """
    if "--peers" in example or "replay" in example or "play" in example:
        return False
    return "mnist" not in example or any((MNIST / f"{PARTS[0]}{end}").exists() for end in ("", ".gz"))
