"""How the arrays in a file become the leaves of a network, under nnkit's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nnkit.formats.matching import Shape, mismatch
from nnkit.formats.torch_forms import SAME
from nnkit.formats.torch_layers import Place

if TYPE_CHECKING:
    from nnkit.network import Network

Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class Reading:
    """For names in a file the places that they have in a network, or why there are none, and what to do.

    ``faults`` counts what does not fit, so that the likelier one of two readings can be told.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    problem: str | None = None
    faults: int = 0
    fix: str = "make the network as it was when the file was written"


def as_nnkit(network: Network, shapes: Shapes) -> Reading:
    """The names are the paths of the leaves, and the shapes nnkit's."""
    expected = network._model.layout.shapes
    problem = mismatch(expected, shapes)
    if problem is not None:
        return Reading(problem=problem, faults=len(expected.items() ^ shapes.items()))
    return Reading({name: Place(name, shape, SAME) for name, shape in expected.items()})
