"""What each part of the backend gives: python benchmarks/gpu_without.py [--results FOLDER]

Steps with everything, and without one part after the other, on a GPU, in one process; each is measured twice, in turns.
Writes gpu_without.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gpu import FOLDER, SIZES, machine, network, precision

from nnkit.bench import Job
from nnkit.bench.frameworks.programs import step
from nnkit.plan import known
from nnkit_cupy.source.mirrors import Mirrored

LAUNCHES = "nnkit_cupy.source.launches"
SMALL, MEDIUM, HALVES = "784-128-10 b64", "784-512-512-10 b128", "8192-(8192×4)-10 b8192 bf16"
WITHOUT: dict[str, tuple[str, Callable[..., Any], tuple[str, ...]]] = {
    "heads": (f"{LAUNCHES}.Heads.taken", lambda _, items: items, (SMALL, MEDIUM)),
    "pieces side by side": ("nnkit_cupy.source.together._meets", lambda *_: True, (SMALL, MEDIUM)),
    "urgent ones first": (f"{LAUNCHES}.urgent_first", lambda launches: list(range(len(launches))), (SMALL, MEDIUM)),
    "epilogs": ("nnkit_cupy.runtime.CupyRuntime.ends", lambda *_: False, (HALVES,)),
    "kept halves": (f"{LAUNCHES}.mirrored", lambda plan: Mirrored(plan, frozenset(), ()), (HALVES,)),
    "slopes in halves": ("nnkit.plan.planner.narrow_slopes", lambda graph, _: graph, (HALVES,)),
    "gradients in halves": ("nnkit.plan.planner.narrow_gradients", lambda graph, _: graph, (HALVES,)),
    "halves by columns": (f"{LAUNCHES}.by_columns", lambda _, looks: looks, (HALVES,)),
}
"""Name → what stands for the part, and the workloads where it counts."""
BLOCKS, ROUNDS = 5, 2


def seconds(workload: str, left_out: str | None) -> list[float]:
    """Of a step in each of some blocks, without a part."""
    with nullcontext() if left_out is None else patch(*WITHOUT[left_out][:2]):
        net = network(workload)
        net._model.backend._executables.clear()
        known._made.cache_clear()
        block, steps = step(Job.of(net, SIZES[workload][1]), "off", precision(workload))
        found = []
        for number in range(2 + BLOCKS):
            began = time.perf_counter()
            block()
            if number >= 2:
                found.append((time.perf_counter() - began) / steps)
        net._model.backend._executables.clear()
        known._made.cache_clear()
    return found


def rows() -> list[dict[str, Any]]:
    """A line for each workload and part."""
    found = []
    for workload in (SMALL, MEDIUM, HALVES):
        parts = [None, *(name for name, (*_, counts) in WITHOUT.items() if workload in counts)]
        taken: dict[str | None, list[float]] = {part: [] for part in parts}
        for part in parts * ROUNDS:
            taken[part] += seconds(workload, part)
        for part in parts:
            low, middle, high = statistics.quantiles(taken[part], n=4)
            ratio = middle / statistics.median(taken[None])
            line = {"workload": workload, "without": part, "step_median_s": middle, "step_spread_s": high - low}
            found.append(line | {"ratio": ratio, "runs": len(taken[part])})
            print(f"{workload:30} without {part or 'nothing':24} {middle * 1e6:12,.1f} µs {ratio:8.3f}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", default=str(FOLDER / "results"), help="folder for gpu_without.json")
    flags = parser.parse_args()
    result = machine() | {"date": datetime.now(UTC).isoformat(timespec="seconds"), "rows": rows()}
    (Path(flags.results) / "gpu_without.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
