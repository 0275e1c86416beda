"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from nnkit_numpy import profile
from tests.libraries import NAMES, Library, opened

os.environ.setdefault("JAX_ENABLE_X64", "1")  # read when jax is imported; without it jax has no float64
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# A shell lets what it starts in the background ignore Ctrl-C, which the programs that tests start would do as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """JAX compiles every operation by itself, which takes minutes: beyond the primitives it is run by hand."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        compiled = callspec is not None and any(isinstance(v, str) and v == "jax" for v in callspec.params.values())
        if compiled and item.path.parent.name != "graph":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _built_in_rates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Plans do not depend on a profile that somebody measured on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profile, "path", lambda: tmp_path_factory.getbasetemp() / "none.json")
        profile.known.cache_clear()
        yield


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What failed trainings keep goes where it is cleared away, that of other processes too."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr("tempfile.tempdir", folder)
        yield


@pytest.fixture(params=NAMES)
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Each array library in turn."""
    with opened(request.param) as library:
        yield library
