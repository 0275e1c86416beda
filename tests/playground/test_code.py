"""Scripts that a page exports: they make its rows and its network, are well formatted, and hold no one's code."""

from __future__ import annotations

import ast
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError
from nnkit.playground.code import python_code
from nnkit.playground.given import Given, subject_for
from nnkit.playground.optimizer import optimizer_for
from nnkit.playground.settings import Settings, usual
from nnkit.playground.source import assigned, number, quoted
from nnkit.playground.strokes import NotEnough, Strokes, strokes
from nnkit.playground.table import Table, read_table

EVIL = "\"'; import os; os.abort() #\\"
RANDOM = np.random.default_rng(4)
POINTS = strokes([[*point, at % 3] for at, point in enumerate(RANDOM.uniform(-6, 6, (40, 2)).tolist())])
FEW = strokes([[1, 2, 0], [-1, 0.1, 1], [3, 3, 1]])


def table(names: list[str], cell: Any = lambda row: row % 3, file: str = 'it\'s a "table".csv') -> Table:
    numbers = RANDOM.normal(0, 100, (30, len(names) - 1)).tolist()
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    rows = (",".join([*map(repr, row), str(cell(at))]) for at, row in enumerate(numbers))
    return read_table("\n".join([header, *rows]).encode(), file)


FLOWERS = table(["width", "height", EVIL, "kind"])
PRICES = table(["size", "rooms", EVIL], lambda row: row * 2.5, EVIL)
CASES: dict[str, tuple[Settings, Table | Strokes | None]] = {
    "circle": (Settings(points=60), None),
    "xor": (Settings(data="xor", points=60, output="tanh", features=("x1x2",), hidden=(), activations=()), None),
    "gauss": (Settings(data="gauss", classes=4, points=60, output="sigmoid", hidden=(8,) * 6,
                       activations=("hard_shrink",) * 5 + ("tanh_shrink",)), None),
    "spiral": (Settings(data="spiral", classes=3, points=60, noise=7, train=70, seed=2**32 - 1), None),
    "moons": (Settings(data="moons", points=60, loss="hinge", noise=33.3, train=33.3, penalty="l2", strength=1), None),
    "plane": (Settings(data="plane", problem="regression", points=60, dropout=0.25, optimizer="adam"), None),
    "multi-gauss": (Settings(data="multi-gauss", problem="regression", points=60, output="sigmoid", optimizer="rmsprop",
                             rate=1.2345678901e-5, features=("x1", "x2", "x1^2", "x2^2", "x1x2", "sin(x1)", "sin(x2)"),
                             momentum=0.123456789, penalty="l1", strength=1), None),
    "drawn": (Settings(data="drawn", batch=7), POINTS),
    "few points": (Settings(data="drawn", train=10), FEW),
    "drawn values": (Settings(data="drawn", problem="regression", output="tanh"), FEW),
    "table": (Settings(data="table", features=("width", EVIL)), FLOWERS),
    "whole table": (Settings(data="table", features=("width", "height", EVIL), output="softsign"), FLOWERS),
    "table of two columns": (Settings(data="table", features=("x1", "sin(x2)"), train=80), PRICES),
    "table of another target": (Settings(data="table", target="height", features=("width", EVIL)),
                                FLOWERS.aimed_at("height")),
    "three rings": (Settings(points=60, optimizer="schedule_free_adamw", loss="squared_hinge", classes=3), None),
}  # fmt: skip


