"""The README says what is so: its example runs and prints what it shows, and its figures are those of the files."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def script(name: str) -> ModuleType:
    """A script of benchmarks/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_prints_what_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    readme = script("readme")
    printed = readme.output_of(readme.example(README)).splitlines()
    shown = README.split("<!-- output -->\n```text\n")[1].split("\n```")[0].splitlines()
    percent, shown_percent = (float(next(x for x in lines if "%" in x).split("%")[0]) for lines in (printed, shown))
    assert abs(percent - shown_percent) < 1.0  # another processor rounds otherwise
    summary = next(number for number, line in enumerate(shown) if "%" in line)
    assert printed[:summary] == shown[:summary]
    assert printed[summary + 1] == shown[summary + 1]
    first_words = [[line.split(" ")[0] for line in lines[summary + 1 :]] for lines in (printed, shown)]
    assert first_words[0] == first_words[1]


def test_the_example_has_ten_lines() -> None:
    example = script("readme").example(README)
    assert len([line for line in example.splitlines() if line.strip()]) == 10


def test_the_figures_are_those_of_the_files() -> None:
    assert script("readme").rewritten(README) == README


def test_the_step_is_as_fast_as_the_goals_ask() -> None:
    rows = json.loads((ROOT / "benchmarks" / "results" / "step.json").read_text())["rows"]
    ours = {row["workload"]: row for row in rows if row["framework"] == "nnkit"}
    assert ours.keys() == {"2-8-8-2 b32", "784-128-10 b64", "784-512-512-10 b128"}
    assert all(row["met"] is True and row["goal"] and row["runs"] >= 9 for row in ours.values())
    for row in ours.values():
        peer = next(r for r in rows if r["workload"] == row["workload"] and r["framework"] == "pytorch eager")
        wanted = float(re.match(r"[\d.]+", row["goal"])[0])  # type: ignore[index]
        assert peer["step_median_s"] / row["step_median_s"] >= wanted


def test_the_commands_are_there() -> None:
    assert '\n    pip install ".[all]" && nnkit train\n' in README
    assert '\n    pip install ".[all,test]" && pytest\n' in README
