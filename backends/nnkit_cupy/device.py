"""The backend object of a GPU."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from nnkit.backend import Hardware, Inlet, Share
from nnkit.plan import Plan, Target
from nnkit_cupy.memory import CupyStore
from nnkit_cupy.program import CupyExecutable
from nnkit_cupy.runtime import Runtime
from nnkit_cupy.source.order import LANES
from nnkit_cupy.source.passes import FOLDS, ROW_FOLDS
from nnkit_cupy.traffic import CountedInlet, Traffic

# Rates of an H200, measured: copies, products in float32 without TF32, and one more node in a graph.
TARGET = Target(
    name="cuda",
    call_s=1.2e-6,
    bytes_per_s=4.2e12,
    cached_bytes_per_s=8e12,
    near_bytes=1 << 25,
    near_bytes_per_s=6e12,
    flops_per_s=5.1e13,
    tile_bytes=1 << 62,
    alignment=256,
    loops=True,
    lanes=LANES,
    crosses=True,
    folds=frozenset(FOLDS),
    row_folds=frozenset(ROW_FOLDS),
    native=frozenset(("erf",)),
    rounded=(("tf32", 3.5e14), ("float16", 6.5e14), ("bfloat16", 6.5e14)),
)
COMPILE_S = (0.5, 0.03)
"""Seconds to compile a module, and each kernel unlike the others."""
KEPT = 64


class CupyBackend:
    """Compiles plans to CUDA kernels and keeps those of the latest ones."""

    def __init__(self, name: str, runtime: Runtime) -> None:
        self.name = name
        self._runtime = runtime
        self._executables: OrderedDict[str, CupyExecutable] = OrderedDict()
        self._lock = Lock()
        self._traffic = Traffic()

    def target(self) -> Target:
        """Rates and abilities of the GPU."""
        return self._target

    @cached_property
    def _target(self) -> Target:
        """Tensor cores multiply bfloat16 and TF32 from compute capability 8.0 on."""
        if float(self._runtime.hardware().compute_capability or 8.0) >= 8.0:
            return TARGET
        return replace(TARGET, rounded=tuple(each for each in TARGET.rounded if each[0] == "float16"))

    def native_target(self) -> None:
        """There is one form of program, which is compiled."""

    def calibrate(self) -> dict[str, Target]:
        """The rates are built in."""
        return {"native": self.target()}

    def compile_s(self, plan: Plan) -> float:
        """Predicted seconds to compile a plan, as if nothing were cached."""
        return COMPILE_S[0] + COMPILE_S[1] * plan.unlike_kernels

    def new_store(self) -> CupyStore:
        """An empty store."""
        return CupyStore(self._runtime)

    def compile(self, plan: Plan) -> CupyExecutable:
        """The kernels of a plan, from the cache when the same plan was compiled before."""
        with self._lock:
            known = self._executables.get(plan.fingerprint)
            if known is None:
                known = self._executables[plan.fingerprint] = CupyExecutable(plan, self._runtime, self._traffic)
                if len(self._executables) > KEPT:
                    self._executables.popitem(last=False)
            return known

    def free_bytes(self) -> int:
        """Memory of the GPU that is free now."""
        return self._runtime.free_bytes()

    def hardware(self) -> Hardware:
        """Which GPU it is, and its memory."""
        return self._runtime.hardware()

    def share(self) -> Share:
        """The arrays of this process on the GPU, and what was copied to it."""
        return Share(self._runtime.used_bytes(), self._traffic.nbytes, self._traffic.seconds)

    def to_device(self, array: Any) -> Any:
        """A device copy of a host array."""
        source = np.asarray(array)
        with self._traffic.waiting(source.nbytes):
            return self._runtime.upload(source)

    def overwrite(self, target: Any, source: Any) -> None:
        """Copy a host array into a device array, spread to its shape."""
        with self._traffic.waiting(int(target.nbytes)):
            self._runtime.overwrite(target, np.asarray(source))

    def inlet(self) -> Inlet:
        """Copies on a stream of their own."""
        return CountedInlet(self._runtime, self._traffic)
