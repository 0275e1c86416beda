"""Whole jobs by wall clock: an MNIST epoch, 98 % of the test images, predictions: python benchmarks/jobs.py

* One epoch of 784-128-10 in batches of 64 with Adam, shuffling and metrics included, in a process that has warmed up.
* From the start of a process until 784-512-10, in batches of 128, knows 98 % of the test images: importing, reading the
  images, compiling (nnkit with an empty cache), training, and a test after each epoch. Several seeds; a framework that
  has not got there after 20 epochs is reported so.
* Predictions of 784-128-10, from a NumPy array to a NumPy array: one row, and 10,000.

Writes results/jobs.json. The images come from NNKIT_DATA_DIR or the user's cache.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contest.compete import Row, compete, judged, main
from contest.learning import BATCH, HIDDEN, LEARNERS, MOST_EPOCHS, WANTED
from contest.workloads import EPOCH, EPOCH_GOALS, ONE_ROW_GOAL, WORKLOADS

from nnkit.bench import FRAMEWORKS, MANY, Contestant, Rates, missing_row, row

FOLDER = Path(__file__).parent
SEEDS = (0, 1, 2)
REACHED = f"{WANTED:.0%} of MNIST, 784-{HIDDEN}-10 b{BATCH}"


def epochs(rounds: int) -> list[Row]:
    """A whole epoch; its goals are against two peers, and it is met when both are and all ran."""
    contestants = {
        name: Contestant("contest.learning", "epoch", {"module": module, "mode": mode}, FOLDER)
        for name, (module, mode) in LEARNERS.items()
    }
    rows = judged(compete(EPOCH, contestants, rounds), None)
    middle = {each["framework"]: each["step_median_s"] for each in rows}
    goal = ", ".join(f"{factor:g} times as fast as {peer}" for peer, factor in EPOCH_GOALS.items())
    met = None not in middle.values() and all(
        middle[peer] >= factor * middle["nnkit"] for peer, factor in EPOCH_GOALS.items()
    )
    rows[0] |= {"goal": goal, "met": met}
    return rows


def reached(seeds: tuple[int, ...]) -> list[Row]:
    """Seconds until the accuracy is there; the seeds take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in LEARNERS}
    accuracies: dict[str, list[list[float]]] = {name: [] for name in LEARNERS}
    for seed in seeds:
        for name, (module, mode) in LEARNERS.items():
            taken, found = _reach(module, mode, seed)
            print(f"{REACHED}: {name}, seed {seed}: {taken:.1f} s, {found}", flush=True)
            seconds[name].append(taken)
            accuracies[name].append(found)
    return [_reached_row(name, seconds[name], accuracies[name]) for name in LEARNERS]


def _reach(module: str, mode: str, seed: int) -> tuple[float, list[float]]:
    command = [sys.executable, "-m", "contest.learning", module, mode, str(seed)]
    with tempfile.TemporaryDirectory() as empty:
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=FOLDER, stdout=subprocess.PIPE, text=True, env={**os.environ, "NNKIT_CACHE_DIR": empty}
        )
        taken = time.perf_counter() - began
    return taken, json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else []


def _reached_row(name: str, seconds: list[float], accuracies: list[list[float]]) -> Row:
    """A framework has a figure only if every seed got there."""
    more = {"accuracies": accuracies}
    if not all(accuracies):
        return missing_row(REACHED, name, "its process failed; its message stands above", **more)
    if any(max(found) < WANTED for found in accuracies):
        return missing_row(REACHED, name, f"not reached in {MOST_EPOCHS} epochs", **more)
    return row(REACHED, name, seconds, **more)


def predictions(rounds: int) -> list[Row]:
    """One row, with its goal against all peers, and many."""
    job = WORKLOADS["small"].job()
    rows: list[Row] = []
    for count, goal in ((1, ONE_ROW_GOAL), (MANY, None)):
        contestants = {
            name: framework.predict(job=job, rows=count) for name, framework in FRAMEWORKS.items() if framework.predicts
        }
        workload = f"prediction of {count:,} {'row' if count == 1 else 'rows'}, 784-128-10"
        rows += judged(compete(workload, contestants, rounds), goal)
    return rows


def measure(flags: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    few = min(flags.rounds, 7)
    return {"rows": [*epochs(few), *predictions(flags.rounds), *reached(SEEDS[:1] if flags.quick else SEEDS)]}


if __name__ == "__main__":
    main("jobs", __doc__, measure)
