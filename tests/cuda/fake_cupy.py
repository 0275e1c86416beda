"""As much of CuPy as the runtime asks before it runs anything, with a GPU whose memory can be full."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class OutOfMemoryError(MemoryError):
    """CuPy's."""


class CUDARuntimeError(RuntimeError):
    """CuPy's."""


class Entered:
    """A device or a stream."""

    id, pci_bus_id, compute_capability, ptr = 1, "0000:3B:00.0", "90", 4096

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> Entered:
        return self

    def __exit__(self, *_: object) -> None: ...


class FakeCupy:
    """A module with two GPUs. ``full`` refuses memory, ``error`` is raised instead of giving any; ``free`` is what the
    driver says, None a refusal.
    """

    def __init__(self) -> None:
        self.full = False
        self.free: int | None = 6_000_000_000
        self.error: Exception | None = None
        memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
        runtime = SimpleNamespace(getDeviceCount=lambda: 2, CUDARuntimeError=CUDARuntimeError, memGetInfo=self._memory)
        self.cuda = SimpleNamespace(Device=Entered, Stream=Entered, runtime=runtime, memory=memory)

    def zeros(self, *_: object, **__: object) -> Any:
        """Memory, or none."""
        if self.error is not None:
            raise self.error
        if self.full:
            raise OutOfMemoryError("Out of memory allocating 4,000,000 bytes (allocated so far: 0 bytes).")
        return SimpleNamespace()

    empty = zeros

    def RawModule(self, **_: object) -> Any:
        """Code, for which the driver takes memory of its own."""
        if self.full:
            raise CUDARuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory")
        return SimpleNamespace(get_function=None)

    def get_default_memory_pool(self) -> Any:
        """What was asked for and is kept."""
        return SimpleNamespace(used_bytes=lambda: 700, free_bytes=lambda: 100)

    def _memory(self) -> tuple[int, int]:
        if self.free is None:
            raise CUDARuntimeError("cudaErrorMemoryAllocation: out of memory")
        return self.free, 8_000_000_000
