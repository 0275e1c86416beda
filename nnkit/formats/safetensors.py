"""Parameters and states in a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnkit.network import Network


def export(network: Network, path: Path, layout: str = "nnkit") -> None:
    """Write them."""
    raise NotImplementedError


def load_parameters(network: Network, path: Path) -> None:
    """Read them."""
    raise NotImplementedError
