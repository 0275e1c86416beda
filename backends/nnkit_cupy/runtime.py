"""The calls to the GPU that the backend makes, and nothing else: memory, copies, kernels, products, graphs.

A stand-in with these methods runs the same programs on a processor, for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from nnkit.backend import Hardware, Inlet, Mark
from nnkit_cupy.failures import is_shortage, shortage
from nnkit_cupy.source.order import LANES, Placed
from nnkit_cupy.source.pieces import Product

if TYPE_CHECKING:
    from nnkit_cupy.blas_lt import Call

Array = npt.NDArray[Any]
Address = int
SMALL, MANY = 1 << 16, 256
"""Bytes of a host array that is copied, so that nobody waits until the device has it, and how many such are kept."""


class NotRecordedError(Exception):
    """Steps that cannot be recorded as a graph; the text says why."""


class Replay(Protocol):
    """A recorded step."""

    def launch(self) -> None:
        """Run it, after what the stream has before it; does not wait."""


Work = Callable[[int], None]
"""Starts something in a lane."""


class Runtime(Inlet, Protocol):
    """One GPU with one stream, lane 0, in whose order everything happens. A recorded step may use more of them.

    What is sent through the inlet has a stream of its own.
    """

    def upload(self, array: Array) -> Any:
        """A device copy of a host array."""

    def overwrite(self, target: Any, source: Array) -> None:
        """Copy a host array into a device array, spread to its shape."""

    def download(self, array: Any) -> Array:
        """A host copy, after everything before it is done: the only way to wait."""

    def address(self, array: Any) -> Address:
        """Where a device array begins."""

    def module(self, text: str) -> Callable[[str], Any]:
        """Compile kernels; gives a function from their names."""

    def launch(self, kernel: Any, blocks: int, threads: int, arguments: Sequence[int], lane: int) -> None:
        """Start a kernel with these addresses and numbers, each of eight bytes."""

    def product(self, product: Product, places: Sequence[Address]) -> Work:
        """A matrix product by the library, ready to be started.

        The places are those of its operands, its result, and of its bias if it has one.
        """

    def ends(self, product: Product) -> bool:
        """Whether the library does a product with its bias and ReLU."""

    def record(self, works: Sequence[Work], places: Sequence[Placed]) -> Replay:
        """What these start in their lanes, as one graph; it is not run. ``NotRecordedError`` where that cannot be."""

    def seconds(self, work: Callable[[], None]) -> float:
        """How long the device takes for what ``work`` starts."""

    def free_bytes(self) -> int:
        """Memory that is free on the device, or kept for arrays to come."""

    def used_bytes(self) -> int:
        """Memory of the arrays of this process."""

    def hardware(self) -> Hardware:
        """Which GPU it is, and its memory."""


class CupyRuntime:
    """The calls through CuPy and cuBLAS."""

    def __init__(self, number: int) -> None:
        import cupy

        from nnkit_cupy.blas import Blas, library
        from nnkit_cupy.blas_lt import BlasLt

        self._cupy = cupy
        self._device = cupy.cuda.Device(number)
        with self._device:
            self._lanes = [cupy.cuda.Stream(non_blocking=True) for _ in range(LANES)]
            self._stream = self._lanes[0]
            self._copies = cupy.cuda.Stream(non_blocking=True)
            self._blas = [Blas(cupy, lane.ptr) for lane in self._lanes]
        self._blas_lt = cache(lambda: BlasLt(library("cublasLt")))
        self._under_way: list[Array] = []

    def zeros(self, shape: Sequence[int], dtype: str) -> Any:
        """A device array of zeros."""
        with self._taking(prod(shape) * np.dtype(dtype).itemsize):
            return self._cupy.zeros(tuple(shape), dtype)

    def upload(self, array: Array) -> Any:
        """A device copy of a host array."""
        with self._taking(array.nbytes):
            copied = self._cupy.empty(array.shape, array.dtype)
            copied.set(np.asarray(array, order="C"), stream=self._stream)
            self._stream.synchronize()  # the host array is the caller's, who may change it
        return copied

    def overwrite(self, target: Any, source: Array) -> None:
        """Copy a host array into a device array, spread to its shape."""
        small = target.nbytes <= SMALL
        spread = np.broadcast_to(np.asarray(source, target.dtype), target.shape)
        spread = np.array(spread, order="C", copy=True if small else None)
        if not spread.size:
            return
        with self._device, self._stream:
            target.set(spread, stream=self._stream)
            self._under_way.append(spread)
            if not small or len(self._under_way) == MANY:  # what is not small is the caller's, who may change it
                self._stream.synchronize()
                self._under_way.clear()

    def download(self, array: Any) -> Array:
        """A host copy, after everything before it is done."""
        with self._device, self._stream:
            found: Array = array.get(stream=self._stream)
        self._under_way.clear()
        return found

    def pinned(self, shape: Sequence[int], dtype: str) -> Array:
        """A host array whose pages the system does not move."""
        nbytes = prod(shape) * np.dtype(dtype).itemsize
        with self._device:
            memory = self._cupy.cuda.alloc_pinned_memory(max(nbytes, 1))
        return np.ndarray(tuple(shape), dtype, memory)

    def mark(self) -> Mark:
        """The point after all that the stream has before it."""
        with self._device:
            return self._marked(self._stream)

    def send(self, pairs: Sequence[tuple[Any, Array]], after: Mark) -> Mark:
        """Copies on their own stream."""
        assert isinstance(after, _Event)
        with self._device:
            self._copies.wait_event(after.event)
            for target, source in pairs:
                target.set(source, stream=self._copies)
            return self._marked(self._copies)

    def hold(self, mark: Mark) -> None:
        """The stream goes on after this mark."""
        assert isinstance(mark, _Event)
        with self._device:
            self._stream.wait_event(mark.event)

    def _marked(self, stream: Any) -> _Event:
        event = self._cupy.cuda.Event(block=True, disable_timing=True)  # who waits leaves the processor to others
        event.record(stream)
        return _Event(event)

    def address(self, array: Any) -> Address:
        """Where a device array begins."""
        return int(array.data.ptr)

    def module(self, text: str) -> Callable[[str], Any]:
        """Compile kernels; gives a function from their names."""
        with self._taking():
            made = self._cupy.RawModule(code=text, options=("--std=c++17",))
            get: Callable[[str], Any] = made.get_function
            return get

    def launch(self, kernel: Any, blocks: int, threads: int, arguments: Sequence[int], lane: int) -> None:
        """Start a kernel with these addresses and numbers."""
        with self._device, self._lanes[lane]:
            kernel((blocks,), (threads,), tuple(arguments))

    def product(self, product: Product, places: Sequence[Address]) -> Work:
        """A matrix product by the library, ready to be started."""
        if product.bias is None:
            return partial(self._multiply, product, places)
        with self._device:
            return partial(self._multiply_and_end, self._blas_lt().prepared(product, places))

    def ends(self, product: Product) -> bool:
        """Whether the library does a product with its bias and ReLU."""
        with self._device:
            return self._blas_lt().can(product)

    def _multiply(self, product: Product, places: Sequence[Address], lane: int) -> None:
        with self._device:
            self._blas[lane].multiply(product, *places)

    def _multiply_and_end(self, call: Call, lane: int) -> None:
        with self._device:
            self._blas_lt().start(call, self._lanes[lane].ptr, self._blas[lane].workspace)

    def record(self, works: Sequence[Work], places: Sequence[Placed]) -> Replay:
        """What these start in their lanes, as one graph."""
        with self._taking():
            try:
                self._stream.begin_capture()
                try:
                    self._start(works, places)
                finally:
                    graph = self._stream.end_capture()
                graph.upload(self._stream)
            except Exception as error:  # the driver's, the library's, or that of a kernel's launch
                if is_shortage(error):
                    raise
                raise NotRecordedError(f"{type(error).__name__}: {error}") from error
        return _Graph(graph, self._stream)

    def _start(self, works: Sequence[Work], places: Sequence[Placed]) -> None:
        """Everything in its lane; the others part from lane 0 and come back to it."""
        event = partial(self._cupy.cuda.Event, disable_timing=True)
        used = sorted({place.lane for place in places} - {0})
        awaited = {k for place in places for k in place.waits}
        began = event()
        began.record(self._stream)
        for lane in used:
            self._lanes[lane].wait_event(began)
        ended: dict[int, Any] = {}
        for number, (work, place) in enumerate(zip(works, places, strict=True)):
            for k in place.waits:
                self._lanes[place.lane].wait_event(ended[k])
            work(place.lane)
            if number in awaited:
                ended[number] = event()
                ended[number].record(self._lanes[place.lane])
        for lane in used:
            done = event()
            done.record(self._lanes[lane])
            self._stream.wait_event(done)

    def seconds(self, work: Callable[[], None]) -> float:
        """How long the device takes for what ``work`` starts."""
        with self._device, self._stream:
            began, ended = self._cupy.cuda.Event(), self._cupy.cuda.Event()
            began.record(self._stream)
            work()
            ended.record(self._stream)
            ended.synchronize()
            return float(self._cupy.cuda.get_elapsed_time(began, ended)) * 1e-3

    def free_bytes(self) -> int:
        """Memory that is free on the device, or kept for arrays to come."""
        with self._device:
            free: int = self._cupy.cuda.runtime.memGetInfo()[0] + self._cupy.get_default_memory_pool().free_bytes()
            return free

    def used_bytes(self) -> int:
        """Memory of the arrays of this process."""
        with self._cupy.cuda.Device(self._device.id):  # one of its own, for any thread may ask
            return int(self._cupy.get_default_memory_pool().used_bytes())

    def hardware(self) -> Hardware:
        """Which GPU it is, and its memory."""
        with self._device:
            memory = int(self._cupy.cuda.runtime.memGetInfo()[1])
        capability = str(self._device.compute_capability)
        return Hardware(str(self._device.pci_bus_id), memory, f"{capability[:-1]}.{capability[-1:]}")

    @contextmanager
    def _taking(self, nbytes: int | None = None) -> Iterator[None]:
        """Work on this device and stream for which memory is needed; the error where there is none says so."""
        try:
            with self._device, self._stream:
                yield
        except Exception as error:  # each library has an error of its own for it
            if is_shortage(error):
                raise shortage(nbytes, self.free_bytes()) from error
            raise


class _Event:
    """A mark in a stream."""

    def __init__(self, event: Any) -> None:
        self.event = event

    def wait(self) -> None:
        """The host waits for it."""
        self.event.synchronize()


class _Graph:
    """A CUDA graph on the backend's stream."""

    def __init__(self, graph: Any, stream: Any) -> None:
        self._graph, self._stream = graph, stream

    def launch(self) -> None:
        """Run it, after what the stream has before it."""
        self._graph.launch(self._stream)
