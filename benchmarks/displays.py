"""What showing and logging a training costs, by the clock: python benchmarks/displays.py

Whole trainings in pairs that take turns: one with nothing, one with the display of a terminal and logs in CSV, JSON and
TensorBoard's format, a line for each epoch. Writes benchmarks/results/displays.json.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit.bench import described_machine
from nnkit.callbacks import CSVLog, JSONLog, TensorBoardLog

RESULTS = Path(__file__).parent / "results" / "displays.json"
PAIRS, MOST = 21, 1.02
# name: inputs, hidden, rows, epochs, batch size, compile
JOBS: dict[str, tuple[int, list[int], int, int, int, str]] = {
    "784-128-10 b64, compiled": (784, [128], 20_000, 8, 64, "first"),
    "64-64-64-10 b32": (64, [64, 64], 20_000, 4, 32, "off"),
}


class Terminal(io.StringIO):
    """Standard error that takes itself for a terminal, so that the display is drawn."""

    def isatty(self) -> bool:
        return True


def elapsed_s(job: str, folder: str, shown: bool) -> float:
    """Wall time of a whole ``fit``."""
    inputs, hidden, rows, epochs, batch_size, mode = JOBS[job]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, inputs)).astype("float32"), rng.integers(0, 10, rows)
    net = nnkit.FeedForward(inputs, 10, hidden, output_activation="softmax", seed=0)
    logs = [CSVLog(f"{folder}/a.csv"), JSONLog(f"{folder}/a.jsonl"), TensorBoardLog(f"{folder}/board")]
    before, sys.stderr = sys.stderr, Terminal()
    try:
        options: dict[str, Any] = {"progress": shown, "callbacks": logs if shown else ()}
        return net.fit(x, y, epochs=epochs, batch_size=batch_size, compile=mode, **options).elapsed_s
    finally:
        sys.stderr = before


def row(job: str) -> dict[str, Any]:
    """Medians and spreads of the pairs."""
    pairs = []
    for number in range(PAIRS + 1):  # the first warms up
        with tempfile.TemporaryDirectory() as folder:
            order = (number % 2 == 0, number % 2 == 1)
            pairs.append({shown: elapsed_s(job, folder, shown) for shown in order})
    ratios = [pair[True] / pair[False] for pair in pairs[1:]]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "workload": job,
        "plain_median_s": statistics.median(pair[False] for pair in pairs[1:]),
        "shown_median_s": statistics.median(pair[True] for pair in pairs[1:]),
        "ratio_median": middle,
        "ratio_spread": high - low,
        "runs": PAIRS,
        "goal": f"at most {MOST} times the time of a training that nobody looks at",
        "met": middle <= MOST,
    }


def main() -> None:
    rows = []
    for job in JOBS:
        rows.append(row(job))
        print(f"{job:26} {rows[-1]['ratio_median']:.4f} ± {rows[-1]['ratio_spread']:.4f}", flush=True)
    result = described_machine(None) | {"rows": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
