"""The library's products of matrices: where they are, and how to keep their threads out of the way of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple


@cache
def addresses() -> tuple[int, int]:
    """Of ``sgemm`` and ``dgemm``."""
    from numba.extending import get_cython_function_address

    single, double = (int(get_cython_function_address("scipy.linalg.cython_blas", name)) for name in ("sgemm", "dgemm"))
    return single, double


class Threads(NamedTuple):
    """How many threads a library uses, to read and to set. Every thread of this process may set it."""

    read: Callable[[], int]
    set: Callable[[int], object]


@cache
def _libraries() -> tuple[Threads, ...]:
    """The library that these belong to. NumPy may have one of its own, which is left alone."""
    from threadpoolctl import ThreadpoolController

    addresses()  # loads it
    found = [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]
    own = [library for library in found if {"scipy", "scipy.libs"} & set(Path(library.filepath).parts)]
    return tuple(_threads(library) for library in own or found)


def _threads(library: Any) -> Threads:
    """OpenBLAS by its own functions: threadpoolctl's let only the thread that came first set anything."""
    for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
        names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set")]
        if all(hasattr(library.dynlib, name) for name in names):
            return Threads(*(getattr(library.dynlib, name) for name in names))
    return Threads(library.get_num_threads, library.set_num_threads)


class _InTheCallingThread:
    """Products run in the thread that calls them: native programs divide their work themselves.

    It holds for the process while any native program runs, so that a program does the same whatever else runs beside
    it. The last of them puts back what the first one found.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self._before: list[int] = []

    def __enter__(self) -> None:
        with self._lock:
            if not self._running:
                self._before = [library.read() for library in _libraries()]
                for library in _libraries():
                    library.set(1)
            self._running += 1

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._running -= 1
            if not self._running:
                for library, count in zip(_libraries(), self._before, strict=True):
                    library.set(count)


IN_THE_CALLING_THREAD = _InTheCallingThread()
