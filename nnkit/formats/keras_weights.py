"""Parameters and states in a file as Keras writes its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnkit.network import Network


def export(network: Network, path: Path) -> None:
    """Write them."""
    raise NotImplementedError


def load_parameters(network: Network, path: Path) -> None:
    """Read them."""
    raise NotImplementedError
