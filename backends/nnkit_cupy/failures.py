"""What a GPU refuses, in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnkit.backend import HINTS
from nnkit.errors import DeviceError

HANDLES = 1 << 28
"""Bytes that the libraries take for themselves: with fewer than these free, that is why one of them cannot start."""
ELSEWHERE = "look with nvidia-smi who has the rest, or use device='cpu'"


def is_shortage(error: BaseException) -> bool:
    """Whether it says that the GPU has no memory left.

    >>> is_shortage(RuntimeError("cudaErrorMemoryAllocation: out of memory")), is_shortage(ValueError("memory"))
    (True, False)
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or "memoryallocation" in text or "out of memory" in text


def shortage(nbytes: int | None, free: int) -> DeviceError:
    """The error for memory that was asked for and is not there."""
    asked = "" if nbytes is None else f" for {_text(nbytes)}"
    return DeviceError(
        f"the GPU has no memory{asked}, {_text(free)} are free; other programs may have taken it since this was "
        f"planned ({ELSEWHERE}); a smaller batch_size, memory_limit= or fewer neurons take less"
    )


def no_cupy(name: str, error: Exception) -> DeviceError:
    """The error where CuPy cannot be imported."""
    return DeviceError(f"there is no backend for device '{name}' here: {HINTS['cuda']} ({error})")


def no_driver(name: str, runtime: Any, error: Exception) -> DeviceError:
    """The error where the driver shows no GPUs."""
    found = str(error)
    if "InsufficientDriver" in found:
        fix = _driver(_version(runtime, "driverGetVersion"), _version(runtime, "runtimeGetVersion"))
    elif "NoDevice" in found:
        fix = "the driver sees no GPU; look at nvidia-smi and CUDA_VISIBLE_DEVICES"
    else:
        fix = "see whether nvidia-smi works"
    return DeviceError(f"device '{name}' cannot be used: {fix}, or use device='cpu' ({found})")


def no_start(name: str, error: Exception, memory: Callable[[], tuple[int, int]]) -> DeviceError:
    """The error where libraries do not start on a GPU that is there; ``memory`` asks what is free and in all."""
    try:
        free, total = memory()
    except Exception:  # a GPU without memory for this process answers nothing
        free, total = (0, 0) if is_shortage(error) else (HANDLES, 0)
    if is_shortage(error) or free < HANDLES:
        there = f"{_text(free)} of {_text(total)} are free" if total else "none of it is free"
        return DeviceError(f"device '{name}' has too little memory left to begin: {there}; {ELSEWHERE} ({error})")
    if isinstance(error, DeviceError):
        return DeviceError(f"device '{name}' cannot be used: {error}; or use device='cpu'")
    return DeviceError(
        f"device '{name}' cannot be used: {type(error).__name__}: {error}; see whether CuPy and the driver go together "
        "(nnkit devices), or use device='cpu'"
    )


def _driver(known: int | None, needed: int | None) -> str:
    """What to do about a driver that does not suffice; both versions are as CUDA writes them, 12040 for 12.4."""
    if known == 0:
        return "no NVIDIA driver is installed; install one"
    if not known or not needed:
        return "the driver is missing or too old for this CuPy; install one, or the extra 'cuda12' instead of 'cuda13'"
    other = needed >= 13000 > known >= 12000
    instead = ", or pip uninstall cupy-cuda13x and pip install 'nnkit[cuda12]'" if other else ""
    return (
        f"the driver is too old for this CuPy: it knows CUDA {_cuda(known)}, and CuPy was made for {_cuda(needed)}; "
        f"install a newer one{instead}"
    )


def _version(runtime: Any, question: str) -> int | None:
    try:
        return int(getattr(runtime, question)())
    except Exception:  # what the driver does not say stays unknown
        return None


def _cuda(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def _text(nbytes: int) -> str:
    return f"{nbytes / 1e6:,.1f} MB"
