"""How the time of a training step grows with batch, width and depth, in every framework: python benchmarks/sweep.py

Writes results/sweep.json. torch.compile is left out: it compiles anew for each of the networks, and a table of steps
beside it is in step.json.
"""

from __future__ import annotations

import argparse
from typing import Any

from contest.compete import main, train
from contest.workloads import Workload

from nnkit.bench import FRAMEWORKS, Rates

SWEEPS = {
    "batch": {batch: Workload((784, 128, 10), batch) for batch in (1, 8, 32, 128, 512, 2048)},
    "width": {width: Workload((784, width, 10), 64) for width in (8, 32, 128, 512, 2048)},
    "depth": {depth: Workload((64, *[96] * depth, 4), 64) for depth in (1, 2, 4, 8, 16, 32)},
}


def measure(flags: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    frameworks = [name for name in FRAMEWORKS if name != "torch.compile"]
    rows = []
    for axis, points in SWEEPS.items():
        for value, workload in list(points.items())[: 2 if flags.quick else None]:
            made = train(workload, flags.rounds, rates, frameworks)
            rows += [row | {"axis": axis, "value": value} for row in made]
    return {"rows": rows}


if __name__ == "__main__":
    main("sweep", __doc__, measure)
