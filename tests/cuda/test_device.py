"""What stands in the way of a GPU is said, and what to do about it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from nnkit.errors import DeviceError
from nnkit_cupy import create


class CUDARuntimeError(Exception):
    """CuPy's."""


def cupy(count: int | str) -> SimpleNamespace:
    """As much of CuPy as is asked: so many GPUs, or the error of the driver."""

    def get() -> int:
        if isinstance(count, str):
            raise CUDARuntimeError(count)
        return count

    return SimpleNamespace(
        cuda=SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=get, CUDARuntimeError=CUDARuntimeError))
    )


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
