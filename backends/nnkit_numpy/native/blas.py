"""The library's products of matrices: where they are, and how to keep their threads out of the way of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any


@cache
def addresses() -> tuple[int, int]:
    """Of ``sgemm`` and ``dgemm``."""
    from numba.extending import get_cython_function_address

    single, double = (int(get_cython_function_address("scipy.linalg.cython_blas", name)) for name in ("sgemm", "dgemm"))
    return single, double


@cache
def _libraries() -> tuple[Any, ...]:
    """The library that these belong to. NumPy may have one of its own, which is left alone."""
    from threadpoolctl import ThreadpoolController

    addresses()  # loads it
    found = [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]
    own = [library for library in found if {"scipy", "scipy.libs"} & set(Path(library.filepath).parts)]
    return tuple(own or found)


class _Limit:
    """How many native programs run, and what to put back after the last of them."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.running = 0
        self.before: list[int] = []


_LIMIT = _Limit()


@contextmanager
def in_the_calling_thread() -> Iterator[None]:
    """Products run in the thread that calls them: native programs divide their work themselves.

    It holds for the process, so that a program does the same whatever else runs beside it.
    """
    with _LIMIT.lock:
        if not _LIMIT.running:
            _LIMIT.before = [library.num_threads for library in _libraries()]
            for library in _libraries():
                library.set_num_threads(1)
        _LIMIT.running += 1
    try:
        yield
    finally:
        with _LIMIT.lock:
            _LIMIT.running -= 1
            if not _LIMIT.running:
                for library, count in zip(_libraries(), _LIMIT.before, strict=True):
                    library.set_num_threads(count)
