"""The backend object of the processor."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

from nnkit.backend import Hardware, NoNativeFormError
from nnkit.plan import Plan, Target
from nnkit_numpy import calibration, profile
from nnkit_numpy.cores import cores
from nnkit_numpy.memory import NumpyStore
from nnkit_numpy.native.loops import DIVISIBLE
from nnkit_numpy.native.passes import FOLDS
from nnkit_numpy.native.program import NativeExecutable
from nnkit_numpy.program import NumpyExecutable

# Rates of a current server core with wide vectors, and a cache of 32 MB behind it; a profile has those of the machine.
TARGET = Target(
    name="cpu",
    call_s=3e-7,
    bytes_per_s=1.0e10,
    cached_bytes_per_s=1.2e11,
    near_bytes=1 << 25,
    near_bytes_per_s=2.5e10,
    flops_per_s=1.0e11,
    tile_bytes=1 << 19,
    row_folds=frozenset(("sum", "max", "min")),
    element_s=(("exp", 4e-10), ("log", 5e-10), ("tanh", 4e-10), ("expm1", 1e-8), ("log1p", 1e-8), ("pow", 5e-9)),
)
# The same processor, when a plan becomes one native function: a pass is a loop, and starting one costs next to nothing.
NATIVE = replace(
    TARGET,
    name="cpu native",
    call_s=2.2e-8,
    cached_bytes_per_s=6e10,
    near_bytes_per_s=4e10,
    bytes_per_s=1.4e10,
    flops_per_s=1.1e11,
    loops=True,
    operation_s=1e-11,
    element_s=(
        ("exp", 7e-10),
        ("expm1", 8e-10),
        ("tanh", 9e-10),
        ("log", 8e-10),
        ("log1p", 9e-10),
        ("pow", 5e-9),
        ("sqrt", 1e-10),
        ("divide", 1e-10),
        ("permute_dims", 4e-10),
    ),
    meet_s=5e-8,
    start_s=6e-5,
    run_steps=100,
    folds=frozenset(FOLDS),
    divisible=frozenset(DIVISIBLE),
)
COMPILE_S = (0.7, 0.015)
"""Seconds to compile a native function, and each kernel unlike the others, measured without a cache."""
KEPT = 64


class NumpyBackend:
    """Compiles plans to NumPy code and keeps the code of the latest ones."""

    name = "cpu"

    def __init__(self) -> None:
        self._executables: OrderedDict[str, NumpyExecutable | NativeExecutable] = OrderedDict()
        self._lock = Lock()

    def target(self) -> Target:
        """Rates and cache size of the processor."""
        return profile.applied(TARGET, "plain")

    def native_target(self) -> Target:
        """The processor as native code sees it, with all its cores."""
        return profile.applied(_native(), "native")

    def calibrate(self) -> dict[str, Target]:
        """Measure the rates, which takes some seconds, and keep them for this process and later ones."""
        rates = {"plain": calibration.plain()}
        with suppress(NoNativeFormError):
            rates["native"] = calibration.native(_native())
        profile.keep(rates)
        targets = {"plain": self.target(), "native": self.native_target()}
        return {form: targets[form] for form in rates}

    def compile_s(self, plan: Plan) -> float:
        """Predicted seconds to compile a native plan, as if nothing were cached."""
        return COMPILE_S[0] + COMPILE_S[1] * plan.unlike_kernels

    def new_store(self) -> NumpyStore:
        """An empty store."""
        return NumpyStore()

    def compile(self, plan: Plan) -> NumpyExecutable | NativeExecutable:
        """The code of a plan, from the cache when the same plan was compiled before."""
        with self._lock:
            known = self._executables.get(plan.fingerprint)
            if known is None:
                known = self._executables[plan.fingerprint] = _executable(plan)
                if len(self._executables) > KEPT:
                    self._executables.popitem(last=False)
            return known

    def free_bytes(self) -> int:
        """Memory of this machine that is free now."""
        import psutil

        return int(psutil.virtual_memory().available)

    def hardware(self) -> Hardware:
        """It has no memory of its own and is on no bus."""
        return Hardware()

    def share(self) -> None:
        """What this process takes of the host is for the probe of the host."""

    def to_device(self, array: Any) -> Any:
        """The array itself, contiguous: NumPy's memory is the device's."""
        return np.asarray(array, order="C")

    def overwrite(self, target: Any, source: Any) -> None:
        """Copy a host array into a device array of the same shape."""
        np.copyto(target, source)

    def inlet(self) -> None:
        """There is none: data stay where they are."""


@cache
def _native() -> Target:
    return replace(NATIVE, threads=cores())


def _executable(plan: Plan) -> NumpyExecutable | NativeExecutable:
    return NativeExecutable(plan) if plan.target.loops else NumpyExecutable(plan)
