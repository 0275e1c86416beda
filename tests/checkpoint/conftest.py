"""A saved network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoint.files import small


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The file of the small network."""
    path = tmp_path / "net.h5"
    small().save(path)
    return path
