"""Results as rows of a file: median and spread, and the machine and versions that they were measured with."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from nnkit.bench.limit import LIMIT, Rates
from nnkit.measure import environment

PACKAGES = ("scipy", "llvmlite", "torch", "jax", "keras", "scikit-learn")


def row(workload: str, framework: str, seconds: Sequence[float], **more: Any) -> dict[str, Any]:
    """One line of a result: median and interquartile range of the seconds of a step.

    >>> row("784-128-10 b64", "nnkit", [1.0, 2.0, 4.0], goal="fast", met=True)["step_spread_s"]
    1.5
    """
    low, middle, high = (float(value) for value in np.percentile(seconds, [25, 50, 75]))
    return _line(workload, framework, middle, high - low, len(seconds)) | more


def missing_row(workload: str, framework: str, reason: str, **more: Any) -> dict[str, Any]:
    """The line of a contestant that could not run."""
    return _line(workload, framework, None, None, 0) | {"reason": reason} | more


def limit_row(workload: str, limit_s: float) -> dict[str, Any]:
    """The line of what the machine can do."""
    return _line(workload, LIMIT, limit_s, None, None)


def _line(
    workload: str, framework: str, middle: float | None, spread: float | None, runs: int | None
) -> dict[str, Any]:
    figures = {"step_median_s": middle, "step_spread_s": spread, "runs": runs}
    return {"workload": workload, "framework": framework} | figures | {"goal": None, "met": None}


def described_machine(rates: Rates | None) -> dict[str, Any]:
    """Machine, versions and date, as every result has them."""
    found = environment()
    gpu = None if found["gpu"] is None else {"name": found["gpu"], "driver": found["driver"]}
    machine = {"cpu": found["cpu"], "cores": found["threads"], "gpu": gpu}
    versions = {name: found[name] for name in ("python", "blas", "nnkit", "numpy")}
    return {
        "machine": machine | (rates.to_dict() if rates else {}),
        "versions": versions | {name: number for name in PACKAGES if (number := _version(name))},
        "date": found["date"],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
