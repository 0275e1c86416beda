"""The machine and the versions that a run was made with."""

from __future__ import annotations

import functools
import importlib
import os
import platform
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nnkit._version import __version__
from nnkit.measure import nvml as smi

# Where each BLAS reads its number of threads, the first that is set wins. It reads them once, when it is loaded.
THREAD_VARIABLES = {
    "openblas": ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
    "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "blis": ("BLIS_NUM_THREADS", "OMP_NUM_THREADS"),
}
CPUINFO = Path("/proc/cpuinfo")

T = TypeVar("T")


def environment() -> dict[str, Any]:
    """Describe this machine in the layout of the run record; what cannot be found out is None. Never raises.

    `threads` is what NumPy's BLAS uses: its environment variable if set, at most the processors that this process may
    use, or else all of those. `date` is the present time in UTC, ISO 8601. The rest is found out once per process.

    >>> environment()["numpy"] == np.__version__
    True
    """
    return {**_machine(), "date": datetime.now(UTC).isoformat(timespec="seconds")}


@functools.cache
def _machine() -> dict[str, Any]:
    gpu, driver = _known(_gpus) or (None, None)
    blas = _known(_blas)
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "nnkit": __version__,
        "blas": blas,
        "threads": _known(lambda: _threads(blas or "")),
        "cpu": _known(lambda: _cpu(platform.system())),
        "gpu": gpu,
        "driver": driver,
        "os": _known(platform.platform),
    }


def _known(find: Callable[[], T | None]) -> T | None:
    try:
        return find()
    except Exception:  # a description of the machine must not stop a run on it
        return None


def _blas() -> str | None:
    """Return name and version of the BLAS that NumPy was built with: "scipy-openblas 0.3.31"."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    words = [str(blas.get(key, "")) for key in ("name", "version")]
    return " ".join(word for word in words if word not in ("", "unknown", "none")) or None


def _threads(blas: str) -> int | None:
    """Return how many threads `blas` uses, or None for one whose rule is not known (Accelerate)."""
    variables = next((names for kind, names in THREAD_VARIABLES.items() if kind in blas.lower()), None)
    if variables is None:
        return None
    usable = _usable_processors()
    wanted = next((int(os.environ[name]) for name in variables if os.environ.get(name, "").isdigit()), 0)
    return min(wanted, usable) if wanted > 0 else usable


def _usable_processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def _cpu(system: str) -> str | None:
    """Return the processor's model name, from where each system keeps it."""
    if system == "Linux":
        return _cpu_linux()
    if system == "Darwin":
        return _cpu_macos()
    if system == "Windows":
        return _cpu_windows()
    return platform.processor() or None


def _cpu_linux() -> str:
    for line in CPUINFO.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "cpu model") and value.strip():
            return value.strip()
    return platform.machine()  # ARM kernels give numbers only


def _cpu_macos() -> str:
    import subprocess

    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()


def _cpu_windows() -> str:
    winreg: Any = importlib.import_module("winreg")  # by name, for type checkers on other systems
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
        return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()


def _gpus() -> tuple[str, str] | None:
    """Return the names of the NVIDIA GPUs and the driver's version, or None where there is no GPU."""
    with smi.session() as nvml:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        names = Counter(smi.text(nvml.nvmlDeviceGetName(handle)) for handle in handles)
        listed = ", ".join(name if count == 1 else f"{count} × {name}" for name, count in names.items())
        return (listed, smi.text(nvml.nvmlSystemGetDriverVersion())) if names else None