def ran(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of a script after it ran in a folder."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a class that is never predicted after two epochs, and the like
        exec(compile(code, "network.py", "exec"), names)
    return names


def trained(settings: Settings, subject: Any) -> nnkit.Network:
    """The network of the page, built directly."""
    net = nnkit.FeedForward(
        inputs=len(subject.inputs),
        hidden=settings.hidden,
        outputs=subject.goal.outputs,
        activation=list(settings.activations),
        output_activation=subject.goal.activation,
        dropout=settings.dropout,
        **({} if settings.penalty == "none" else {settings.penalty: settings.strength}),
        seed=settings.seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(
            *(subject.x_train, subject.y_train),
            epochs=2,
            batch_size=settings.batch,
            optimizer=optimizer_for(settings),
            loss=subject.goal.loss,
            progress=False,
            compile="off",
        )
    return net


@pytest.mark.parametrize("name", CASES)
def test_a_script_does_what_the_page_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, given = CASES[name]
    subject = subject_for(settings, Given(*([given] if isinstance(given, Strokes) else [None, given])))  # type: ignore[list-item]
    if isinstance(given, Table):
        write(given, tmp_path)
    names = ran(python_code(settings, given, epochs=2), tmp_path, monkeypatch)
    np.testing.assert_array_equal(names["x_train"].astype(np.float32), subject.x_train)
    net = trained(settings, subject)
    x_test, y_test, _ = list(subject.scored_rows(whole=True))[1]
    np.testing.assert_array_equal(names["net"].predict(x_test), net.predict(x_test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert names["scores"].loss == net.test(x_test, y_test).loss
    assert f"test loss {names['scores'].loss:.4f}, " in capsys.readouterr().out
    assert (tmp_path / "net.h5").exists()


def write(given: Table, folder: Path) -> None:
    header = ",".join('"' + name.replace('"', '""') + '"' for name in given.sheet.columns)
    rows = (",".join(map(str, row)) for row in zip(*given.sheet.columns.values(), strict=True))
    (folder / given.name).write_text("\n".join([header, *rows]))


@pytest.mark.parametrize(
    ("output", "loss", "classes"), [("tanh", "auto", 2), ("sigmoid", "auto", 3), ("sigmoid", "huber", 2)]
)
def test_accuracy_is_the_share_of_right_classes(
    output: str, loss: str, classes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data="gauss", classes=classes, points=100, output=output, loss=loss, rate=0.1)
    names = ran(python_code(settings, epochs=5), tmp_path, monkeypatch)
    predictions = names["net"].predict(names["x_test"])
    middle = 0.5 if names["net"].module.output_activation() == "sigmoid" else 0
    said = predictions.argmax(axis=1) if predictions.shape[1] > 1 else predictions[:, 0] > middle
    assert names["accuracy"] == (said == names["y_test"]).mean() > 0.6


def test_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    names = ran(python_code(usual("digits"), epochs=1), tmp_path, monkeypatch)
    data = nnkit.data.load("digits")
    np.testing.assert_array_equal(names["x_test"], data.x_test)
    assert names["net"].input_shape == (64,)
    assert names["net"].output_shape == (10,)
    assert names["accuracy"] > 0.2


def test_mnist_is_asked_for_by_its_name() -> None:
    code = python_code(Settings(tab="digits", data="mnist", output="tanh"))
    assert 'nnkit.data.load("mnist")' in code
    assert "inputs=784," in code
    assert "np.arange(10)" in code


def test_a_script_runs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text(python_code(Settings(data="moons"), epochs=2))
    done = subprocess.run(
        [sys.executable, "network.py"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert "test loss " in done.stdout
    assert (tmp_path / "net.h5").exists()


NAMES = [
    "plain",
    "it's",
    'say "x"',
    "'\"",
    "''\"",
    '""\'',
    "\\",
    "\n\t\0",
    "größe",
    "\u202e",
    "\ud800",
    EVIL,
    "{x}",
    "%s",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_a_name(name: str) -> None:
    assert ast.literal_eval(quoted(name)) == name


def test_scripts_are_as_the_formatter_leaves_them(tmp_path: Path) -> None:
    long = [table([*(f"column {letter * size}" for letter in "abc"), "y"]) for size in (1, 18, 19, 20, 21, 22, 72)]
    scripts = [python_code(*case) for case in CASES.values()]
    scripts += [python_code(Settings(data="table", features=made.columns[:2]), made) for made in long]
    scripts += [python_code(Settings(data="drawn"), strokes(list(POINTS.points[:size]))) for size in range(3, 9)]
    scripts += [python_code(Settings(hidden=(32,) * n, activations=("tanh", *["relu"] * (n - 1)))) for n in range(1, 7)]
    scripts += [python_code(Settings(tab="digits", data="mnist", hidden=(1024,) * 6, device="cuda"))]
    scripts += ["".join(f"{assigned('NAME', quoted(c * n))}\n" for c in "x'\"\\" for n in range(1, 100)) + "N = 1\n"]
    scripts += ["".join(f"{assigned('NAME', quoted(name))}\n" for name in NAMES)]
    scripts += ["".join(f"x = {number(value)}\n" for value in (1.0, 0.1, 1e-7, 1e22, -3.0, 1.5e300))]
    for at, script in enumerate(scripts):
        (tmp_path / f"script{at}.py").write_text(script)
    for command in (["format", "--diff"], ["check", "--select", "E4,E7,E9,F,I,B,UP"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout[:3000] + done.stderr[:3000]


def test_what_there_is_no_script_for() -> None:
    with pytest.raises(ValueError, match=r"there is no table for the script yet: drop a CSV file on the page"):
        python_code(Settings(data="table"), POINTS)
    with pytest.raises(ValueError, match=r"there are no points for the script yet: draw some on the page"):
        python_code(Settings(data="drawn"), None)
    with pytest.raises(NotEnough, match=r"one drawn point: draw at least 2"):
        python_code(Settings(data="drawn"), strokes([[0, 0, 0]]))
    with pytest.raises(ArgumentError, match=r"needs class probabilities"):
        python_code(Settings(output="tanh", loss="cross_entropy"))
