"""Pieces with the shapes of rows that nnkit's layers have: changes of shape left out, or made a Flatten."""

from __future__ import annotations

from math import prod

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_activations import OF_ROWS
from nnkit.formats.onnx.import_pieces import Affine, Drop, Linear, Named, Piece, Reshaped, Row, uniform


def in_shape(pieces: list[Piece], rows: list[Row]) -> tuple[list[Piece], list[Row]]:
    """With Flatten wherever a layer needs its rows in one axis, and no other change of shape.

    ``rows`` are the shapes before each piece, and after the last, as the file has them; those that come back are
    nnkit's.
    """
    shaper = _Shaper(rows[0])
    for piece, row in zip(pieces, rows[:-1], strict=True):
        if isinstance(piece, Reshaped):
            shaper.changed = piece.place
        else:
            shaper.add(piece, row)
    shaper.need(rows[-1])
    if len(rows[-1]) <= 1 < len(shaper.have):
        shaper.flatten()
    return shaper.pieces, [*shaper.shapes, shaper.have]


def after(piece: Piece, row: Row) -> Row:
    """The shape of a row after a piece that does not reshape."""
    if isinstance(piece, Linear):
        return (*row[:-1], piece.weight.shape[1])
    if isinstance(piece, Named) and piece.name in ("glu", "maxout"):
        return (*row[:-1], row[-1] // int(piece.parameters.get("pieces", 2)))
    return row


class _Shaper:
    """The pieces so far, the shapes before them, and the shape after them."""

    def __init__(self, row: Row) -> None:
        self.pieces: list[Piece] = []
        self.shapes: list[Row] = []
        self.have = row
        self.changed = ""

    def add(self, piece: Piece, row: Row) -> None:
        """The next piece, which in the file has rows of this shape."""
        if not isinstance(piece, Named | Drop | Affine) or (isinstance(piece, Named) and piece.name in OF_ROWS):
            self.need(row)
        self._append(_as_shaped(piece, row, self.have) if isinstance(piece, Affine) else piece)
        self.have = after(piece, self.have)

    def need(self, row: Row) -> None:
        """Have rows of a shape, up to axes of length 1 in front, which change nothing along the last axis."""
        if _essential(self.have) == _essential(row):
            return
        if len(_essential(row)) > 1:
            raise ValueError(
                f"has {self.changed}, which makes rows of shape {list(row)} out of {list(self.have)}; of layers that "
                "change shapes nnkit has Flatten, which makes one axis"
            )
        self.flatten()

    def flatten(self) -> None:
        """Have rows of one axis."""
        self._append(Reshaped((prod(self.have),), self.changed))
        self.have = (prod(self.have),)

    def _append(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.shapes.append(self.have)


def _essential(row: Row) -> Row:
    while row and row[0] == 1:
        row = row[1:]
    return row


def _as_shaped(piece: Affine, row: Row, have: Row) -> Affine:
    """Scale and shift for rows that have another shape, with the same numbers in the same order."""
    if row == have:
        return piece
    scale, shift = (uniform(spread(part, row, have)) for part in (piece.scale, piece.shift))
    return Affine(scale, shift, piece.place)


def spread(part: Array, row: Row, shape: Row) -> Array:
    """A number as it is; an array that can be spread over a row, in another shape of that row."""
    return part if part.ndim == 0 else np.broadcast_to(part, row).reshape(shape)
