"""Ctrl-C: status 130, one message, and everything that was asked for is written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import nnkit
from nnkit.measure import check_layout
from tests.cli.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")


WORDS = ("--data", "spiral", "--epochs", "1000000", "--save", "net.h5", "--record", "run.json")


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_in_training(environment: dict[str, str], quiet: list[str]) -> None:
    process = _training(environment, quiet)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("interrupted after ")
    assert "accuracy" in out
    _check_files()


def test_in_training_when_the_reader_of_the_pipe_is_interrupted_as_well(environment: dict[str, str]) -> None:
    process = _training(environment, [])
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Exception" not in err
    _check_files()


def _training(environment: dict[str, str], more: list[str]) -> subprocess.Popen[str]:
    """A training that goes on for ever, in its second epoch or later."""
    process = subprocess.Popen(
        [sys.executable, "-c", WHEN_TRAINING, "train", *WORDS, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert any(line == "training has begun\n" for line in process.stdout), "it ended before it began"
    return process


def _check_files() -> None:
    record = json.loads(Path("run.json").read_text(encoding="utf-8"))
    assert check_layout(record) == []
    assert record["interrupted"] is True
    assert record["result"]["test"]["accuracy"] > 0
    assert nnkit.load("net.h5").output_shape == (3,)


# Says on standard output when the first epoch is over: the moment to interrupt, on however slow a machine.
WHEN_TRAINING = """
import sys
from nnkit.cli import main
from nnkit.training.loop import Loop

one_epoch = Loop._one_epoch

def told(loop, interruption):
    first = loop.epoch == 0
    one_epoch(loop, interruption)
    if first:
        print("training has begun", flush=True)

Loop._one_epoch = told
sys.exit(main())
"""


def test_before_training_the_record_is_kept_and_no_network(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupt_in(monkeypatch, "nnkit.training.fit.prepared")
    status, out, err = cli("train", "--data", "moons", "--save", "net.h5", "--record", "run.json")
    assert status == 130
    assert "raised" not in out + err
    assert err.endswith("interrupted after 0 whole epochs\n")
    assert json.loads(Path("run.json").read_text(encoding="utf-8"))["interrupted"] is True
    assert not Path("net.h5").exists()


def test_after_training_the_files_are_still_written(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupt_in(monkeypatch, "nnkit.training.fit.record_of")
    words = ("--data", "moons", "--epochs", 1, "--save", "net.h5", "--record", "run.json")
    status, out, err = cli("train", *words)
    assert status == 130
    assert Path("net.h5").exists()
    assert Path("run.json").exists()
    assert "test accuracy" in out
    assert err.endswith("interrupted after 1 whole epoch\n")


def _interrupt_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Ctrl-C at the moment when that function is called."""
    module, _, function = name.rpartition(".")
    original = getattr(sys.modules[module], function)

    def interrupted(*words: object, **named: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return original(*words, **named)

    monkeypatch.setattr(name, interrupted)
