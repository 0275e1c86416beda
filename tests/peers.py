"""Libraries that results are compared with. Where one is missing its tests skip, or fail if NNKIT_REQUIRE_PEERS=1."""

import importlib
import os

import numpy as np
import pytest

LIBRARIES = ("numpy", "array_api_strict", "torch", "jax")


def peer(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if os.environ.get("NNKIT_REQUIRE_PEERS") == "1":
            pytest.fail(f"{name} is needed, since NNKIT_REQUIRE_PEERS=1: {error}")
        pytest.skip(f"{name} is not installed")


def array_of(library, values):
    """An array of that library with the values and dtype of a NumPy array."""
    module = peer("jax.numpy" if library == "jax" else library)
    values = np.asarray(values)
    return module.asarray(values.tolist(), dtype=getattr(module, str(values.dtype)))


def as_numpy(array):
    """The values of an array of any of the libraries."""
    return np.asarray(array)
