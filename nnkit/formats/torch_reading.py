"""How the arrays of a ``state_dict`` become the leaves of a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nnkit.formats.matching import MOST, mismatch
from nnkit.formats.reading import Reading, Shapes
from nnkit.formats.torch_layers import Piece, Place, pieces
from nnkit.formats.torch_order import Group, UnknownOrderError, groups, ordered
from nnkit.names import clipped, listed

if TYPE_CHECKING:
    from nnkit.network import Network


def as_torch(network: Network, shapes: Shapes) -> Reading:
    """Modules in the order of their numbers, whatever stands before these, for the layers that have parameters.

    Raises ArgumentError for a network that has no counterpart in PyTorch.
    """
    slots = [piece for piece in pieces(network) if piece.places]
    first: dict[int, Piece] = {}
    for piece in slots:
        first.setdefault(id(piece.layer), piece)
    found = groups(shapes)
    if len(found) == len(first):  # of a layer that stands in several places, such a file has the arrays once
        slots = list(first.values())
    try:
        found = ordered(found, slots, lambda piece, group: _fits(piece, group, shapes))
    except UnknownOrderError:
        return Reading(
            problem=f"has the modules {_listed(found)}, and neither names that end in numbers nor shapes tell in which "
            "order they stand",
            fix="save the state_dict of a torch.nn.Sequential of them",
        )
    return _paired(slots, found, shapes)


def _paired(slots: Sequence[Piece], found: Sequence[Group], shapes: Shapes) -> Reading:
    """Both from their beginnings and from their ends, as far as they fit; what is left in between does not."""
    pairs = list(zip(slots, found, strict=False))
    start = next((n for n, pair in enumerate(pairs) if not _fits(*pair, shapes)), len(pairs))
    backwards = list(zip(slots[start:][::-1], found[start:][::-1], strict=False))
    end = next((n for n, pair in enumerate(backwards) if not _fits(*pair, shapes)), len(backwards))
    left, unused = slots[start : len(slots) - end], found[start : len(found) - end]
    if not left and not unused:
        return Reading({name: place for pair in pairs for name, place in _places(*pair)})
    expected: dict[str, tuple[int, ...]] = {}
    there = {name: shapes[name] for group in unused for name in group.names.values()}
    if len(left) == len(unused):
        for piece, group in zip(left, unused, strict=True):
            expected |= _expected(piece, group, shapes)
        return Reading(problem=mismatch(expected, there), faults=len(expected.items() ^ there.items()))
    for piece in left:
        expected |= {place.leaf: place.form.shapes(place.shape)[0] for place in piece.places.values()}
    problems = [text for text in (mismatch(expected, {}), mismatch({}, there)) if text is not None]
    return Reading(problem="; ".join(problems), faults=len(expected) + len(there))


def _fits(piece: Piece, group: Group, shapes: Shapes) -> bool:
    return _expected(piece, group, shapes) == {name: shapes[name] for name in group.names.values()}


def _expected(piece: Piece, group: Group, shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """The names that the module should have in the file, with the shapes there."""
    expected = {}
    for name, place in _places(piece, group):
        able = place.form.shapes(place.shape)
        expected[name] = shapes[name] if shapes.get(name) in able else able[0]
    if piece.counter is not None and piece.counter in group.names:
        expected[group.names[piece.counter]] = ()
    return expected


def _places(piece: Piece, group: Group) -> Iterator[tuple[str, Place]]:
    """The places of a module under their names in the file, those of earlier versions where it has them."""
    older = {new: old for old, new in piece.older.items() if old in group.names}
    for own, place in piece.places.items():
        yield ".".join((*group.path, older.get(own, own))), place


def _listed(found: Sequence[Group]) -> str:
    return listed([clipped(".".join(group.path)) for group in found], MOST)
