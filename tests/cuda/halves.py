"""Halves on the host, and the error of sums of their products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

HALVES = pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
EPS = 2.0**-24


def sums(terms: int) -> float:
    """The error of a sum of products of halves, beside that of their sizes.

    A tensor core adds sixteen terms at a time and cuts the sum off instead of rounding it, by up to 2 ε (Fasi, Higham,
    Mikaitis and Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science, 2021).
    """
    return (16 + 2 * terms / 16) * EPS


def widened(bits: np.ndarray, dtype: str) -> np.ndarray:
    """The float32 of the bits of halves."""
    if dtype == "float16":
        return bits.view(np.float16).astype(np.float32)
    return (bits.astype(np.uint32) << 16).view(np.float32)


def rounded(values: Any, dtype: str) -> np.ndarray:
    """To halves and back, to the nearest, ties to even; through float32, as the device does."""
    with np.errstate(over="ignore"):
        single = np.asarray(values, np.float32)
        if dtype == "float16":
            return single.astype(np.float16).astype(np.float32)
    bits = single.view(np.uint32).astype(np.uint64)
    nearest = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)
    return np.where(np.isnan(single), single, nearest)
