import importlib
import os
import platform
import re
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from nnkit.measure import environment

module = importlib.import_module(environment.__module__)  # the function hides the module of its name


@pytest.fixture(autouse=True)
def _fresh():
    module._machine.cache_clear()
    yield
    module._machine.cache_clear()


def test_the_keys_and_the_certain_values():
    found = environment()
    keys = ["python", "numpy", "nnkit", "blas", "threads", "cpu", "gpu", "driver", "os", "date"]
    assert list(found) == keys
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found["date"])


def test_the_gpus_are_counted_by_name(nvml):
    nvml.count = 2
    found = environment()
    assert found["gpu"] == "2 × NVIDIA Test"
    assert found["driver"] == "570.10"
    assert nvml.users == 0


def test_without_a_gpu_there_is_none(nvml):
    nvml.refuse("LibraryNotFound", "nvmlInit")
    assert (environment()["gpu"], environment()["driver"]) == (None, None)
    module._machine.cache_clear()
    nvml.failing.clear()
    nvml.count = 0
    assert environment()["gpu"] is None


def test_the_machine_is_described_once(monkeypatch):
    first = environment()
    monkeypatch.setattr(module, "_cpu", lambda system: "other")
    assert environment()["cpu"] == first["cpu"]


def test_what_cannot_be_found_is_none(monkeypatch):
    def fail(*_):
        raise OSError("no")

    for name in ("_blas", "_threads", "_cpu", "_gpus"):
        monkeypatch.setattr(module, name, fail)
    found = environment()
    assert [found[name] for name in ("blas", "threads", "cpu", "gpu", "driver")] == [None] * 5


@pytest.mark.parametrize(
    ("blas", "variables", "threads"),
    [
        ("scipy-openblas 0.3", {}, 4),
        ("scipy-openblas 0.3", {"OMP_NUM_THREADS": "3"}, 3),
        ("scipy-openblas 0.3", {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "2"}, 2),
        ("scipy-openblas 0.3", {"OPENBLAS_NUM_THREADS": "64"}, 4),
        ("scipy-openblas 0.3", {"OPENBLAS_NUM_THREADS": "many"}, 4),
        ("mkl-sdl 2024", {"MKL_NUM_THREADS": "1"}, 1),
        ("accelerate", {"OMP_NUM_THREADS": "1"}, None),
    ],
)
def test_threads(monkeypatch, blas, variables, threads):
    for names in module.THREAD_VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_usable_processors", lambda: 4)
    assert module._threads(blas) == threads


def test_usable_processors_without_affinity(monkeypatch):
    assert module._usable_processors() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert module._usable_processors() == 1


@pytest.mark.parametrize(
    ("blas", "expected"),
    [
        ({"name": "scipy-openblas", "version": "0.3.31"}, "scipy-openblas 0.3.31"),
        ({"name": "accelerate", "version": "unknown"}, "accelerate"),
        ({"name": "none"}, None),
    ],
)
def test_blas(monkeypatch, blas, expected):
    monkeypatch.setattr(np, "show_config", lambda mode: {"Build Dependencies": {"blas": blas}})
    assert module._blas() == expected


def test_cpu_on_linux(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(module, "CPUINFO", info)
    info.write_text("processor\t: 0\nmodel\t\t: 167\nmodel name\t: Fast CPU @ 3 GHz\n", encoding="utf-8")
    assert module._cpu("Linux") == "Fast CPU @ 3 GHz"
    info.write_text("processor\t: 0\nCPU part\t: 0xd0c\n", encoding="utf-8")
    assert module._cpu("Linux") == platform.machine()


def test_cpu_on_macos(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda command, **_: SimpleNamespace(stdout="Apple M9\n"))
    assert module._cpu("Darwin") == "Apple M9"


def test_cpu_on_windows_and_elsewhere(monkeypatch):
    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=0,
        OpenKey=lambda root, path: nullcontext(path),
        QueryValueEx=lambda key, name: ("Core X ", 1),
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert module._cpu("Windows") == "Core X"
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert module._cpu("Plan 9") is None
