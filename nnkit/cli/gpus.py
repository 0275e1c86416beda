"""The GPUs of this machine as NVML lists them, and the CuPy that goes with their driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from nnkit.measure import nvml
from nnkit.measure.units import bytes_text

CUPY = {"cupy-cuda12x": ("cuda12", 12), "cupy-cuda13x": ("cuda13", 13)}  # distribution → extra, and its CUDA
OLDEST = 12
"""The first CUDA for which there is such a CuPy."""


def gpus() -> Iterator[tuple[str, str]]:
    """A line for each GPU, or why there is none."""
    try:
        with nvml.session() as smi:
            driver = _driver(smi)
            handles = [smi.nvmlDeviceGetHandleByIndex(index) for index in range(smi.nvmlDeviceGetCount())]
            for index, handle in enumerate(handles):
                yield f"GPU {index}", ", ".join([*_gpu(smi, handle), driver])
            if not handles:
                yield "GPU", "none: the NVIDIA driver is there, and lists no GPU"
    except Exception as error:  # NVML raises a class for each kind of refusal
        yield "GPU", f"none: {nvml.explain(error)}"


def _gpu(smi: Any, handle: Any) -> list[str]:
    """What one GPU says of itself; what it refuses is left out."""
    asks: list[Callable[[], str]] = [
        lambda: nvml.text(smi.nvmlDeviceGetName(handle)),
        lambda: _memory(smi.nvmlDeviceGetMemoryInfo(handle)),
        lambda: nvml.text(smi.nvmlDeviceGetPciInfo(handle).busId),
        lambda: "compute capability {}.{}".format(*smi.nvmlDeviceGetCudaComputeCapability(handle)),
        lambda: "partitioned (MIG)" if nvml.has_mig(smi, handle) else "",
    ]
    return [text for ask in asks if (text := _answer(ask))]


def _memory(found: Any) -> str:
    return f"{bytes_text(found.free)} of {bytes_text(found.total)} free"


def _driver(smi: Any) -> str:
    known = _answer(lambda: nvml.cuda_version(smi))
    return f"driver {nvml.text(smi.nvmlSystemGetDriverVersion())}" + (f" (CUDA {_dotted(known)})" if known else "")


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception:  # a GPU need not answer everything
        return None


def cupy() -> str:
    """Which CuPy is installed and whether it goes with the driver, or how to install the one that does."""
    try:
        with nvml.session() as smi:
            known = _answer(lambda: nvml.cuda_version(smi))
    except Exception as error:
        known = None
        missing = f"once there is a driver ({nvml.explain(error)})"
    else:
        missing = "by the driver's CUDA"
    found = {name: number for name in (*CUPY, "cupy") if (number := _version(name))}
    if not found or not find_spec("cupy"):
        return f"not installed; {_install(known, missing)}"
    return ", ".join(f"{name} {number}" for name, number in found.items()) + _complaint(list(found), known)


def _install(known: int | None, missing: str) -> str:
    """How to install the CuPy of the driver, whose CUDA is known, or of a driver to come."""
    if known is None:
        return f'for NVIDIA GPUs: pip install "nnkit[cuda12]" or "nnkit[cuda13]", {missing}'
    if known < 1000 * OLDEST:
        return f"the driver knows CUDA {_dotted(known)}: install one for CUDA {OLDEST} or later first"
    return f'for this driver (CUDA {_dotted(known)}): pip install "nnkit[{_fitting(known)[1]}]"'


def _complaint(found: list[str], known: int | None) -> str:
    """What is wrong with what is installed. A driver runs what was made for an older CUDA, and not for a newer one."""
    if len(found) > 1:
        return f"; they overwrite each other: pip uninstall {' '.join(found)}, and then install one"
    (name,) = found
    if known is None or name not in CUPY or known >= 1000 * CUPY[name][1]:
        return ""
    made = f"; it was made for CUDA {CUPY[name][1]}, and the driver knows {_dotted(known)}: install a newer driver"
    if known < 1000 * OLDEST:
        return made
    return f'{made}, or pip uninstall {name} and pip install "nnkit[{_fitting(known)[1]}]"'


def _fitting(known: int) -> tuple[str, str]:
    """The distribution of CuPy for a driver, and the extra that installs it."""
    return max((cuda, name, extra) for name, (extra, cuda) in CUPY.items() if known >= 1000 * cuda)[1:]


def _dotted(known: int) -> str:
    return f"{known // 1000}.{known % 1000 // 10}"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
