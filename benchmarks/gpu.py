"""Tests, parity and speed on a GPU in one command: python benchmarks/gpu.py [--results FOLDER] [--skip-tests]

Runs the tests marked ``gpu``, which must not be skipped, and the check of ``nnkit devices --check``; then training
steps with Adam, in float32 without TF32 but where bf16 is said, and epochs of 60,000 rows as MNIST has them, of nnkit
and of its peers, each framework in a process of its own, and nnkit before and after them. The
steps of a block are started without waiting for one another, and its time ends when the GPU has done them. Beside them
stands what the GPU allows. Writes gpu.json and gpu.txt.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
SIZES: dict[str, tuple[tuple[int, ...], int]] = {
    "784-128-10 b64": ((784, 128, 10), 64),
    "784-512-512-10 b128": ((784, 512, 512, 10), 128),
    "1024-4096-4096-10 b1024": ((1024, 4096, 4096, 10), 1024),
    "64-(96×12)-4 b64": ((64, *[96] * 12, 4), 64),
    "2-8-8-2 b32": ((2, 8, 8, 2), 32),
    "8192-(8192×4)-10 b8192 bf16": ((*[8192] * 5, 10), 8192),
}
EPOCH, EPOCH_ROWS = "epoch 784-128-10 b64", 60_000
WORKLOADS = (*SIZES, EPOCH)
PEERS = ("JAX jit", "PyTorch eager", "torch.compile", "PyTorch, CUDA graph", "JAX, loop in one call")
# Against PyTorch eager, and against the faster of torch.compile and JAX jit.
GOALS = {
    "784-128-10 b64": (8.0, 2.0),
    "784-512-512-10 b128": (5.0, 1.5),
    "1024-4096-4096-10 b1024": (1.1, 1.0),
    "8192-(8192×4)-10 b8192 bf16": (1.0, 1.0),
    EPOCH: (15.0, 2.0),
}
OF_PEAK = 0.7
"""Share of the measured matrix peak that the products in bf16 should reach, all else of the step counted in."""
TAKEN_APART = ("784-128-10 b64", "784-512-512-10 b128", "8192-(8192×4)-10 b8192 bf16")
COMPILED = ("torch.compile", "JAX jit")
BLOCKS = 9


def half(name: str) -> bool:
    """Whether the workload is in mixed precision."""
    return name.endswith("bf16")


def precision(name: str) -> str:
    """What ``fit`` is asked for."""
    return "mixed_bfloat16" if half(name) else "float32"


def jobs() -> list[dict[str, Any]]:
    """What every framework trains: sizes, batch, and how many batches there are to go through."""
    guesses = {"1024-4096-4096-10 b1024": 3e-3, "8192-(8192×4)-10 b8192 bf16": 2.5e-2}
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "sizes": sizes,
            "batch": batch,
            "batches": 2 if half(name) else 16,
            "guess_s": guesses.get(name, 2e-4),
            "half": half(name),
        }
        for name, (sizes, batch) in SIZES.items()
    ]
    sizes, batch = SIZES["784-128-10 b64"]
    return [*found, {"name": EPOCH, "sizes": sizes, "batch": batch, "rows": EPOCH_ROWS}]


def network(name: str) -> Any:
    """Ours, on the GPU."""
    import nnkit

    sizes, _ = SIZES[name]
    hidden = list(sizes[1:-1])
    return nnkit.FeedForward(sizes[0], sizes[-1], hidden, output_activation="softmax", seed=0, device="cuda")


def ours() -> dict[str, list[float]]:
    """Seconds of a step in each of some blocks, as ``fit`` runs them: kernels, graph and what the host does."""
    from nnkit.bench import Job
    from nnkit.bench.frameworks.programs import step

    found = {EPOCH: our_epochs()}
    for name, (_, batch) in SIZES.items():
        job = Job.of(network(name), batch)
        job = replace(job, epochs=2) if half(name) else job  # four steps a block, as the peers do
        block, steps = step(job, "off", precision(name))
        for _ in range(3):
            block()
        seconds = []
        for _ in range(BLOCKS):
            began = time.perf_counter()
            block()
            seconds.append((time.perf_counter() - began) / steps)
        found[name] = seconds
    return found


def our_epochs() -> list[float]:
    """Seconds of epochs of ``fit``, which shuffles and measures, the first two left out."""
    draw = np.random.default_rng(0)
    x, y = draw.random((EPOCH_ROWS, 784), dtype=np.float32), draw.integers(0, 10, EPOCH_ROWS)
    run = network("784-128-10 b64").fit(x, y, epochs=9, batch_size=64, progress=False)
    seconds: list[float] = run.record.time["epochs_s"][2:]
    return seconds


def graphs() -> dict[str, Any]:
    """How ``fit`` started the steps of each workload: as one graph, of how many launches; or why not."""
    draw = np.random.default_rng(0)
    found = {}
    for name, (sizes, batch) in SIZES.items():
        if half(name):
            continue
        x = draw.random((3 * batch, sizes[0]), dtype=np.float32)
        y = draw.integers(0, sizes[-1], len(x))
        run = network(name).fit(x, y, epochs=2, batch_size=batch, progress=False)
        found[name] = {key: run.record.training["program"][key] for key in ("one_graph", "because", "launches")}
    return found


def kernels() -> dict[str, list[dict[str, Any]]]:
    """Where the time of a step goes: seconds of each kernel, many times over in a graph of its own.

    Steps of the plan that share a kernel count with the first of them.
    """
    from nnkit.bench.stopwatch import measured
    from nnkit.training.planning import training_plan

    found = {}
    for name in TAKEN_APART:
        net, (_, batch) = network(name), SIZES[name]
        made = training_plan(net._model, batch, "adam", "auto", precision=precision(name))
        seconds = measured(net, made, batch, "adam", "auto", precision(name)).steps
        found[name] = [
            {"step": step.kernel, "makes": [made.graph.nodes[i].operation for i in step.nodes], "seconds": taken}
            for step, taken in zip(made.steps, seconds, strict=True)
            if taken
        ]
    return found


def limits(ceilings: dict[str, float], started: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Seconds that each workload needs at the measured ceilings: of its products, of the bytes of parameters, gradient
    and moments, and of its launches."""
    from nnkit.plan.cost import node_flops
    from nnkit.training.planning import training_plan

    found = {}
    for name, (_, batch) in SIZES.items():
        net = network(name)
        graph = training_plan(net._model, batch, "adam", "auto").graph
        flops = sum(node_flops(graph, i) for i, node in graph if node.operation == "matmul")
        parameters = sum(value.nbytes for value in net.parameters().values())
        found[name] = {
            "products_s": flops / ceilings[f"{'bfloat16' if half(name) else 'float32'}_flops_per_s"],
            "bytes_s": 7 * parameters / ceilings["bytes_per_s"],
            "launches_s": started[name]["launches"] * ceilings["launch_s"] if name in started else None,
        }
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


