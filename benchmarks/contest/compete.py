"""All frameworks on one workload, as rows of a result; ours carries the goal."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contest.workloads import Goal, Workload
from nnkit.backend import select
from nnkit.bench import FRAMEWORKS, LIMIT, Contestant, Rates, described_machine, limit_row, missing_row, row, take_turns
from nnkit.training.planning import training_plan
from nnkit_numpy.jit.cache import DIRECTORY

RESULTS = Path(__file__).parent.parent / "results"
HEAVY_S, HEAVY_ROUNDS = 0.1, 5
"""Steps that are predicted to take so long are measured in fewer rounds."""
OURS = {"nnkit": True, "nnkit, not compiled": False}
"""Our forms, and whether they are compiled."""
Row = dict[str, Any]


def train(workload: Workload, rounds: int, rates: Rates, frameworks: Iterable[str] = FRAMEWORKS) -> list[Row]:
    """A training step in all frameworks, and the limit of the machine."""
    network, job = workload.network(), workload.job()
    limit = limit_row(job.name, rates.limit_s(network, job))
    heavy = limit["step_median_s"] > HEAVY_S
    contestants = {name: FRAMEWORKS[name].step(job=job) for name in frameworks}
    rows = compete(job.name, contestants, min(rounds, HEAVY_ROUNDS) if heavy else rounds)
    for form in rows:
        if form["framework"] in OURS:
            plan = training_plan(network._model, job.batch, job.optimizer, job.loss, native=OURS[form["framework"]])
            form["predicted_step_s"] = plan.cost.seconds
    return judged([*rows, limit], workload.goal)


def compete(workload: str, contestants: Mapping[str, Contestant], rounds: int) -> list[Row]:
    """The rows of all contestants, in their order."""
    seconds, reasons = take_turns(contestants, rounds)
    for name, reason in reasons.items():
        print(f"{workload}: {name} did not run: {reason}", flush=True)
    return [
        row(workload, name, seconds[name]) if name in seconds else missing_row(workload, name, reasons[name])
        for name in contestants
    ]


def judged(rows: list[Row], goal: Goal | None) -> list[Row]:
    """The rows, the goal in ours; it is met only when all ran."""
    middle = {row["framework"]: row["step_median_s"] for row in rows}
    missing = [name for name, seconds in middle.items() if seconds is None]
    if goal is not None:
        ours = rows[list(middle).index("nnkit")]
        ours |= {"goal": goal.text(), "met": not missing and goal.met(middle)}
    shown = ", ".join(f"{name} {seconds * 1e6:,.1f}" for name, seconds in middle.items() if seconds is not None)
    print(f"{rows[0]['workload']}, µs: {shown}", flush=True)
    return rows


def main(name: str, doc: str | None, measure: Callable[[argparse.Namespace, Rates], Mapping[str, Any]]) -> None:
    """Parse the flags, measure the rates of the machine, then what the script measures, and write the result file."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--rounds", type=int, default=11, help="timed blocks of each framework")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where the file is written")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")
    parser.add_argument("--seed", type=int, help="of shapes drawn at random; drawn itself if not given")
    flags = parser.parse_args()
    flags.rounds = 2 if flags.quick else flags.rounds
    if flags.quick and flags.results == RESULTS:
        parser.error("--quick measures nothing worth keeping; give another folder with --results")
    with calibrated() as profile:
        rates = Rates.measured()
        result = described_machine(rates) | dict(measure(flags, rates)) | {"parity": []}
    result["machine"]["profile"] = profile
    flags.results.mkdir(parents=True, exist_ok=True)
    (flags.results / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def calibrated() -> Iterator[str]:
    """Measures the rates of the machine for this run and its processes, in a cache of their own; gives their name."""
    before = os.environ.get(DIRECTORY)
    with TemporaryDirectory() as folder:
        os.environ[DIRECTORY] = folder
        try:
            yield select("cpu").calibrate()["native"].profile
        finally:
            os.environ.pop(DIRECTORY) if before is None else os.environ.update({DIRECTORY: before})


def fastest_peer(rows: Iterable[Row]) -> float:
    """Seconds of the fastest peer; infinite if none ran."""
    peers = [row for row in rows if row["framework"] != LIMIT and not row["framework"].startswith("nnkit")]
    known = (float(row["step_median_s"]) for row in peers if row["step_median_s"] is not None)
    return min(known, default=math.inf)
