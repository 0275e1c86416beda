"""Where the time of a compiled step goes, by kinds of kernels: python benchmarks/breakdown.py

The stopwatch runs inside whole steps of nnkit alone; what a thread waits for the others counts with the kernel before
which it waits. Beside the products stands what they would take at the peak rate. Writes results/breakdown.json.
"""

from __future__ import annotations

import argparse
from typing import Any

from contest.compete import Row, main
from contest.workloads import WORKLOADS, Workload

from nnkit.bench import Rates, row
from nnkit.bench.stopwatch import measured
from nnkit.plan import Step
from nnkit.training.planning import training_plan

RUNS = 5
HEAVY_RUNS = 1
"""Of the large network: each run is of dozens of steps, and takes half a minute."""


def kind(step: Step) -> str:
    """What a kernel counts as."""
    if step.kernel == "matmul":
        return "matrix products"
    if step.kernel == "fused":
        return "update" if step.phase == "update" else "elementwise passes"
    return "sums, gathering and the rest"


def breakdown(workload: Workload, rates: Rates, runs: int) -> Row:
    """The run of median time among several."""
    network, job = workload.network(), workload.job()
    plan = training_plan(network._model, job.batch, job.optimizer, job.loss, native=True)
    found = sorted((measured(network, plan, job.batch, job.optimizer, job.loss) for _ in range(runs)), key=_whole)
    taken = found[len(found) // 2]
    parts: dict[str, float] = {}
    for step, seconds in zip(plan.steps, taken.steps, strict=True):
        name = kind(step)
        parts[name] = parts.get(name, 0.0) + seconds
    made = row(job.name, "nnkit", [run.whole for run in found])
    print(f"{job.name}: {made['step_median_s'] * 1e6:,.1f} µs", flush=True)
    return made | {
        "limit_s": rates.limit_s(network, job),
        "products_at_peak_s": rates.products_s(plan),
        "parts_s": parts,
    }


def _whole(run: Any) -> float:
    return float(run.whole)


def measure(flags: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    chosen = ["tiny"] if flags.quick else list(WORKLOADS)
    return {"rows": [breakdown(WORKLOADS[name], rates, HEAVY_RUNS if name == "large" else RUNS) for name in chosen]}


if __name__ == "__main__":
    main("breakdown", __doc__, measure)
