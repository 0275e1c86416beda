"""What the tests of native programs have in common."""

from __future__ import annotations

import pytest

from nnkit_numpy.jit import cache


@pytest.fixture(scope="session")
def _folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def native_cache(_folder):
    """A cache of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.DIRECTORY, str(_folder))
        yield
