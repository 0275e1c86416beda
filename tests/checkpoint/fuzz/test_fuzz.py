"""Mutated files: each loads, or is refused with a message; nothing crashes, hangs, or takes memory without bound."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.checkpoint.fuzz import run, worker
from tests.checkpoint.fuzz.bases import bases
from tests.checkpoint.fuzz.run import BAD, CASES, RESULTS, SEED, Answer
from tests.checkpoint.raw import sealed

IN_CI = 300


def _check(found: list[Answer], cases: int) -> None:
    assert [answer["number"] for answer in found] == list(range(cases))
    assert [answer for answer in found if answer["outcome"] in BAD] == []
    counts = Counter(answer["outcome"] for answer in found)
    assert counts.keys() == {"refused", "same values", "other values"}
    # It would be of no use if all files were refused by the first check, or if none of them were other than they were.
    assert counts["refused"] > cases / 2
    assert counts["same values"] > cases / 20
    assert counts["other values"] > cases / 500


def test_the_first_cases() -> None:
    _check(run.run(SEED, IN_CI, 2), IN_CI)


@pytest.mark.slow
def test_all_cases_of_another_seed() -> None:
    _check(run.run(SEED + 1, CASES, 2), CASES)


def test_the_result_that_is_kept() -> None:
    found = json.loads(RESULTS.read_text())
    assert (found["cases"], found["seed"], found["bad"]) == (CASES, SEED, [])
    assert sum(found["outcomes"].values()) == CASES
    assert not set(found["outcomes"]) & set(BAD)
    assert found["slowest"]["work_s"] < found["limits"]["work_s"]
    assert found["largest_growth"]["growth_mb"] < found["limits"]["growth_mb"]
    assert found["versions"].keys() == {"python", "numpy", "nnkit", "h5py", "hdf5"}


def test_a_case_follows_from_its_seed_and_number(tmp_path: Path) -> None:
    found = bases(tmp_path)
    for number in range(40):
        once, again = tmp_path / "once.h5", tmp_path / "again.h5"
        assert worker.make(found, 7, number, once) == worker.make(found, 7, number, again)
        if "bytes" in worker.make(found, 7, number, once)[1]:  # the library writes times
            assert once.read_bytes() == again.read_bytes()


def test_checksums_of_the_library_can_be_made_right(tmp_path: Path) -> None:
    for base in bases(tmp_path):
        assert sealed(base.data, base.sealed) == base.data
        assert (len(base.sealed) > 10) == (base.name != "earliest")  # which has none


@pytest.mark.skipif(sys.platform == "win32", reason="processes end otherwise there")
def test_whatever_becomes_of_a_process_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WORKER", "tests.checkpoint.fuzz.broken")
    monkeypatch.setattr(run, "SILENT_S", 2)
    found = {answer["number"]: answer for answer in run.run(0, 10, 1)}
    assert [found[number]["outcome"] for number in range(10)] == [
        "refused", "crash", "refused", "crash", "refused", "hang", "refused", "slow", "large", "refused",
    ]  # fmt: skip
    assert (found[1]["said"], found[3]["said"]) == ("status 3 while making the file", "SIGSEGV while loading")
    assert found[5]["said"] == "loading"


def test_a_worker_that_cannot_begin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WORKER", "tests.checkpoint.fuzz.absent")
    with pytest.raises(RuntimeError, match="the process for the cases from 0 ended with 1 before it had begun"):
        run.run(0, 1, 1)
