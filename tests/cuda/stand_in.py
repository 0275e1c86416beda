"""A stand-in for the GPU: the same kernels, compiled for this processor, one thread in each block or all of them.

It refuses what CUDA and CuPy refuse while a step is recorded (copies, new memory, waiting, the library's first call),
and keeps the launches in their order. What is sent comes at once or as late as it may, by turns, so that whoever does
not wait for it reads something else.
"""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest

from nnkit.backend import Hardware, select
from nnkit.graph.dtypes import itemsize
from nnkit_cupy.blas_lt import BlasLt
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.failures import shortage
from nnkit_cupy.source.order import Placed
from nnkit_cupy.source.pieces import Product
from tests.cuda import fibers
from tests.cuda.fake_lt import FakeLt, narrow, wide

BLOCKS = 3  # so that more than one block has a part
SHIM = r"""
#include <cmath>
#include <math.h>
#include <cstring>
using namespace std;
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)
#define __align__(n)
#define __syncthreads()
#define __syncwarp()
#define HELD(items) (items)
#define EACH(items) (items)
struct float2 { float x, y; };
struct float4 { float x, y, z, w; };
struct Place { int x, y, z; };
static Place threadIdx = {0, 0, 0}, blockDim = {1, 1, 1}, blockIdx = {0, 0, 0}, gridDim = {1, 1, 1};
extern "C" void at_block(int block, int blocks) { blockIdx.x = block; gridDim.x = blocks; }
template <class T> T __shfl_xor_sync(unsigned, T x, int) { return x; }
template <class T> T __shfl_down_sync(unsigned, T x, int) { return x; }
"""


def compiler() -> str | None:
    """A C++ compiler of this machine."""
    return next((found for name in ("g++", "clang++", "c++") if (found := shutil.which(name))), None)


def selected(monkeypatch: pytest.MonkeyPatch, backend: CupyBackend) -> None:
    """``device="cuda"`` is this one from now on."""
    monkeypatch.setattr("nnkit.training.model.select", lambda name: backend if name == "cuda" else select(name))


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="nnkit-kernels-"))


