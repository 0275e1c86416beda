"""The physical limit of a workload on this machine: its products at the peak rate, its bytes at the bandwidth."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np

from contest.workloads import Workload


def best(action: object, repeats: int = 7) -> float:
    """The shortest of several times: a limit is what the machine can do."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()  # type: ignore[operator]
        times.append(time.perf_counter() - began)
    return min(times)


def flops_per_s() -> float:
    """The rate of a large product in float32."""
    a = np.ones((2048, 2048), np.float32)
    out = np.empty_like(a)
    return 2 * 2048**3 / best(lambda: np.matmul(a, a, out))


def bytes_per_s() -> float:
    """The rate of a copy that is too large for any cache, counting what is read and what is written."""
    a = np.ones(1 << 26, np.float32)
    out = np.empty_like(a)
    return 2 * a.nbytes / best(lambda: np.copyto(out, a))


def limit_s(workload: Workload, flops: float, bandwidth: float) -> float:
    """Seconds of a step: three products a layer, two in the first, and Adam, which reads four values and writes three.

    Networks that fit a cache can be faster than their bytes suggest: then only the products count.
    """
    pairs = list(pairwise(workload.sizes))
    products = sum(n * m * (2 if not i else 3) for i, (n, m) in enumerate(pairs)) * 2 * workload.batch
    values = sum((n + 1) * m for n, m in pairs)
    moved = 4 * values * 7 if values * 16 > CACHE else 0
    return products / flops + moved / bandwidth


CACHE = 1 << 21
"""Bytes of parameters, gradient and moments that a core keeps in its second-level cache."""
