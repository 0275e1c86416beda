"""What stands in the way of a GPU is said, and what to do about it."""

from __future__ import annotations

import sys
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nnkit
import nnkit.backend
from nnkit.backend import Hardware, select
from nnkit.errors import DeviceError
from nnkit_cupy import create, runtime
from nnkit_cupy.blas import Blas
from nnkit_cupy.device import CupyBackend
from tests.cuda.fake_cupy import FakeCupy
from tests.cuda.stand_in import HostRuntime


class CUDARuntimeError(Exception):
    """CuPy's."""


def cupy(count: int | str, driver: int | None = None) -> SimpleNamespace:
    """As much of CuPy as is asked: so many GPUs, or the error of the driver."""

    def get() -> int:
        if isinstance(count, str):
            raise CUDARuntimeError(count)
        return count

    versions = {"driverGetVersion": lambda: driver, "runtimeGetVersion": lambda: 13000} if driver is not None else {}
    runtime = SimpleNamespace(getDeviceCount=get, CUDARuntimeError=CUDARuntimeError, **versions)
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))


@pytest.mark.parametrize(
    ("found", "number", "message"),
    [
        (
            None,
            "",
            r"no backend for device 'cuda' here: it takes an NVIDIA GPU, CuPy \(pip install 'nnkit\[cuda12\]'",
        ),
        (0, "", "there is no device 'cuda': the driver sees no GPU; use device='cpu'"),
        (2, "2", "there is no device 'cuda:2': the GPUs are 'cuda:0' to 'cuda:1'; use device='cpu', or one that is"),
        (2, "x", "there is no device 'cuda:x': write the number of a GPU, such as 'cuda:0'"),
        (
            "cudaErrorInsufficientDriver",
            "",
            "device 'cuda' cannot be used: the driver is missing or too old",
        ),
        ("cudaErrorNoDevice", "0", "device 'cuda:0' cannot be used: the driver sees no GPU; look at nvidia-smi and"),
        ("cudaErrorUnknown", "", r"see whether nvidia-smi works, or use device='cpu' \(cudaErrorUnknown\)"),
    ],
)
def test_why_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, found: int | str | None, number: str, message: str
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None if found is None else cupy(found))
    with pytest.raises(DeviceError, match=message):
        create(number)


@pytest.mark.parametrize(
    ("driver", "message"),
    [
        (0, "device 'cuda' cannot be used: no NVIDIA driver is installed; install one, or use device='cpu'"),
        (
            12040,
            r"too old for this CuPy: it knows CUDA 12.4, and CuPy was made for 13.0; install a newer one, or pip "
            r"uninstall cupy-cuda13x and pip install 'nnkit\[cuda12\]', or use device='cpu'",
        ),
        (11080, r"it knows CUDA 11.8, and CuPy was made for 13.0; install a newer one, or use device='cpu'"),
    ],
)
def test_what_is_wrong_with_the_driver(monkeypatch: pytest.MonkeyPatch, driver: int, message: str) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cupy("cudaErrorInsufficientDriver", driver))
    with pytest.raises(DeviceError, match=message):
        create("")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCupy:
    """As much of CuPy as creating the runtime takes, with handles of cuBLAS that do nothing."""
    made = FakeCupy()
    monkeypatch.setitem(sys.modules, "cupy", made)
    monkeypatch.setattr("nnkit_cupy.blas.Blas", lambda cupy, stream: SimpleNamespace())
    return made


def test_a_gpu_says_which_one_it_is(fake: FakeCupy) -> None:
    backend = create("1")
    assert backend.name == "cuda:1"
    assert backend.hardware() == Hardware("0000:3B:00.0", 8_000_000_000, "9.0")
    assert backend.free_bytes() == 6_000_000_100  # what the driver has, and what the pool keeps
    assert backend.share() == (700, 0, 0.0)


def test_memory_that_was_taken_meanwhile_is_an_error_with_what_to_do(fake: FakeCupy) -> None:
    made = runtime.CupyRuntime(0)
    fake.full = True
    with pytest.raises(
        DeviceError,
        match=r"the GPU has no memory for 4.0 MB, 6,000.0 MB are free; other programs .*nvidia-smi.*a smaller batch",
    ) as refused:
        made.zeros((1000, 1000), "float32")
    assert type(refused.value.__cause__).__name__ == "OutOfMemoryError"
    with pytest.raises(DeviceError, match=r"the GPU has no memory for 8.0 MB"):
        made.upload(np.zeros(1_000_000))
    with pytest.raises(DeviceError, match=r"the GPU has no memory, 6,000.0 MB are free"):
        made.module("")


def test_other_errors_of_the_gpu_stay_what_they_are(fake: FakeCupy) -> None:
    made = runtime.CupyRuntime(0)
    fake.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        made.zeros((1, 1), "float32")


