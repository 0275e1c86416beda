"""The backend on a GPU where there is one, and on the stand-in everywhere."""

from __future__ import annotations

import os

import pytest

from nnkit.backend import select
from nnkit.errors import NnkitError
from nnkit_cupy.device import CupyBackend
from tests.cuda.stand_in import HostRuntime, compiler


@pytest.fixture(scope="session")
def gpu() -> CupyBackend:
    """The GPU of this machine; NNKIT_REQUIRE_GPU=1 makes it a failure that there is none."""
    try:
        return select("cuda")
    except NnkitError as error:
        if os.environ.get("NNKIT_REQUIRE_GPU") == "1":
            pytest.fail(f"a GPU is needed, since NNKIT_REQUIRE_GPU=1: {error}")
        pytest.skip(f"no GPU: {error}")


@pytest.fixture(scope="session")
def stand_in() -> CupyBackend:
    """The same backend with kernels compiled for the processor."""
    if compiler() is None:
        pytest.skip("there is no C++ compiler here")
    return CupyBackend("cuda", HostRuntime())


@pytest.fixture(params=["stand_in", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> CupyBackend:
    """Each of them in turn."""
    return request.getfixturevalue(request.param)
