"""``nnkit devices``: what is there, and how to get what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest

from nnkit.backend import Hardware
from nnkit.cli import devices, gpus
from nnkit.errors import DeviceError
from nnkit.parity import Parity, Row
from nnkit_numpy.device import TARGET
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


def test_the_processor_is_always_ready(cli: Cli) -> None:
    status, out, err = cli("devices")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[:4]] == ["processor", "NumPy", "llvmlite", "cpu"]
    assert "\ncpu         ready: --device cpu\n" in out


def test_calibration_prints_what_it_found(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"plain": TARGET, "native": replace(TARGET, flops_per_s=2.5e11, profile="measured 2026-01-02")}
    monkeypatch.setattr(devices, "select", lambda name: SimpleNamespace(calibrate=lambda: found))
    out = cli("devices", "--calibrate").out.splitlines()
    assert [line.split()[0] for line in out] == ["plain", "native"]
    assert out[1].endswith("a call; measured 2026-01-02")
    assert " 250 GFLOP/s in products; passes at " in out[1]


def test_what_is_missing_comes_with_its_reason_and_how_to_install_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_version(name: str) -> str:
        raise PackageNotFoundError(name)

    @contextmanager
    def no_driver() -> Iterator[None]:
        raise LookupError("no NVIDIA driver is installed")
        yield

    monkeypatch.setattr(devices, "version", no_version)
    monkeypatch.setattr(gpus, "version", no_version)
    monkeypatch.setattr(gpus.nvml, "session", no_driver)
    monkeypatch.setattr(devices, "select", _only_cpu)
    lines = dict(line.split(maxsplit=1) for line in cli("devices").out.splitlines())
    assert lines["llvmlite"] == 'not installed; faster steps on the cpu: pip install "nnkit[fast]"'
    assert lines["cuda"] == "not available: there is no GPU"
    assert lines["GPU"] == "none: no NVIDIA driver is installed"
    assert lines["CuPy"] == (
        'not installed; for NVIDIA GPUs: pip install "nnkit[cuda12]" or "nnkit[cuda13]", '
        "once there is a driver (no NVIDIA driver is installed)"
    )


def test_a_machine_with_everything(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"cupy-cuda12x": "14.2.0", "llvmlite": "0.45"}
    monkeypatch.setattr(devices, "version", there.get)
    monkeypatch.setattr(gpus, "version", there.get)
    monkeypatch.setattr(gpus, "find_spec", lambda name: object())
    monkeypatch.setattr(devices, "select", lambda name: _Ready(name))
    monkeypatch.setattr(gpus.nvml, "session", lambda: _gpu(1))
    out = cli("devices").out
    assert "\ncpu         ready: --device cpu\n" in out
    assert "\ncuda        ready: --device cuda (0000:3B:00.0, compute capability 7.5, 14 GB of 16 GB free)\n" in out
    assert (
        "\nGPU 0       Tesla T4, 15 GB of 16 GB free, 00000000:3B:00.0, compute capability 7.5, "
        "driver 570.1 (CUDA 12.8)\n" in out
    )
    assert out.endswith("\nCuPy        cupy-cuda12x 14.2.0\n")


def test_what_a_gpu_does_not_say_is_left_out(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus.nvml, "session", lambda: _gpu(1, nvmlDeviceGetPciInfo=None, nvmlDeviceGetMemoryInfo=None))
    assert "\nGPU 0       Tesla T4, compute capability 7.5, driver 570.1 (CUDA 12.8)\n" in cli("devices").out


def test_a_driver_without_a_gpu(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus.nvml, "session", lambda: _gpu(0))
    assert "\nGPU         none: the NVIDIA driver is there, and lists no GPU\n" in cli("devices").out


@pytest.mark.parametrize(
    ("installed", "cuda", "said"),
    [
        ([], 12080, 'not installed; for this driver (CUDA 12.8): pip install "nnkit[cuda12]"'),
        ([], 13000, 'not installed; for this driver (CUDA 13.0): pip install "nnkit[cuda13]"'),
        ([], 11040, "not installed; the driver knows CUDA 11.4: install one for CUDA 12 or later first"),
        (["cupy-cuda12x"], 13010, "cupy-cuda12x 14.2.0"),
        (["cupy-cuda13x"], 13010, "cupy-cuda13x 14.2.0"),
        (["cupy"], 12080, "cupy 14.2.0"),
        (
            ["cupy-cuda13x"],
            12080,
            "cupy-cuda13x 14.2.0; it was made for CUDA 13, and the driver knows 12.8: install a newer driver, or pip "
            'uninstall cupy-cuda13x and pip install "nnkit[cuda12]"',
        ),
        (
            ["cupy-cuda12x"],
            11040,
            "cupy-cuda12x 14.2.0; it was made for CUDA 12, and the driver knows 11.4: install a newer driver",
        ),
        (
            ["cupy-cuda12x", "cupy-cuda13x"],
            12080,
            "cupy-cuda12x 14.2.0, cupy-cuda13x 14.2.0; they overwrite each other: pip uninstall cupy-cuda12x "
            "cupy-cuda13x, and then install one",
        ),
    ],
)
def test_the_cupy_that_goes_with_the_driver(
    monkeypatch: pytest.MonkeyPatch, installed: list[str], cuda: int, said: str
) -> None:
    monkeypatch.setattr(gpus, "version", dict.fromkeys(installed, "14.2.0").get)
    monkeypatch.setattr(gpus, "find_spec", lambda name: object())
    monkeypatch.setattr(gpus.nvml, "session", lambda: _gpu(1, nvmlSystemGetCudaDriverVersion=lambda: cuda))
    assert gpus.cupy() == said


def _only_cpu(name: str) -> object:
    if name == "cuda":
        raise DeviceError("there is no GPU")
    return _Ready(name)


class _Ready:
    """A backend that is there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def hardware(self) -> Hardware:
        return Hardware("0000:3B:00.0", 16_000_000_000, "7.5") if self.name == "cuda" else Hardware()

    def free_bytes(self) -> int:
        return 14_000_000_000


