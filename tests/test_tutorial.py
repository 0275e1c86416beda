"""The tutorial runs from top to bottom, shows what the committed file shows, and what its text says is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import nnkit
from nnkit.plan import DECISIONS
from tests import mnist_files

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
NEEDED = ("nbclient", "ipykernel", "sklearn", "llvmlite")
Cell = dict[str, Any]


def cells(path: Path) -> dict[str, Cell]:
    """The cells by their names."""
    return {cell["id"]: cell for cell in json.loads(path.read_text())["cells"]}


def tagged(tag: str) -> set[str]:
    return {name for name, cell in COMMITTED.items() if tag in cell["metadata"].get("tags", [])}


def source(name: str) -> str:
    return "".join(COMMITTED[name]["source"])


def text(cell: Cell) -> str:
    """What a cell shows: HTML where there is some, else text."""
    parts = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        shown = data.get("text/html") or data.get("text/plain") or output.get("text") or output.get("evalue", "")
        parts.append("".join(shown))
    return "\n".join(parts)


def kinds(cell: Cell) -> list[tuple[str, str, list[str]]]:
    return [(out["output_type"], out.get("name", ""), sorted(out.get("data", {}))) for out in cell["outputs"]]


def words(cell: Cell) -> str:
    """What a cell shows, without its numbers: these are rounded otherwise elsewhere."""
    return re.sub(r"[\s#]+", " ", re.sub(r"-?\d[\d.,]*(e[+-]\d+)?", "#", text(cell)))


def numbers(found: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\.?\d*", found)]


COMMITTED = cells(TUTORIAL)
CODE = {name: cell for name, cell in COMMITTED.items() if cell["cell_type"] == "code"}
MNIST = tagged("mnist")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cell]:
    """The cells with what they show now; without the files of MNIST those that need them are left out."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        pytest.skip(f"the tutorial needs {', '.join(missing)}")
    path = tmp_path_factory.mktemp("tutorial") / "executed.ipynb"
    command = [sys.executable, str(ROOT / "docs" / "execute.py"), str(path)]
    environment = {**os.environ, "NNKIT_DATA_DIR": str(mnist_files.FOLDER)}
    done = subprocess.run(
        command if mnist_files.FOUND else [*command, "--without", "mnist"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return cells(path)


@pytest.fixture
def shown(fresh: dict[str, Cell]) -> Any:
    """Gives what a cell shows now."""

    def of(name: str) -> str:
        if name not in fresh:
            pytest.skip("no MNIST files: name their folder in NNKIT_DATA_DIR")
        return text(fresh[name])

    return of


# -- the file


def test_the_committed_file_ran_from_top_to_bottom() -> None:
    assert [cell["execution_count"] for cell in CODE.values()] == list(range(1, len(CODE) + 1))
    assert {tag for cell in COMMITTED.values() for tag in cell["metadata"].get("tags", [])} == {
        "mnist",
        "machine",
        "raises-exception",
    }


def test_the_committed_file_is_small_and_names_no_place_of_a_machine() -> None:
    content = TUTORIAL.read_text()
    assert len(content.encode()) < 600_000
    assert "image/png" not in content
    assert not re.search(r"/(work|tmp|root|home|usr|opt|var|Users)\b", content)


def test_names_and_links_in_the_text_lead_somewhere() -> None:
    for name, cell in COMMITTED.items():
        for dotted in re.findall(r"\bnnkit((?:\.\w+)+)(?=[`(])", source(name)):
            thing: Any = __import__("nnkit.sklearn").sklearn if dotted.startswith(".sklearn") else nnkit
            for part in dotted.strip(".").split("."):
                thing = thing if part == "sklearn" else getattr(thing, part)
        if cell["cell_type"] == "markdown":
            for link in re.findall(r"\]\(([^)]+)\)", source(name)):
                assert (TUTORIAL.parent / link).exists(), link
            for folder in re.findall(r"`(nnkit/[\w/]+)`", source(name)):
                assert (ROOT / folder).is_dir(), folder


def test_it_is_found_and_can_be_run_again() -> None:
    assert "(docs/tutorial.ipynb)" in (ROOT / "README.md").read_text()
    assert "python docs/execute.py" in (ROOT / "CONTRIBUTING.md").read_text()


# -- a fresh execution beside the committed one


def test_only_what_is_meant_to_fail_fails(fresh: dict[str, Cell]) -> None:
    for found in (CODE, {name: fresh[name] for name in CODE if name in fresh}):
        failed = {name for name, cell in found.items() if any(kind == "error" for kind, _, _ in kinds(cell))}
        assert failed == tagged("raises-exception")


def test_every_cell_shows_things_of_the_same_kinds(fresh: dict[str, Cell]) -> None:
    assert [name for name in COMMITTED if name not in MNIST or mnist_files.FOUND] == list(fresh)
    assert {name: kinds(fresh[name]) for name in CODE if name in fresh} == {
        name: kinds(cell) for name, cell in CODE.items() if name in fresh
    }


@pytest.mark.parametrize("name", [name for name in CODE if name not in tagged("machine")])
def test_the_words_are_those_that_are_committed(name: str, fresh: dict[str, Cell]) -> None:
    if name not in fresh:
        pytest.skip("no MNIST files: name their folder in NNKIT_DATA_DIR")
    assert words(fresh[name]) == words(CODE[name]), "run python docs/execute.py and read what changed"


# -- what the text says


def test_xor(shown: Any) -> None:
    assert numbers(shown("xor-line").removesuffix("dtype=float32)")) == [0.5] * 4
    assert "17 trained values" in shown("xor-net")
    assert shown("xor-fit").count("<svg") >= 2  # loss and accuracy
    answers = [float(line.split()[-1]) for line in shown("xor-table").split("\n") if line]
    assert [round(answer) for answer in answers] == [0, 1, 1, 0]
    assert max(abs(answer - round(answer)) for answer in answers) < 0.02
    assert {"█", "▓", "▒", "░", " "} <= set(shown("xor-map"))
    assert shown("xor-formula") == "True"


def test_honest_numbers(shown: Any) -> None:
    moving, exact, again, unseen = (numbers(line)[0] for line in shown("digits-fit").splitlines())
    assert moving < exact == again > unseen > 0.85
    assert "test_accuracy" in shown("digits-repeat")


def test_stopping_in_time_is_better(shown: Any) -> None:
    assert "over-fitting: since epoch" in shown("stop-never")
    reason, late, early = shown("stop-early").splitlines()
    assert reason.startswith("early stopping: val_loss has not improved for 10 epochs; the weights of epoch ")
    assert numbers(early)[0] > numbers(late)[0]


def test_mnist(shown: Any) -> None:
    scores = shown("mnist-test")
    accuracy = re.search(r"accuracy ([\d.]+)", scores)
    assert accuracy is not None
    assert float(accuracy.group(1)) > 0.96
    assert scores.count("<tr>") == 11
    assert "to compile, then" in shown("mnist-check")
    assert "<progress" in shown("mnist-fit")
    assert "val_top_3_accuracy" in shown("mnist-fit")
    assert shown("mnist-save") == "True"
    net = nnkit.FeedForward(inputs=784, hidden=[128], outputs=10)
    assert sum(value.size for value in net.parameters().values()) == pytest.approx(100_000, rel=0.02)


def test_what_goes_wrong_is_explained(shown: Any) -> None:
    assert "became NaN or infinite in epoch" in shown("wrong-diverge")
    assert "the network keeps its last good step" in shown("wrong-diverge")
    assert "nnkit replay" in shown("wrong-diverge")
    assert "unscaled targets" in shown("wrong-doctor")
    assert "learning rate too high" in shown("wrong-doctor")
    r2, findings = shown("wrong-remedy").splitlines()
    assert numbers(r2)[-1] > 0.999
    assert findings.endswith(": []")


def test_derivatives(shown: Any) -> None:
    assert shown("graph-grad").count("tanh") == 1
    for line in shown("graph-second").splitlines():
        left, right = numbers(line)
        assert left == pytest.approx(right, rel=1e-12)
    assert [line.split()[-1] for line in shown("graph-hand").splitlines()] == ["True"] * 4
    alone, both = (numbers(line)[0] for line in shown("graph-sizes").splitlines())
    assert alone < both


def test_every_kernel_and_decision_that_the_text_reads_is_in_the_plan(shown: Any) -> None:
    plan = shown("plan-explain")
    read = re.findall(r"^\| `([^`]+)` \|", source("plan-reading"), re.MULTILINE)
    assert len(read) == 12
    kernels = [line[35:79].strip() for line in plan.splitlines() if re.match(r" +\d+ ", line)]
    assert [kernel for kernel in read if not any(found.startswith(kernel) for found in kernels)] == []
    assert set(re.findall(r"`(\w+)`", source("plan-decisions"))) <= set(DECISIONS)
    chosen, naive = plan.splitlines()[:2]
    assert numbers(chosen)[0] < numbers(naive)[0]


def test_compiled_and_under_a_limit(shown: Any) -> None:
    plain, native = shown("plan-compile").splitlines()
    assert numbers(native)[-1] < numbers(plain)[-1]
    losses = [numbers(line)[0] for line in shown("plan-compile-fit").splitlines()]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    free, tight = shown("plan-memory").strip().split("\n\n")
    assert "everything is kept" in free
    assert re.search(r"\d+ values are computed again, for \d+% more FLOP", tight)
    memory = [float(re.search(r"([\d.]+) kB of memory", part)[1]) for part in (free, tight)]  # type: ignore[index]
    assert memory[1] < memory[0]
    assert shown("plan-memory-fit") == "True"
    assert shown("plan-own") == ""
    assert "is wrong: differentiation gives" in shown("plan-forged")