def raising(error: Exception) -> object:
    def blas(cupy: object, stream: int) -> Blas:
        raise error

    return blas


@pytest.mark.parametrize(
    ("error", "free", "message"),
    [
        (
            CUDARuntimeError("cudaErrorMemoryAllocation: out of memory"),
            9_000_000,
            r"device 'cuda' has too little memory left to begin: 9.0 MB of 8,000.0 MB are free; look with nvidia-smi",
        ),
        (MemoryError("Out of memory allocating 33,554,432 bytes"), None, "to begin: none of it is free"),
        (
            DeviceError("cuBLAS refused cublasCreate_v2 with status 1"),
            100_000_000,
            r"to begin: 100.0 MB of 8,000.0 MB are free; .*or use device='cpu' \(cuBLAS refused",
        ),
        (
            DeviceError("cuBLAS was not found (x); install it: pip install nvidia-cublas"),
            6_000_000_000,
            "device 'cuda' cannot be used: cuBLAS was not found .*install it: pip install nvidia-cublas; or use",
        ),
        (
            AttributeError("no streams"),
            6_000_000_000,
            r"device 'cuda' cannot be used: AttributeError: no streams; see whether CuPy and the driver go together",
        ),
    ],
)
def test_a_gpu_on_which_the_libraries_do_not_start(
    monkeypatch: pytest.MonkeyPatch, fake: FakeCupy, error: Exception, free: int | None, message: str
) -> None:
    fake.free = free
    monkeypatch.setattr("nnkit_cupy.blas.Blas", raising(error))
    with pytest.raises(DeviceError, match=message):
        create("")


# -- older GPUs


@pytest.mark.parametrize(
    ("capability", "rounded"), [("7.5", ["float16"]), ("8.0", ["tf32", "float16", "bfloat16"]), ("12.0", None)]
)
def test_products_round_to_what_the_tensor_cores_of_a_gpu_multiply(
    monkeypatch: pytest.MonkeyPatch, capability: str, rounded: list[str] | None
) -> None:
    monkeypatch.setattr(HostRuntime, "hardware", lambda self: Hardware("0000:01:00.0", 1 << 30, capability))
    found = [name for name, _ in CupyBackend("cuda", HostRuntime()).target().rounded]
    assert found == (rounded or ["tf32", "float16", "bfloat16"])


# -- device="auto"


@pytest.mark.parametrize("error", [DeviceError("no GPU"), OSError("libcuda"), AttributeError("a broken installation")])
def test_auto_is_the_processor_where_no_gpu_can_be_used(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    found = nnkit.backend._select

    def no_gpu(name: str) -> object:
        if name == "cuda":
            raise error
        return found(name)

    monkeypatch.setattr(nnkit.backend, "_select", no_gpu)
    assert select("auto").name == "cpu"
    assert nnkit.FeedForward(2, 1, device="Auto").device == "cpu"


def test_auto_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nnkit.backend, "_select", lambda name: SimpleNamespace(name=name))
    assert select("auto").name == "cuda"


class Late:
    """A device array whose copies come when the stream is waited for, or the array is read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.dtype = shape, np.dtype("float32")
        self.nbytes = 4 * int(np.prod(shape))
        self.asked: list[weakref.ref[np.ndarray]] = []
        self.value = np.zeros(shape, np.float32)

    def set(self, source: np.ndarray, stream: Any) -> None:
        self.asked.append(weakref.ref(source))
        stream.synchronize = self.come

    def come(self) -> None:
        for asked in self.asked:
            given = asked()
            assert given is not None, "the host array is gone before it was copied"
            self.value[...] = given
        self.asked.clear()

    def get(self, stream: Any) -> np.ndarray:
        self.come()
        return self.value.copy()


@pytest.mark.parametrize("count", [1, runtime.MANY - 1, runtime.MANY, runtime.MANY + 1])
def test_small_host_arrays_are_kept_until_the_device_has_them(fake: FakeCupy, count: int) -> None:
    """And belong to nobody else, who might change them."""
    made, target = runtime.CupyRuntime(0), Late((3,))
    source = np.zeros(3, np.float32)
    for number in range(count):
        source[:] = number
        made.overwrite(target, source)
    source[:] = -1
    np.testing.assert_array_equal(made.download(target), np.full(3, count - 1))
    assert not made._under_way


def test_large_host_arrays_are_waited_for(fake: FakeCupy) -> None:
    made, target = runtime.CupyRuntime(0), Late((runtime.SMALL,))
    source = np.ones(runtime.SMALL, np.float32)
    made.overwrite(target, source)
    assert not target.asked
    source[:] = -1
    assert made.download(target).min() == 1