@contextmanager
def _gpu(count: int, **others: object) -> Iterator[SimpleNamespace]:
    answers = {
        "nvmlSystemGetDriverVersion": lambda: "570.1",
        "nvmlSystemGetCudaDriverVersion": lambda: 12080,
        "nvmlDeviceGetCount": lambda: count,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda handle: "Tesla T4",
        "nvmlDeviceGetPciInfo": lambda handle: SimpleNamespace(busId=b"00000000:3B:00.0"),
        "nvmlDeviceGetCudaComputeCapability": lambda handle: (7, 5),
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(free=15_000_000_000, total=16_000_000_000),
    }
    yield SimpleNamespace(**answers | others)


def test_a_device_is_checked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (Row("operation", "exp", 1.5, 8.0), Row("loss", "hinge", 9.0, 8.0))
    for kept, status in ((rows[:1], 0), (rows, 1)):

        def check(device: str, progress: Callable[[Row], None], kept: tuple[Row, ...] = kept) -> Parity:
            for row in kept:
                progress(row)
            return Parity(device, kept)

        monkeypatch.setattr("nnkit.cli.devices.check_device", check)
        found = cli("devices", "--check")
        assert (found.status, found.err) == (status, "")
        assert "right  operation  exp                                    1.50 of 8 ulp\n" in found.out
        assert found.out.endswith(
            f"{len(kept)} checks on 'cuda' beside float64: {'1 wrong' if status else 'all right'}\n"
        )


def test_a_device_that_is_not_there_is_not_checked(cli: Cli) -> None:
    found = cli("devices", "--check", "tpu")
    assert (found.status, found.out) == (1, "")
    assert "there is no backend for device 'tpu' here" in found.err
