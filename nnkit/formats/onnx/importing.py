"""An ONNX file as a network of layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnkit.network import Network


def load(path: Path, device: str) -> Network:
    """Read it."""
    raise NotImplementedError
