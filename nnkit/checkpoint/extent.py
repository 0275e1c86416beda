"""Whether a file holds as many arrays as its description makes one expect, before modules are built and traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnkit.checkpoint.architecture import Architecture

if TYPE_CHECKING:
    from nnkit.checkpoint.readable import Readable

FREE = 500  # layers that need nothing in the file
FEWEST = 4  # layers beyond those for each group or array: not every layer has arrays


def check_extent(file: Readable, architecture: Architecture) -> None:
    """Refuse a short text that would make a large network: 100,000 layers take a minute to build."""
    layers = _count(architecture.module)
    if layers > FREE and not file.holds(["parameters", "state"], least := -(-(layers - FREE) // FEWEST)):
        raise file.refused(
            "architecture", f"describes {layers:,} layers, and the file holds fewer than {least:,} groups and arrays"
        )


def _count(found: Any) -> int:
    """The number of layers in a description, those that stand in a second place too."""
    if isinstance(found, Mapping):
        return ("layer" in found or "same_as" in found) + sum(map(_count, found.values()))
    return sum(map(_count, found)) if isinstance(found, list) else 0
