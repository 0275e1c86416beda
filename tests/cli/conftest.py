"""The command line called in this process, in an empty folder, and a small table of flowers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from nnkit.cli import main

SPECIES = ("setosa", "versicolor", "virginica")
COLUMNS = "sepal,petal,species"


class Outcome(NamedTuple):
    """What a command left: its status, and what it wrote to standard output and standard error."""

    status: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _plain_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "NNKIT_TRACEBACK", "NNKIT_DATA_DIR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Calls ``main``; relative paths are in the test's own folder."""

    def call(*words: object) -> Outcome:
        capsys.readouterr()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return call


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a command that runs in a process of its own: this checkout, and nothing that alters output."""
    dropped = ("NO_COLOR", "NNKIT_TRACEBACK", "TERM", "COLUMNS", "PYTHONWARNINGS", "PYTHONUNBUFFERED")
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), str(root / "backends")])
    return {name: value for name, value in os.environ.items() if name not in dropped} | {"PYTHONPATH": path}


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    """A CSV file with three species that two columns of very different size tell apart; 40 rows of each."""
    return write_flowers(tmp_path / "iris.csv")


def write_flowers(path: Path, species: tuple[str, ...] = SPECIES, header: str = COLUMNS) -> Path:
    """Rows of flowers with the columns in the order of the header, those that are unknown filled with zeros."""
    random = np.random.default_rng(3)
    lines = [header]
    for name in species:
        kind = SPECIES.index(name) if name in SPECIES else 1
        for sepal, petal in random.normal((kind, 1000 * kind), (0.2, 200), (40, 2)).tolist():
            cells = {"sepal": f"{sepal:.4f}", "petal": f"{petal:.2f}", "species": name}
            lines.append(",".join(cells.get(column, "0") for column in header.split(",")))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