@cache
def compiled(text: str) -> ctypes.CDLL:
    """The library of a source."""
    name = hashlib.sha256(text.encode()).hexdigest()[:20]
    source, library = _folder() / f"{name}.cpp", _folder() / f"{name}.so"
    source.write_text(text)
    # A product is not contracted with a sum, as NumPy does not: what is compared is the code, not the rounding.
    # Some systems look for overflowing buffers by themselves; so that all do, it is asked for.
    flags = ["-shared", "-fPIC", "-O1", "-std=c++17", "-ffp-contract=off", "-fno-strict-aliasing", "-w"]
    flags += ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"]
    done = subprocess.run([str(compiler()), *flags, str(source), "-o", str(library)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"the kernels do not compile:\n{done.stderr[:3000]}")
    return ctypes.CDLL(str(library))


class RefusedError(Exception):
    """What cannot be done while a step is recorded."""


class HostRuntime:
    """Does what ``nnkit_cupy.runtime.Runtime`` describes on the processor.

    ``memory`` is what there is of it, and ``taken`` what another process has, which may come in between. With
    ``threads`` a block has those that its kernel asks for (``fibers``); else there is one.
    """

    def __init__(self, memory: int = 1 << 30, threads: bool = False) -> None:
        self.memory, self.taken, self.used = memory, 0, 0
        self.threads = threads
        self.recording: list[Callable[[], None]] | None = None
        self.lt = FakeLt()
        self._lt = BlasLt(self.lt)
        self.multiplied = False
        self.launched = self.replayed = 0
        self.sent = 0
        self._on_the_way: deque[tuple[int, Any, Any]] = deque()
        self._copying = Lock()

    def zeros(self, shape: Sequence[int], dtype: str) -> Any:
        self._refuse("memory is taken")
        nbytes = int(np.prod(tuple(shape), dtype=np.int64)) * np.dtype(dtype).itemsize
        if nbytes > self.free_bytes():
            raise shortage(nbytes, self.free_bytes())
        raw = np.zeros(nbytes + 256, np.uint8)
        self.used += nbytes
        weakref.finalize(raw, self._give_back, nbytes)
        start = -raw.ctypes.data % 256
        return raw[start : start + nbytes].view(dtype).reshape(tuple(shape))

    def upload(self, array: Any) -> Any:
        copied = self.zeros(array.shape, array.dtype)
        np.copyto(copied, array)
        return copied

    def overwrite(self, target: Any, source: Any) -> None:
        self._refuse("the host copies")
        np.copyto(target, source, casting="unsafe")

    def download(self, array: Any) -> Any:
        self._refuse("the host waits")
        return np.array(array)

    def pinned(self, shape: Sequence[int], dtype: str) -> Any:
        self._refuse("memory is taken")
        return np.full(tuple(shape), 255, np.uint8).astype(dtype)

    def mark(self) -> Any:
        self._refuse("an event is left")
        return _Mark(self, 0)  # steps are done when they have been started

    def send(self, pairs: Sequence[tuple[Any, Any]], after: Any) -> Any:
        assert isinstance(after, _Mark)
        for target, source in pairs:
            assert (target.shape, target.dtype) == (source.shape, source.dtype)
        with self._copying:
            self.sent += 1
            mark, soon = _Mark(self, self.sent), self.sent % 2
            self._on_the_way.extend((self.sent, target, source) for target, source in pairs)
        if soon:
            mark.wait()
        return mark

    def hold(self, mark: Any) -> None:
        self._refuse("a stream waits for another")
        mark.wait()

    def copied(self, number: int) -> None:
        """All that was sent so far up to this number is copied."""
        with self._copying:
            while self._on_the_way and self._on_the_way[0][0] <= number:
                _, target, source = self._on_the_way.popleft()
                np.copyto(target, source)

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)

    def module(self, text: str) -> Callable[[str], Any]:
        library = compiled(fibers.source(text) if self.threads else SHIM + text)

        return lambda name: (library, name)

    def launch(self, kernel: Any, blocks: int, threads: int, arguments: Sequence[int], lane: int) -> None:
        assert 1 <= blocks < 1 << 31
        assert 1 <= threads <= 1024
        assert threads % 32 == 0
        library, name = kernel
        numbers = [ctypes.c_longlong(number) for number in arguments]
        count = min(blocks, BLOCKS)

        def run() -> None:
            self.launched += 1
            if self.threads:
                fibers.run(library, name, arguments, count, threads, self.launched)
                return
            for block in range(count):
                library.at_block(block, count)
                getattr(library, name)(*numbers)

        self._do(run)

    def product(self, product: Product, places: Sequence[int]) -> Callable[[int], None]:
        run = partial(self._multiply, product, *places)
        if product.bias is not None:
            run = partial(self._lt.start, self._lt.prepared(product, places), stream=0, workspace=4096)

        def start(lane: int) -> None:
            if self.recording is not None and not self.multiplied:
                raise RefusedError("the library prepares itself while a step is recorded")
            self.multiplied = True
            self._do(run)

        return start

    def ends(self, product: Product) -> bool:
        return self._lt.can(product)

    def _multiply(self, product: Product, a: int, b: int, out: int) -> None:
        (ta, tb), (la, lb, lo), apart = product.transposed, product.lengths, product.apart
        m, n, k = product.m, product.n, product.k
        for number in range(product.count):
            kinds = (product.read, product.read, product.written)
            sizes = [itemsize(kind) for kind in kinds]
            steps = zip((a, b, out), apart, sizes, strict=True)
            places = [place + number * step * size for place, step, size in steps]
            left = _matrix(places[0], product.read, m, k, la, ta)
            right = _matrix(places[1], product.read, k, n, lb, tb)
            with np.errstate(all="ignore"):  # as the library, which says nothing of infinite numbers
                made = np.asarray(wide(left) @ wide(right))
                _matrix(places[2], product.written, m, n, lo, False)[...] = narrow(made, product.written)

    def record(self, works: Sequence[Callable[[int], None]], places: Sequence[Placed]) -> Any:
        self.recording = []
        try:
            for work, place in zip(works, places, strict=True):
                work(place.lane)
        finally:
            recorded, self.recording = self.recording, None
        return _Recorded(recorded, places, self)

    def seconds(self, work: Callable[[], None]) -> float:
        work()
        return 1e-6

    def free_bytes(self) -> int:
        return self.memory - self.taken - self.used

    def used_bytes(self) -> int:
        return self.used

    def hardware(self) -> Hardware:
        return Hardware("0000:3B:00.0", self.memory, "9.0")

    def _give_back(self, nbytes: int) -> None:
        self.used -= nbytes

    def _do(self, run: Callable[[], None]) -> None:
        if self.recording is None:
            run()
        else:
            self.recording.append(run)

    def _refuse(self, what: str) -> None:
        if self.recording is not None:
            raise RefusedError(f"{what} while a step is recorded")


class _Mark:
    """The point after all copies up to a number."""

    def __init__(self, runtime: HostRuntime, number: int) -> None:
        self._runtime, self._number = runtime, number

    def wait(self) -> None:
        self._runtime.copied(self._number)


class _Recorded:
    """Runs in any order that lanes and waits allow: another one each time."""

    def __init__(self, recorded: list[Callable[[], None]], places: Sequence[Placed], runtime: HostRuntime) -> None:
        self._recorded, self._runtime = recorded, runtime
        self._before = [set(place.waits) for place in places]
        for number, place in enumerate(places):
            self._before[number] |= {k for k in range(number) if places[k].lane == place.lane}

    def launch(self) -> None:
        self._runtime.replayed += 1
        draw = np.random.default_rng(self._runtime.replayed)
        waiting = dict.fromkeys(range(len(self._recorded)))
        while waiting:
            ready = [number for number in waiting if not self._before[number] & waiting.keys()]
            chosen = ready[-1] if draw.random() < 0.5 else ready[draw.integers(len(ready))]
            del waiting[chosen]
            self._recorded[chosen]()


def _matrix(place: int, dtype: str, rows: int, columns: int, length: int, transposed: bool) -> Any:
    """The matrix at an address, as the library sees it."""
    stored = (columns, rows) if transposed else (rows, columns)
    count = (stored[0] - 1) * length + stored[1]
    dtype = "uint16" if dtype == "bfloat16" else dtype
    raw = (ctypes.c_char * (count * itemsize(dtype))).from_address(place)
    flat = np.frombuffer(raw, dtype)
    size = flat.itemsize
    matrix = np.lib.stride_tricks.as_strided(flat, stored, (length * size, size))
    return matrix.T if transposed else matrix
