"""A network as an ONNX file: each node of its graph as standard ONNX nodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnkit.network import Network


def export(network: Network, path: Path, opset: int = 21) -> None:
    """Write it."""
    raise NotImplementedError
