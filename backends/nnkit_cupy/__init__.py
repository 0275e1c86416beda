"""The device ``"cuda"``: plans become CUDA kernels and matrix products of cuBLAS, recorded as one graph."""

from __future__ import annotations

from nnkit.errors import DeviceError, MissingExtraError
from nnkit_cupy.device import CupyBackend

__all__ = ["CupyBackend", "create"]

NEED = "device 'cuda' takes an NVIDIA GPU"


def create(number: str) -> CupyBackend:
    """The backend of the GPU with this number, the first one by default.

    Raises:
        DeviceError: no driver, one that is too old, or no such GPU; the message says which.
        MissingExtraError: CuPy is not installed.
    """
    if number and not number.isdecimal():
        raise DeviceError(f"device 'cuda:{number}': expected the number of a GPU, such as 'cuda:0'")
    try:
        import cupy
    except ImportError as error:
        raise MissingExtraError(
            f"{NEED} and CuPy, which cannot be imported ({error}): pip install 'nnkit[cuda13]', or 'nnkit[cuda12]' for "
            "a driver older than 580"
        ) from error
    there = _count(cupy)
    wanted = int(number or 0)
    if wanted >= there:
        named = "there is no GPU" if not there else f"the GPUs are 'cuda:0' to 'cuda:{there - 1}'"
        raise DeviceError(f"device 'cuda:{wanted}' does not exist: {named}; use one that does, or device='cpu'")
    from nnkit_cupy.runtime import CupyRuntime

    return CupyBackend("cuda" if not number else f"cuda:{wanted}", CupyRuntime(wanted))


def _count(cupy: object) -> int:
    """How many GPUs the driver shows."""
    from cupy.cuda import runtime

    try:
        return int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError as error:
        text = str(error)
        if "InsufficientDriver" in text:
            fix = "the driver is too old for this CuPy; update it, or install the extra 'cuda12'"
        elif "NoDevice" in text:
            fix = "the driver sees none; check nvidia-smi and CUDA_VISIBLE_DEVICES, or use device='cpu'"
        else:
            fix = "check that nvidia-smi works, or use device='cpu'"
        raise DeviceError(f"{NEED}: {text}; {fix}") from error
