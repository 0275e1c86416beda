"""``nnkit compare``: two records as text and as JSON, and files that are no records."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli


def trained(cli: Cli, name: str, *words: object) -> None:
    assert (
        cli("train", "--data", "moons", "--epochs", 12, "--hidden", 4, "--quiet", "--record", name, *words).status == 0
    )


def test_text(cli: Cli) -> None:
    trained(cli, "a.json")
    trained(cli, "b.json", "--seed", 1)
    status, out, err = cli("compare", "a.json", "b.json")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("row time ")
    assert "99 %:" in out
    assert "on the test rows" in out
    assert "energy" in out


def test_many(cli: Cli) -> None:
    for seed, name in enumerate(("a.json", "b.json", "c.json")):
        trained(cli, name, "--seed", seed)
    status, out, err = cli("compare", "a.json", "b.json", "c.json")
    assert (status, err) == (0, "")
    assert out.count("row time ") == 2
    assert out.index("b.json beside a.json") < out.index("\n\nc.json beside a.json")
    found = json.loads(cli("compare", "a.json", "b.json", "c.json", "--format", "json").out)
    assert list(found) == ["b.json", "c.json"]
    assert found["c.json"] == json.loads(cli("compare", "a.json", "c.json", "--format", "json").out)


def test_json(cli: Cli) -> None:
    trained(cli, "a.json")
    figures = json.loads(cli("compare", "a.json", "a.json", "--format", "json").out)
    assert figures[0]["ratio"] == 1.0
    assert figures[0]["real"] is False
    assert figures[1]["verdict"] == "no difference shown on the test rows"


def test_a_file_that_is_missing_or_no_record(cli: Cli, tmp_path: Path) -> None:
    trained(cli, "a.json")
    status, out, err = cli("compare", "a.json", "missing.json")
    assert (status, out) == (1, "")
    assert "missing.json" in err
    Path("other.json").write_text("[1, 2]")
    status, _, err = cli("compare", "other.json", "a.json")
    assert status == 1
    assert "other.json" in err


def test_runs_that_are_not_alike(cli: Cli) -> None:
    trained(cli, "a.json")
    assert cli("train", "--data", "sine", "--epochs", 0, "--quiet", "--record", "b.json").status == 0
    status, _, err = cli("compare", "a.json", "b.json", "--format", "json")
    assert status == 0
    assert err.splitlines() == [
        "warning: a.json and b.json: the data are not the same (moons, sine): accuracies and losses are of different "
        "rows",
        "warning: a.json and b.json: the losses are not the same (cross_entropy, mean_squared_error): their values say "
        "nothing about each other",
    ]


def test_two_tests_have_their_losses(cli: Cli) -> None:
    assert cli("train", "--data", "moons", "--epochs", 1, "--quiet", "--save", "net.h5").status == 0
    assert cli("test", "net.h5", "--data", "moons", "--record", "test.json").status == 0
    lines = cli("compare", "test.json", "test.json").out.splitlines()
    assert "train loss  not recorded in both" in lines
    assert any(line.startswith("test loss   0.") for line in lines)
