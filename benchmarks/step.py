"""One training step beside its peers, interleaved in one run: python benchmarks/step.py

Each step gathers a batch from shuffled rows and computes loss, gradients and Adam's update. Each framework has a
process of its own, so that the threads of one do not disturb another; blocks of steps take turns, after a warm-up, and
are timed by wall clock from outside the framework. Writes benchmarks/results/step.json if all workloads
were asked for. The peers come with: pip install ".[bench]".
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from contest.limit import bytes_per_s, flops_per_s, limit_s
from contest.turns import EPOCHS, FRAMEWORKS, PEERS, measure
from contest.workloads import EPOCH, EPOCH_GOALS, WORKLOADS, Workload

from nnkit.measure import environment

RESULTS = Path(__file__).parent / "results" / "step.json"
LIMIT = "limit of the machine"
PACKAGES = ("nnkit", "numpy", "scipy", "numba", "torch", "jax", "keras", "scikit-learn")


def row(workload: str, framework: str, seconds: Sequence[float], goal: str | None, met: bool | None) -> dict[str, Any]:
    """One line of the result file: median and interquartile range."""
    low, middle, high = statistics.quantiles(seconds, n=4)
    return {
        "workload": workload,
        "framework": framework,
        "step_median_s": middle,
        "step_spread_s": high - low,
        "runs": len(seconds),
        "goal": goal,
        "met": met,
    }


def rows_of(workload: Workload, rounds: int) -> list[dict[str, Any]]:
    """Every framework on one workload. Ours carries the goal, which is against the fastest of all peers."""
    seconds = measure(workload.name, FRAMEWORKS, rounds)
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    fastest = min(PEERS, key=lambda name: middle[name])
    ratio = middle[fastest] / middle["nnkit"]
    goal = f"{workload.goal:g} times as fast as the fastest peer"
    print(
        f"{workload.name:24} nnkit {middle['nnkit'] * 1e6:,.1f} µs, {ratio:.2f} times as fast as {fastest}", flush=True
    )
    return [
        row(workload.name, name, times, *((goal, ratio >= workload.goal) if name == "nnkit" else (None, None)))
        for name, times in seconds.items()
    ]


def epoch_rows(rounds: int) -> list[dict[str, Any]]:
    """A whole epoch of MNIST; its goals are against two peers, and it is met when both are."""
    seconds = measure(EPOCH, EPOCHS, rounds)
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    ratios = {peer: middle[peer] / middle["nnkit"] for peer in EPOCH_GOALS}
    print(f"{EPOCH:24} nnkit {middle['nnkit']:.2f} s, times as fast: {ratios}", flush=True)
    goal = ", ".join(f"{factor:g} times as fast as {peer}" for peer, factor in EPOCH_GOALS.items())
    met = all(ratios[peer] >= factor for peer, factor in EPOCH_GOALS.items())
    return [
        row(EPOCH, name, times, *((goal, met) if name == "nnkit" else (None, None))) for name, times in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--workload", nargs="*", choices=list(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--no-epoch", dest="epoch", action="store_false", help="without the epoch of MNIST")
    arguments = parser.parse_args()
    flops, bandwidth = flops_per_s(), bytes_per_s()
    rows: list[dict[str, Any]] = []
    for name in arguments.workload:
        heavy = WORKLOADS[name].sizes[1] >= 4096
        rows += rows_of(WORKLOADS[name], 5 if heavy else arguments.rounds)
        limit = limit_s(WORKLOADS[name], flops, bandwidth)
        rows.append({"workload": name, "framework": LIMIT, "step_median_s": limit, "step_spread_s": None, "runs": None})
    if arguments.epoch:
        rows += epoch_rows(7)
    if arguments.epoch and set(arguments.workload) == set(WORKLOADS):
        write(rows, {"flops_per_s": flops, "bytes_per_s": bandwidth})


def write(rows: list[dict[str, Any]], rates: dict[str, float]) -> None:
    """The result file, with machine and versions."""
    machine = environment()
    result = {
        "machine": {"cpu": machine["cpu"], "cores": machine["threads"], "gpu": None} | rates,
        "versions": {"python": platform.python_version(), "blas": machine["blas"]}
        | {package: version(package) for package in PACKAGES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": rows,
        "parity": [],
    }
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
