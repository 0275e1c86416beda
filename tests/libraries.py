"""The array libraries on which the reference interpreter runs, each with what is strict about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace

from tests.peers import peer

NAMES = (
    "numpy",
    "numpy read-only",
    "strict",
    "strictest",
    "strict on device1",
    "strict without float64",
    "torch",
    "jax",
    "cupy",
)
STRICTEST = {"boolean_indexing": False, "data_dependent_shapes": False}


@dataclass(frozen=True)
class Library:
    """A namespace of the standard, its device, and the way to and from NumPy."""

    name: str
    xp: Any
    device: Any = None

    @property
    def single(self) -> bool:
        """Whether float64 does not exist there."""
        return self.name == "strict without float64"

    def narrow(self, values: Any) -> np.ndarray:
        """Host values in a data type that the library has."""
        values = np.asarray(values)
        return values.astype(np.float32) if self.single and values.dtype == np.float64 else values

    def array(self, values: Any) -> Any:
        """An array of the library."""
        values = self.narrow(values)
        if self.name.startswith("numpy"):
            copy = values.copy()
            copy.flags.writeable = self.name == "numpy"
            return copy
        options = {} if self.device is None else {"device": self.device}
        flat = self.xp.asarray(values.ravel().tolist(), dtype=getattr(self.xp, str(values.dtype)), **options)
        return self.xp.reshape(flat, values.shape)

    def numpy(self, array: Any) -> np.ndarray:
        """The values on the host; an array that is on another device than it should be is an error."""
        if self.name.startswith("strict"):
            assert self.device is None or array.device == self.device
            array = array.to_device(self.xp.Device("CPU_DEVICE"))
        return array.get() if self.name == "cupy" else np.asarray(array)


@contextmanager
def opened(name: str) -> Iterator[Library]:
    """The library of that name; skips where it is missing."""
    if name.startswith("numpy"):
        yield Library(name, array_namespace(np.zeros(1)))
    elif name.startswith("strict"):
        strict = peer("array_api_strict")
        devices = {"strict on device1": "device1", "strict without float64": "no_float64"}
        with strict.ArrayAPIStrictFlags(**(STRICTEST if name == "strictest" else {})):
            yield Library(name, strict, strict.Device(devices[name]) if name in devices else None)
    elif name == "cupy":
        yield Library(name, array_namespace(_first_of_gpu()))
    else:
        module = peer("jax.numpy" if name == "jax" else name)
        yield Library(name, array_namespace(module.zeros(1)))


def _first_of_gpu() -> Any:
    try:
        import cupy

        return cupy.zeros(1)
    except Exception as error:  # it imports without a driver, and fails in many ways when used
        if os.environ.get("NNKIT_REQUIRE_GPU") == "1":
            pytest.fail(f"a GPU is needed, since NNKIT_REQUIRE_GPU=1: {error}")
        pytest.skip(f"no GPU: {error}")
