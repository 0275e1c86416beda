"""Libraries that results are compared with. Where one is missing its tests skip, or fail if NNKIT_REQUIRE_PEERS=1."""

import importlib
import os

import numpy as np
import pytest

LIBRARIES = ("numpy", "array_api_strict", "array_api_strict on device1", "torch", "jax")


def peer(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if os.environ.get("NNKIT_REQUIRE_PEERS") == "1":
            pytest.fail(f"{name} is needed, since NNKIT_REQUIRE_PEERS=1: {error}")
        pytest.skip(f"{name} is not installed")


def array_of(library, values):
    """An array of that library with the values and dtype of a NumPy array.

    The strict library's other device stands for a GPU: it refuses to mix with the host.
    """
    name, _, device = library.partition(" on ")
    module = peer("jax.numpy" if name == "jax" else name)
    values = np.asarray(values)
    options = {"device": module.Device(device)} if device else {}
    return module.asarray(values.tolist(), dtype=getattr(module, str(values.dtype)), **options)


def as_numpy(array):
    """The values of an array of any of the libraries."""
    if type(array).__module__.startswith("array_api_strict"):
        array = array.to_device(peer("array_api_strict").Device("CPU_DEVICE"))
    return np.asarray(array)


def keras(name):
    """A module of Keras, on JAX as everywhere in the tests: a process has one of its backends."""
    os.environ["KERAS_BACKEND"] = "jax"
    peer("jax")
    peer("keras")
    return importlib.import_module(f"keras.{name}")