def tests() -> Callable[[], dict[str, Any]]:
    """Begin with the tests that need a GPU; what this gives waits for them. None may be skipped."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "tests/cuda", "-p", "no:cacheprovider", "-rs"]
    if find_spec("xdist"):  # most of the time goes to compilers
        command += ["-n", "10", "-p", "no:benchmark"]
    environment = os.environ | {"NNKIT_REQUIRE_GPU": "1"}
    running = subprocess.Popen(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True, env=environment)

    def ended() -> dict[str, Any]:
        said, _ = running.communicate()
        print(said[-6000:], flush=True)
        took_s = time.perf_counter() - began
        return {"passed": not running.returncode, "summary": said.strip().splitlines()[-1], "elapsed_s": took_s}

    return ended


def parity() -> list[dict[str, Any]]:
    """The errors of everything on the GPU, in ulp, beside float64."""
    import nnkit

    return [row._asdict() for row in nnkit.check_device("cuda").rows]


def checked() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Tests and parity, side by side: nothing is timed meanwhile. What goes wrong there takes other processes along."""
    ended = tests()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        asked = pool.submit(parity)
    if asked.exception():
        print(f"parity: {asked.exception()!r}", flush=True)
    return ended(), [] if asked.exception() else asked.result()


def rows(measured: dict[str, dict[str, Any]], limit: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """One line for each workload and framework."""
    found = []
    for workload in WORKLOADS:
        middle = {name: statistics.median(result[workload]) for name, result in measured.items() if workload in result}
        for name, result in measured.items():
            seconds = result.get(workload)
            line: dict[str, Any] = {"workload": workload, "framework": name, "goal": None, "met": None}
            if seconds is None:
                missing = dict.fromkeys(("step_median_s", "step_spread_s"))
                found.append(line | missing | {"runs": 0, "reason": result.get("reason", "not measured so")})
                continue
            low, _, high = statistics.quantiles(seconds, n=4)
            line |= {"step_median_s": middle[name], "step_spread_s": high - low, "runs": len(seconds)}
            if name == "nnkit" and workload in GOALS:
                eager, best = GOALS[workload]
                line["goal"] = f"{eager:g} times PyTorch eager, {best:g} times the faster of torch.compile and JAX jit"
                line["met"] = _met(workload, middle, limit)
            found.append(line)
    return found


def _met(workload: str, middle: dict[str, float], limit: dict[str, dict[str, float]]) -> bool | None:
    """Whether the goal of a workload is met; None where one of the peers that it names has no figures."""
    if not {"PyTorch eager", *COMPILED} <= middle.keys():
        return None
    (eager, best), own = GOALS[workload], middle["nnkit"]
    fastest = min(middle[peer] for peer in COMPILED)
    near_peak = not half(workload) or limit[workload]["products_s"] >= OF_PEAK * own
    return middle["PyTorch eager"] >= eager * own and fastest >= best * own and near_peak


def table(lines: list[dict[str, Any]], at_best: dict[str, dict[str, float]]) -> str:
    """Microseconds, for people."""
    names = list(dict.fromkeys(line["framework"] for line in lines))
    text = [f"{'µs':22}" + "".join(f"{name:>29}" for name in WORKLOADS)]
    for name in names:
        cells = [line["step_median_s"] for line in lines if line["framework"] == name]
        text.append(f"{name:22}" + "".join(map(_cell, cells)))
    for part in ("products_s", "bytes_s", "launches_s"):
        cells = [at_best.get(name, {}).get(part) for name in WORKLOADS]
        text.append(
            f"{part[:-2] + ' alone':22}" + "".join(f"{'–' if s is None else f'{s * 1e6:,.1f}':>29}" for s in cells)
        )
    met = [line["met"] for line in lines if line["framework"] == "nnkit"]
    return "\n".join([*text, f"{'goal met':22}" + "".join(f"{each!s:>29}" for each in met)])


def _cell(seconds: float | None) -> str:
    return f"{'–' if seconds is None else f'{seconds * 1e6:,.1f}':>29}"


def share_of_peak(lines: list[dict[str, Any]], limit: dict[str, dict[str, float]]) -> dict[str, float]:
    """How much of the time of a step in bf16 its products would take at the measured peak, by framework."""
    return {
        line["framework"]: limit[line["workload"]]["products_s"] / line["step_median_s"]
        for line in lines
        if half(line["workload"]) and line["step_median_s"]
    }


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
    result = machine() | {"date": datetime.now(UTC).isoformat(timespec="seconds")}
    result["tests"], result["parity"] = (None, []) if flags.skip_tests else checked()
    started = graphs()
    at_best = peer("ceilings")
    limit = limits(at_best, started)
    print(json.dumps({"graphs": started, "ceilings": at_best}), flush=True)
    result |= {"graphs": started, "ceilings": at_best, "limits": limit, "kernels": {}}
    measured: dict[str, dict[str, Any]] = {}
    target = Path(flags.results)
    for name in ("nnkit", *PEERS, "nnkit, afterwards"):
        began = time.perf_counter()
        measured[name] = peer(name) if name in PEERS else ours()
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
        keep(target, result | shown(measured, limit))
    print(table(rows(measured, limit), limit), flush=True)
    keep(target, result | shown(measured, limit) | {"kernels": kernels()})


def shown(measured: dict[str, dict[str, Any]], limit: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What was measured so far."""
    lines = rows(measured, limit)
    return {"bf16_share_of_peak": share_of_peak(lines, limit), "rows": lines}


def keep(target: Path, result: dict[str, Any]) -> None:
    """Write both files: after each framework, so that what comes later can take nothing along."""
    (target / "gpu.txt").write_text(table(result["rows"], result["limits"]) + "\n", encoding="utf-8")
    (target / "gpu.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
