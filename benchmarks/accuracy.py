"""What the command line's defaults reach on held-out images: python benchmarks/accuracy.py --data-dir DIR

Digits in 30 epochs and MNIST in 5, over seeds 0, 1 and 2, with the learning rate falling along a cosine and constant.
Writes benchmarks/results/accuracy.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nnkit.measure import environment

RESULTS = Path(__file__).parent / "results" / "accuracy.json"
SEEDS = (0, 1, 2)
JOBS = {
    "digits": (
        "--data digits --hidden 64 32 --optimizer adam --learning-rate 0.003 --epochs 30 --batch-size 32",
        0.97,
    ),
    "mnist": ("--data mnist --hidden 128 --epochs 5 --batch-size 64", 0.973),
}


def run(flags: str, seed: int, extra: list[str]) -> dict[str, Any]:
    """The record of one ``nnkit train``."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "run.json"
        command = [sys.executable, "-m", "nnkit", "train", *flags.split(), "--seed", str(seed), *extra]
        subprocess.run([*command, "--quiet", "--record", str(record)], check=True, stdout=subprocess.DEVNULL)
        made: dict[str, Any] = json.loads(record.read_text())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True, help="folder with the MNIST files")
    folder = parser.parse_args().data_dir
    rows = []
    for name, (flags, goal) in JOBS.items():
        for schedule in ("cosine", "constant"):
            extra = ["--schedule", schedule, *(["--data-dir", folder] if name == "mnist" else [])]
            records = [run(flags, seed, extra) for seed in SEEDS]
            accuracies = [record["result"]["test"]["accuracy"] for record in records]
            median = statistics.median(accuracies)
            rows.append(
                {
                    "command": f"nnkit train {flags} --schedule {schedule}",
                    "seeds": SEEDS,
                    "accuracies": accuracies,
                    "median": median,
                    "goal": goal,
                    "met": median >= goal,
                    "train_s": [record["time"]["train_s"] for record in records],
                    "elapsed_s": [record["time"]["elapsed_s"] for record in records],
                }
            )
            print(f"{name:8} {schedule:9} {median:.4f}")
    machine = environment()
    result = {
        "machine": {"cpu": machine["cpu"], "cores": machine["threads"], "gpu": None},
        "versions": {name: machine[name] for name in ("python", "numpy", "nnkit", "blas")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
