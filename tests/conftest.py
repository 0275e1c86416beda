"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.libraries import NAMES, Library, opened

os.environ.setdefault("JAX_ENABLE_X64", "1")  # read when jax is imported; without it jax has no float64
os.environ.setdefault("JAX_PLATFORMS", "cpu")


@pytest.fixture(params=NAMES)
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Each array library in turn."""
    with opened(request.param) as library:
        yield library
