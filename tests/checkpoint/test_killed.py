"""A real process is killed at random moments of its training, again and again, and goes on to the same bits."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nnkit
from tests.checkpoint.going_on import X, Y, alike
from tests.checkpoint.killed import METHODS, Begun, train

ROOT = Path(__file__).parents[2]


def killed_after(path: Path, case: str, epochs: int, seconds: float) -> bool:
    """Start or go on with the training and kill it so long after it has begun; False if it came to its end."""
    command = [sys.executable, "-m", "tests.checkpoint.killed", str(path), case, str(epochs)]
    paths = os.pathsep.join(str(ROOT / part) for part in (".", "backends"))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    assert process.returncode == (-9 if "done" not in rest else process.returncode)
    return "done" not in rest


def check(tmp_path: Path, case: str, kills: int, epochs: int) -> int:
    """How often it was killed before it came to its end."""
    path, chance, count = tmp_path / "run.h5", random.Random(case), 0
    for _ in range(kills):
        if not killed_after(path, case, epochs, chance.uniform(0.0, 0.4)):
            break
        count += 1
        assert nnkit.load(path).predict(X).shape == (90, 3)
    run = nnkit.resume(path, X, Y, callbacks=[Begun()], progress=False)
    assert alike(run, train(tmp_path / "whole.h5", case, epochs, [Begun()]))
    return count


def test_killed_and_gone_on_with(tmp_path: Path) -> None:
    assert check(tmp_path, "adam", 2, 12)


@pytest.mark.slow
@pytest.mark.parametrize("case", METHODS, ids=str)
def test_killed_many_times_with_every_optimizer(tmp_path: Path, case: str) -> None:
    assert check(tmp_path, case, 8, 40)
