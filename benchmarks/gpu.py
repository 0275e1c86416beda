"""Tests, parity and speed on a GPU in one command: python benchmarks/gpu.py [--results FOLDER] [--skip-tests]

Runs the tests marked ``gpu``, which must not be skipped, and the check of ``nnkit devices --check``; then training
steps with Adam in float32 without TF32, of nnkit and of its peers, each framework in a process of its own, and nnkit
before and after them. Writes gpu.json and gpu.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SIZES: dict[str, tuple[tuple[int, ...], int]] = {
    "784-128-10 b64": ((784, 128, 10), 64),
    "784-512-512-10 b128": ((784, 512, 512, 10), 128),
    "1024-4096-4096-10 b1024": ((1024, 4096, 4096, 10), 1024),
    "64-(96×12)-4 b64": ((64, *[96] * 12, 4), 64),
    "2-8-8-2 b32": ((2, 8, 8, 2), 32),
}
PEERS = ("PyTorch eager", "torch.compile", "PyTorch, CUDA graph", "JAX jit", "JAX, loop in one call")
# Against PyTorch eager, and against the faster of torch.compile and JAX jit.
GOALS = {"784-128-10 b64": (8.0, 2.0), "784-512-512-10 b128": (5.0, 1.5), "1024-4096-4096-10 b1024": (1.1, 1.0)}
TF32 = ("torch.compile", "JAX jit")
BLOCKS = 9


def jobs() -> list[dict[str, Any]]:
    """What every framework trains: sizes, batch, and how many batches there are to go through."""
    guesses = {"1024-4096-4096-10 b1024": 3e-3}
    return [
        {"name": name, "sizes": sizes, "batch": batch, "batches": 16, "guess_s": guesses.get(name, 2e-4)}
        for name, (sizes, batch) in SIZES.items()
    ]


def ours() -> dict[str, list[float]]:
    """Seconds of a step in each of some blocks, as ``fit`` runs them: kernels, graph and what the host does."""
    import nnkit
    from nnkit.bench import Job
    from nnkit.bench.frameworks.programs import step

    found = {}
    for name, (sizes, batch) in SIZES.items():
        hidden = list(sizes[1:-1])
        net = nnkit.FeedForward(sizes[0], sizes[-1], hidden, output_activation="softmax", seed=0, device="cuda")
        block, steps = step(Job.of(net, batch), "off")
        for _ in range(3):
            block()
        seconds = []
        for _ in range(BLOCKS):
            began = time.perf_counter()
            block()
            seconds.append((time.perf_counter() - began) / steps)
        found[name] = seconds
    return found


def peer(name: str) -> dict[str, Any]:
    """The same of a framework, in a process of its own; the reason where it has no figures."""
    environment = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    command = [sys.executable, str(FOLDER / "gpu_peers.py"), name, json.dumps(jobs())]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        return {"reason": done.stderr.strip().splitlines()[-1]}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def tests() -> dict[str, Any]:
    """The tests that need a GPU; none may be skipped."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "tests/cuda", "-p", "no:cacheprovider", "-rs"]
    done = subprocess.run(
        command, cwd=FOLDER.parent, capture_output=True, text=True, env=os.environ | {"NNKIT_REQUIRE_GPU": "1"}
    )
    print(done.stdout[-6000:], flush=True)
    summary, took_s = done.stdout.strip().splitlines()[-1], time.perf_counter() - began
    return {"passed": not done.returncode, "summary": summary, "elapsed_s": took_s}


def parity() -> list[dict[str, Any]]:
    """The errors of everything on the GPU, in ulp, beside float64."""
    import nnkit

    return [row._asdict() for row in nnkit.check_device("cuda").rows]


def rows(measured: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for each workload and framework."""
    found = []
    for workload in SIZES:
        middle = {name: statistics.median(result[workload]) for name, result in measured.items() if workload in result}
        for name, result in measured.items():
            seconds = result.get(workload)
            line: dict[str, Any] = {"workload": workload, "framework": name, "goal": None, "met": None}
            if seconds is None:
                missing = dict.fromkeys(("step_median_s", "step_spread_s"))
                found.append(line | missing | {"runs": 0, "reason": result["reason"]})
                continue
            low, _, high = statistics.quantiles(seconds, n=4)
            line |= {"step_median_s": middle[name], "step_spread_s": high - low, "runs": len(seconds)}
            if name == "nnkit" and workload in GOALS:
                eager, best = GOALS[workload]
                fastest = min(middle[peer] for peer in TF32 if peer in middle)
                line["goal"] = f"{eager:g} times PyTorch eager, {best:g} times the faster of torch.compile and JAX jit"
                line["met"] = middle["PyTorch eager"] >= eager * middle[name] and fastest >= best * middle[name]
            found.append(line)
    return found


def table(lines: list[dict[str, Any]]) -> str:
    """Microseconds, for people."""
    names = list(dict.fromkeys(line["framework"] for line in lines))
    text = [f"{'µs a step':26}" + "".join(f"{name:>24}" for name in SIZES)]
    for name in names:
        cells = [line["step_median_s"] for line in lines if line["framework"] == name]
        text.append(f"{name:26}" + "".join(f"{'–' if s is None else f'{s * 1e6:,.1f}':>24}" for s in cells))
    met = [line["met"] for line in lines if line["framework"] == "nnkit"]
    return "\n".join([*text, f"{'goal met':26}" + "".join(f"{each!s:>24}" for each in met)])


def machine() -> dict[str, Any]:
    """The GPU, its driver, and the versions of everything that was measured."""
    from importlib.metadata import version

    from nnkit.measure import environment

    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    name, driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip().split(", ")
    host = environment()
    packages = {package: version(package) for package in ("numpy", "cupy-cuda13x", "torch", "jax")}
    return {
        "machine": {"cpu": host["cpu"], "cores": host["threads"], "gpu": {"name": name, "driver": driver}},
        "versions": {"python": host["python"], "nnkit": host["nnkit"], **packages},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", default=str(FOLDER / "results"), help="folder for gpu.json and gpu.txt")
    parser.add_argument("--skip-tests", action="store_true")
    flags = parser.parse_args()
    head = machine() | {"date": datetime.now(UTC).isoformat(timespec="seconds")}
    tested = None if flags.skip_tests else tests()
    checked = [] if flags.skip_tests else parity()
    measured: dict[str, dict[str, Any]] = {"nnkit": ours()}
    for name in PEERS:
        began = time.perf_counter()
        measured[name] = peer(name)
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    measured["nnkit, afterwards"] = ours()
    lines = rows(measured)
    result = head | {"tests": tested, "rows": lines, "parity": checked}
    target = Path(flags.results)
    (target / "gpu.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (target / "gpu.txt").write_text(table(lines) + "\n", encoding="utf-8")
    print(table(lines))


if __name__ == "__main__":
    main()
