"""Writing and reading a gigabyte of parameters, and what a checkpoint costs a training: python benchmarks/files.py

Beside h5py alone, which writes the same arrays without checksums, and beside safetensors; each file is flushed to the
disk.
They take turns. Writes benchmarks/results/files.json.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit.measure import environment
from nnkit.training.keeper import Keeper

RESULTS = Path(__file__).parent / "results" / "files.json"
WIDTH, RUNS = 8192, 3


def main() -> None:
    """Measure, and write the figures."""
    checkpoint = stall()  # first: the disk is busy for a while after gigabytes
    net = nnkit.FeedForward(inputs=WIDTH, hidden=[WIDTH] * 4, outputs=10)
    values = net.parameters()
    size = sum(value.nbytes for value in values.values())
    rows = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for name, (write, read) in ways(net, values, Path(folder)).items():
            rows.append({"way": name, "write": write, "read": read})
        found: dict[str, dict[str, list[float]]] = {row["way"]: {"write": [], "read": []} for row in rows}
        for _ in range(RUNS + 1):
            for row in rows:
                for what in ("write", "read"):
                    found[row["way"]][what].append(seconds(row[what]))
    table = [
        {"way": way, "bytes": size, **{f"{what}_mb_per_s": rate(size, times[1:]) for what, times in each.items()}}
        for way, each in found.items()
    ]
    host = environment()
    result = {
        "machine": {"cpu": host["cpu"], "cores": host["threads"], "gpu": None},
        "versions": {name: version(name) for name in ("nnkit", "numpy", "h5py", "safetensors")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": table,
        "checkpoint": checkpoint,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def ways(
    net: nnkit.Network, values: dict[str, Any], folder: Path
) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Functions that write and read the parameters, by what they are."""
    import h5py
    from safetensors.numpy import load_file, save_file

    def plain() -> None:
        with h5py.File(folder / "plain.h5", "w") as file:
            for name, value in values.items():
                file.create_dataset(name, data=value)
        flush(folder / "plain.h5")

    def plainly() -> dict[str, Any]:
        with h5py.File(folder / "plain.h5") as file:
            return {name: file[name][()] for name in values}

    def tensors() -> None:
        save_file(values, folder / "net.safetensors")
        flush(folder / "net.safetensors")

    return {
        "nnkit": (lambda: net.save(folder / "net.h5"), lambda: nnkit.load(folder / "net.h5")),
        "h5py alone": (plain, plainly),
        "safetensors": (tensors, lambda: load_file(folder / "net.safetensors")),
    }


def flush(path: Path) -> None:
    """Wait until it is on the disk."""
    handle = os.open(path, os.O_RDWR)
    os.fsync(handle)
    os.close(handle)


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    gc.collect()
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def rate(size: int, times: list[float]) -> dict[str, float]:
    """Median and interquartile range of MB a second."""
    rates = [size / 1e6 / each for each in times]
    low, _, high = statistics.quantiles(rates, n=4)
    return {"median": statistics.median(rates), "spread": high - low}


def stall() -> dict[str, float]:
    """What a training waits for a checkpoint, beside copying its values and moments, and beside writing the file."""
    waited: list[float] = []
    due = Keeper.due

    def timed(self: Keeper, training: Any) -> None:
        waited.append(seconds(lambda: due(self, training)))

    x, y = np.zeros((4096, 784), np.float32), np.zeros(4096, np.int64)
    net = nnkit.FeedForward(784, 10, hidden=[2048, 2048], output_activation="softmax")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        Keeper.due = timed  # type: ignore[method-assign]
        try:
            net.fit(x, y, epochs=8, batch_size=64, checkpoint=Path(folder) / "run.h5", progress=False)
        finally:
            Keeper.due = due  # type: ignore[method-assign]
        copied = [seconds(net._model.progress) for _ in range(RUNS + 1)][1:]
        written = [seconds(lambda: net.save(Path(folder) / "net.h5")) for _ in range(RUNS + 1)][1:]
    copies, moments = net._model.progress(), net._model.moments()[1]
    size = sum(value.nbytes for value in (*copies["values"].values(), *moments.values()))
    return {
        "bytes": size,
        "wait_median_s": statistics.median(waited[1:]),
        "copy_median_s": statistics.median(copied),
        "save_parameters_alone_median_s": statistics.median(written),
    }


if __name__ == "__main__":
    main()
