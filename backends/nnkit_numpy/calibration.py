"""The rates of this processor, measured: what NumPy's calls and native loops take here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from nnkit.graph import Trace
from nnkit.plan import Target, plan
from nnkit_numpy.memory import Array, NumpyStore
from nnkit_numpy.native.program import NativeExecutable

BLOCK_S, BLOCKS = 2e-3, 7
"""Seconds that a timed block takes at least, and how many there are; the shortest counts."""
FEW, CACHED, NEAR, FAR = 16, 1 << 15, 1 << 20, 1 << 24
"""Numbers in arrays: for which a call is all; that a core's cache holds; that the last cache holds; that none does."""
SIDE = 768
TILES = tuple(1 << power for power in range(17, 22))
SLOW = ("exp", "log", "tanh", "expm1", "log1p", "pow", "sqrt", "divide")
CHAIN = 24
"""Operations in a row, or kernels, of which one takes its share of the whole."""


def plain() -> dict[str, Any]:
    """The rates of NumPy's calls."""
    a, b, c = (np.linspace(0.5, 1.5, FAR, dtype=np.float32) for _ in range(3))

    def add(count: int) -> float:
        return _shortest(lambda: np.add(a[:count], b[:count], c[:count]))

    square = np.ones((SIDE, SIDE), np.float32)
    product = np.empty_like(square)
    call_s, cached_s = add(FEW), add(CACHED)
    slow = {}
    for name in SLOW:
        function = getattr(np, name)
        operands = [x[:CACHED] for x in (a, b, c)[3 - function.nin - 1 :]]
        slow[name] = max(0.0, _shortest(lambda: function(*operands)) - cached_s) / CACHED  # noqa: B023
    return {
        "call_s": call_s,
        "flops_per_s": 2 * SIDE**3 / _shortest(lambda: np.matmul(square, square, product)),
        "cached_bytes_per_s": 12 * CACHED / (cached_s - call_s),
        "near_bytes_per_s": 12 * NEAR / add(NEAR),
        "bytes_per_s": 12 * FAR / add(FAR),
        "tile_bytes": min(TILES, key=lambda nbytes: _tiled_s(a, nbytes)),
        "element_s": tuple(slow.items()),
    }


def _tiled_s(x: Array, nbytes: int) -> float:
    """A pass of several operations over much, in tiles of so many bytes with their scratch."""
    count = nbytes // 8
    scratch = np.empty(count, np.float32)

    def go() -> None:
        for start in range(0, FAR // 4, count):
            tile = x[start : start + count]
            for _ in range(4):
                np.multiply(tile, tile, scratch)
                np.add(scratch, tile, scratch)

    return _shortest(go)


def native(target: Target) -> dict[str, Any]:
    """The rates of native loops, those of memory while all threads run."""
    alone = replace(target, threads=1)
    cached, near, far = (np.linspace(0.5, 1.5, count, dtype=np.float32) for count in (CACHED, NEAR, FAR))
    square = np.ones((SIDE // 2, SIDE // 2), np.float32)
    one_s = _native_s(alone, lambda xp, x: x + x, x=cached)
    chain_s = _native_s(alone, _chain, x=cached)
    # What is written is as much as what is read: 8 bytes for each number.
    rates = {
        "cached_bytes_per_s": 8 * CACHED / one_s,
        "near_bytes_per_s": 8 * NEAR / _native_s(target, lambda xp, x: x + x, x=near) / target.threads,
        "bytes_per_s": 8 * FAR / _native_s(target, lambda xp, x: x + x, x=far) / target.threads,
    }
    slow = {}
    for name in SLOW:
        taken_s = _native_s(alone, lambda xp, x: _function(xp, name)(x), x=cached)  # noqa: B023
        slow[name] = max(0.0, taken_s - one_s) / CACHED
    flops = 2 * (SIDE // 2) ** 3 / _native_s(alone, lambda xp, x: xp.matmul(x, x), x=square)
    return {
        "call_s": _native_s(alone, _layers, **_small()) / (2 * CHAIN),
        "flops_per_s": flops,
        **rates,
        "operation_s": max(chain_s - one_s, 0.0) / (2 * CHAIN - 1) / CACHED,
        "element_s": (*slow.items(), *((n, s) for n, s in target.element_s if n not in slow)),
        **_together(target),
    }


def _together(target: Target) -> dict[str, float]:
    """What it takes threads to meet, and to come together for a run."""
    if target.threads == 1:
        return {}
    eager = replace(target, meet_s=0.0, start_s=0.0, call_s=1e-3)

    def turned(xp: Any, x: Any) -> Any:
        for _ in range(CHAIN):  # each needs what all have done
            x = xp.flip(xp.cumulative_sum(x, axis=1), axis=(0,)) * 0.5
        return x

    values = np.ones((32, 4), np.float32)
    program = _program(eager, turned, {"x": values})
    many_s, few_s = (_shortest(partial(program._go, steps, True)) for steps in (64, 1))
    alone_s = _shortest(partial(program._go, 64, False))
    return {
        "meet_s": max((many_s - alone_s) / 64 / CHAIN / 2 / target.threads, 1e-8),
        "start_s": max(few_s - many_s / 64, 1e-6),
    }


def _small() -> dict[str, Array]:
    """Rows, and weights of layers so small that their calls, and the starts of their loops, are most of the work."""
    sizes = [2 + number % 5 for number in range(CHAIN + 1)]
    weights = {f"w{k}": np.ones(pair, np.float32) for k, pair in enumerate(pairwise(sizes))}
    return {"x": np.ones((12, sizes[0]), np.float32), **weights}


def _layers(xp: Any, x: Any, **weights: Any) -> Any:
    for weight in weights.values():
        x = xp.maximum(xp.matmul(x, weight) * 0.1, 0.0)
    return x


def _chain(xp: Any, x: Any) -> Any:
    y = x
    for _ in range(CHAIN):
        y = (y * 0.5) + x
    return y


def _function(xp: Any, name: str) -> Callable[[Any], Any]:
    if name in ("pow", "divide"):
        return lambda x: getattr(xp, name)(x, x)
    found: Callable[[Any], Any] = getattr(xp, name)
    return found


def _native_s(target: Target, build: Callable[..., Any], **arrays: Array) -> float:
    """Seconds of a step."""
    program = _program(target, build, arrays)
    return _steady(program.run)


def _program(target: Target, build: Callable[..., Any], arrays: Mapping[str, Array]) -> Any:
    trace = Trace()
    inputs = {name: trace.input(name, "data", array.shape, array.dtype.name) for name, array in arrays.items()}
    made = plan(trace.graph({"y": build(trace.namespace, **inputs)}), target)
    return NativeExecutable(made).bind(NumpyStore(), arrays)


def _shortest(action: Callable[[], object]) -> float:
    """Seconds of one call, from blocks of calls."""

    def block(calls: int) -> None:
        for _ in range(calls):
            action()

    return _steady(block)


def _steady(block: Callable[[int], object]) -> float:
    """Seconds of one of many that ``block`` does in a row."""
    count = 1
    while _timed(block, count) < BLOCK_S:
        count *= 2
    return min(_timed(block, count) for _ in range(BLOCKS)) / count


def _timed(block: Callable[[int], object], count: int) -> float:
    began = time.perf_counter()
    block(count)
    return time.perf_counter() - began
