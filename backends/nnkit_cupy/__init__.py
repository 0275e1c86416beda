"""The device ``"cuda"``: plans become CUDA kernels and matrix products of cuBLAS, recorded as one graph."""

from __future__ import annotations

from typing import Any

from nnkit.errors import DeviceError
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.failures import no_cupy, no_driver, no_start

__all__ = ["CupyBackend", "create"]


def create(number: str) -> CupyBackend:
    """The backend of the GPU with this number, the first one by default.

    Raises:
        DeviceError: CuPy is missing, the driver is missing or too old, there is no such GPU, it has no memory left, or
            a library does not start on it; the message says which.
    """
    name = f"cuda:{number}" if number else "cuda"
    if number and not number.isdecimal():
        raise DeviceError(f"there is no device '{name}': write the number of a GPU, such as 'cuda:0'")
    try:
        import cupy
    except Exception as error:  # a broken installation raises what it likes
        raise no_cupy(name, error) from error
    there = _count(cupy.cuda.runtime, name)
    if int(number or 0) >= there:
        last = f"the GPUs are 'cuda:0' to 'cuda:{there - 1}'" if there else "the driver sees no GPU"
        raise DeviceError(f"there is no device '{name}': {last}; use device='cpu', or one that is there")
    from nnkit_cupy.runtime import CupyRuntime

    try:
        return CupyBackend(name, CupyRuntime(int(number or 0)))
    except Exception as error:  # each library has errors of its own

        def memory() -> tuple[int, int]:
            with cupy.cuda.Device(int(number or 0)):
                free, total = cupy.cuda.runtime.memGetInfo()
            return int(free), int(total)

        raise no_start(name, error, memory) from error


def _count(runtime: Any, name: str) -> int:
    """How many GPUs the driver shows."""
    try:
        return int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError as error:
        raise no_driver(name, runtime, error) from error
