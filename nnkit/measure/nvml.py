"""The few things that nnkit asks of NVML, NVIDIA's management library, and its refusals in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# What an NVML error means for the reader of a record; any other one is given in NVML's own words.
MEANINGS = {
    "NVMLError_NotSupported": "this GPU does not report it (NVML_ERROR_NOT_SUPPORTED)",
    "NVMLError_NoPermission": "no permission to read it (NVML_ERROR_NO_PERMISSION)",
    "NVMLError_NotFound": "NVML does not show this GPU, as in some containers (NVML_ERROR_NOT_FOUND)",
    "NVMLError_GpuIsLost": "the GPU was lost (NVML_ERROR_GPU_IS_LOST)",
    "NVMLError_DriverNotLoaded": "the NVIDIA driver is not loaded",
    "NVMLError_LibraryNotFound": "no NVIDIA driver is installed (NVML was not found)",
    "NVMLError_LibRmVersionMismatch": "the NVIDIA driver and its library differ in version; restart the machine",
}


def explain(error: Exception) -> str:
    """Say in plain words why NVML gave no answer."""
    if isinstance(error, LookupError):
        return str(error)
    if isinstance(error, ImportError):
        return f"nvidia-ml-py cannot be imported: {error}"
    kind = type(error).__name__
    return MEANINGS.get(kind, f"{kind}: {error}")


@contextmanager
def session() -> Iterator[Any]:
    """Give the pynvml module, initialised, for the length of the block. NVML counts its users, so this nests.

    Raises whatever import and initialisation raise; `explain` puts that into words.
    """
    import pynvml

    pynvml.nvmlInit()
    try:
        yield pynvml
    finally:
        with suppress(pynvml.NVMLError):  # when the GPU was lost there is nothing left to close
            pynvml.nvmlShutdown()


def find(nvml: Any, device: str) -> Any:
    """Return the handle of `device`: a UUID, a PCI bus id, or else the first GPU that NVML lists.

    NVML ignores CUDA_VISIBLE_DEVICES and CUDA may number the GPUs differently, so a number does not say which one.
    """
    if device.startswith(("GPU-", "MIG-")):
        return nvml.nvmlDeviceGetHandleByUUID(device)
    if "." in device:
        return nvml.nvmlDeviceGetHandleByPciBusId(device)
    count = nvml.nvmlDeviceGetCount()
    if count == 0:
        raise LookupError("NVML lists no GPU")
    if count > 1 and device != "cpu":
        raise LookupError(f"there are {count} GPUs; which one '{device}' is takes its PCI bus id or UUID")
    return nvml.nvmlDeviceGetHandleByIndex(0)


def text(value: str | bytes) -> str:
    """Return what NVML calls a string: older releases give bytes."""
    return value.decode() if isinstance(value, bytes) else value


def cuda_version(nvml: Any) -> int:
    """The newest CUDA that the driver runs, as CUDA writes it: 12040 for 12.4."""
    return int(nvml.nvmlSystemGetCudaDriverVersion())


def has_mig(nvml: Any, handle: Any) -> bool:
    """Say whether the GPU is partitioned (MIG); most GPUs cannot be and refuse the question."""
    try:
        return bool(nvml.nvmlDeviceGetMigMode(handle)[0])
    except Exception:  # a refusal is the answer no
        return False
