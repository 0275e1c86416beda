"""The device ``"cuda"``: plans become CUDA kernels and matrix products of cuBLAS, recorded as one graph."""

from __future__ import annotations

from typing import Any

from nnkit.backend import HINTS
from nnkit.errors import DeviceError
from nnkit_cupy.device import CupyBackend

__all__ = ["CupyBackend", "create"]


def create(number: str) -> CupyBackend:
    """The backend of the GPU with this number, the first one by default.

    Raises:
        DeviceError: CuPy is missing, the driver is missing or too old, or there is no such GPU; the message says which.
    """
    name = f"cuda:{number}" if number else "cuda"
    if number and not number.isdecimal():
        raise DeviceError(f"there is no device '{name}': write the number of a GPU, such as 'cuda:0'")
    try:
        import cupy
    except Exception as error:  # a broken installation raises what it likes
        raise DeviceError(f"there is no backend for device '{name}' here: {HINTS['cuda']} ({error})") from error
    there = _count(cupy.cuda.runtime, name)
    if int(number or 0) >= there:
        last = f"the GPUs are 'cuda:0' to 'cuda:{there - 1}'" if there else "the driver sees no GPU"
        raise DeviceError(f"there is no device '{name}': {last}; use device='cpu', or one that is there")
    from nnkit_cupy.runtime import CupyRuntime

    return CupyBackend(name, CupyRuntime(int(number or 0)))


def _count(runtime: Any, name: str) -> int:
    """How many GPUs the driver shows."""
    try:
        return int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError as error:
        found = str(error)
    if "InsufficientDriver" in found:
        fix = "the driver is missing or too old for this CuPy; install one, or the extra 'cuda12' instead of 'cuda13'"
    elif "NoDevice" in found:
        fix = "the driver sees no GPU; look at nvidia-smi and CUDA_VISIBLE_DEVICES"
    else:
        fix = "see whether nvidia-smi works"
    raise DeviceError(f"device '{name}' cannot be used: {fix}, or use device='cpu' ({found})")
