"""One training step beside its peers, interleaved in one run: python benchmarks/step.py

Each step gathers a batch from shuffled rows and computes loss, gradients and Adam's update. Each framework has a
process of its own, so that the threads of one do not disturb another; blocks of steps take turns, after a warm-up, and
are timed by wall clock from outside the framework. Writes results/step.json. The peers come with:
pip install ".[bench]".
"""

from __future__ import annotations

import argparse
from typing import Any

from contest.compete import main, train
from contest.workloads import WORKLOADS

from nnkit.bench import Rates


def measure(flags: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    chosen = [WORKLOADS["tiny"]] if flags.quick else list(WORKLOADS.values())
    return {"rows": [row for workload in chosen for row in train(workload, flags.rounds, rates)]}


if __name__ == "__main__":
    main("step", __doc__, measure)
