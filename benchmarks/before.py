"""Whether anything became slower: python benchmarks/before.py COMMIT

Whole trainings on the processor by this checkout beside those by an earlier commit, in two processes that take turns.
Writes benchmarks/results/before.json: ratios of this to the earlier one, for the time of a step and for the whole fit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "before.json"
ROUNDS, MOST = 21, 1.05
# name: sizes, batch, rows, epochs
JOBS = {
    "2-8-8-2 b32": ((2, 8, 8, 2), 32, 3200, 200),
    "784-128-10 b64": ((784, 128, 10), 64, 6400, 8),
    "784-512-512-10 b128": ((784, 512, 512, 10), 128, 2560, 4),
    "1024-4096-4096-10 b1024": ((1024, 4096, 4096, 10), 1024, 1024, 1),
    "64-(96×12)-4 b64": ((64, *[96] * 12, 4), 64, 6400, 4),
}
WORKER = """
import json, sys
import numpy as np, nnkit
sizes, batch, rows, epochs, mode = json.loads(sys.argv[1])
draw = np.random.default_rng(0)
x, y = draw.normal(size=(rows, sizes[0])).astype("float32"), draw.integers(0, sizes[-1], rows)
net = nnkit.FeedForward(sizes[0], sizes[-1], sizes[1:-1], output_activation="softmax", seed=0)
def fit():
    run = net.fit(x, y, epochs=epochs, batch_size=batch, compile=mode, progress=False)
    return [run.record.time["train_s"] / (epochs * -(-rows // batch)), run.elapsed_s]
fit()
print(nnkit.__file__, flush=True)
for _ in sys.stdin:
    print(json.dumps(fit()), flush=True)
"""


def git(*words: str) -> str:
    """What git says of this repository."""
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout.strip()


def start(folder: Path, job: str, mode: str) -> subprocess.Popen[str]:
    """A process that trains once for each line that it is sent."""
    sizes, batch, rows, epochs = JOBS[job]
    given = json.dumps([list(sizes), batch, rows, epochs, mode])
    path = os.pathsep.join([str(folder), str(folder / "backends")])
    made = subprocess.Popen(
        [sys.executable, "-c", WORKER, given],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    where = made.stdout.readline()  # type: ignore[union-attr]
    assert where.startswith(str(folder)), f"{where} is not in {folder}"
    return made


def trained(worker: subprocess.Popen[str]) -> list[float]:
    """Seconds of a step, and of the whole fit."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(file=worker.stdin, flush=True)
    found: list[float] = json.loads(worker.stdout.readline())
    return found


def row(job: str, mode: str, before: Path) -> dict[str, Any]:
    """Medians and spreads of pairs."""
    workers = {"now": start(ROOT, job, mode), "before": start(before, job, mode)}
    pairs = []
    for number in range(ROUNDS):
        order = list(workers) if number % 2 else list(workers)[::-1]
        pairs.append({name: trained(workers[name]) for name in order})
    for worker in workers.values():
        worker.communicate()
    line: dict[str, Any] = {"workload": job, "compile": mode, "runs": ROUNDS}
    for place, figure in enumerate(("step", "fit")):
        ratios = [pair["now"][place] / pair["before"][place] for pair in pairs]
        low, middle, high = statistics.quantiles(ratios, n=4)
        line |= {f"{figure}_ratio_median": middle, f"{figure}_ratio_spread": high - low}
        line |= {f"{figure}_median_s": statistics.median(pair["now"][place] for pair in pairs)}
    return line | {"goal": f"at most {MOST} times", "met": line["step_ratio_median"] <= MOST}


def main() -> None:
    from nnkit.bench import described_machine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="what to compare with")
    commit = parser.parse_args().commit
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder).resolve() / "before"
        git("worktree", "add", "--detach", str(before), commit)
        try:
            for job in JOBS:
                for mode in ("first", "off"):
                    rows.append(row(job, mode, before))
                    print(
                        "{workload:26} {compile:6} step {step_ratio_median:.3f} ± {step_ratio_spread:.3f}, "
                        "fit {fit_ratio_median:.3f} ± {fit_ratio_spread:.3f}".format(**rows[-1]),
                        flush=True,
                    )
        finally:
            git("worktree", "remove", "--force", str(before))
    result = described_machine(None) | {"commit": git("rev-parse", commit), "rows": rows}
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
