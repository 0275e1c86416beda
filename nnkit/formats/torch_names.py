"""The equivalent ``torch.nn.Sequential`` of a network: its code, and the names and values of its ``state_dict``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError
from nnkit.formats.torch_layers import Piece, called, pieces

if TYPE_CHECKING:
    from nnkit.network import Network


def equivalent(network: Network) -> str:
    """The ``torch.nn.Sequential`` that computes what the network does, as Python code for ``from torch import nn``.

    A ``Dense`` with an activation is two modules there. ``net.export("net.safetensors", layout="torch")`` writes the
    values under the names that this model gives them, and the code beside them::

        model = nn.Sequential(...)
        model.load_state_dict(safetensors.torch.load_file("net.safetensors"))
        model.eval()

    Raises ArgumentError for a layer or an activation that ``torch.nn`` does not have.

    >>> import nnkit
    >>> print(equivalent(nnkit.FeedForward(inputs=3, hidden=[4], outputs=2, dropout=0.1)))
    nn.Sequential(
        nn.Linear(3, 4),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Linear(4, 2),
    )
    """
    found = pieces(network)
    lines = [f"    {code},{note}" for code, note in zip(_codes(found), _notes(found), strict=True)]
    whole = "\n".join(["nn.Sequential(", *lines, ")"]) if lines else "nn.Sequential()"
    return f"{whole}.double()" if network.dtype == "float64" else whole


def _codes(found: list[Piece]) -> Iterator[str]:
    """What makes each module; one with parameters that stands in several places gets a name in the first."""
    times = Counter(id(piece.layer) for piece in found if piece.places)
    names: dict[int, str] = {}
    for piece in found:
        key = id(piece.layer)
        if piece.code is None:
            raise ArgumentError(
                f"{called(piece.layer, piece.path)} is {piece.layer!r}, which torch.nn does not have; write one "
                "yourself, and put it at its place in the Sequential: names in a file with layout='torch' count it"
            )
        if not piece.places or times[key] == 1:
            yield piece.code
        elif key in names:
            yield names[key]
        else:
            names[key] = f"shared_{len(names)}"
            yield f"({names[key]} := {piece.code})"


def _notes(found: list[Piece]) -> Iterator[str]:
    owners: dict[str, Piece] = {}
    for piece in found:
        leaves = [place.leaf for place in piece.places.values()]
        tied = [leaf for leaf in leaves if owners.setdefault(leaf, piece).layer is not piece.layer]
        notes = [piece.note] * bool(piece.note) + [f"in nnkit, its array is that of {leaf}" for leaf in tied]
        yield f"  # {'; '.join(notes)}" if notes else ""


def state_dict(network: Network, values: Mapping[str, Array]) -> dict[str, Array]:
    """Parameters and states, given by path, under the names of the equivalent model and as they stand there."""
    found: dict[str, Array] = {}
    for number, piece in enumerate(pieces(network)):
        for name, place in piece.places.items():
            found[f"{number}.{name}"] = place.form.there(values[place.leaf])
        if piece.counter is not None:
            found[f"{number}.{piece.counter}"] = np.zeros((), np.int64)
    return found
