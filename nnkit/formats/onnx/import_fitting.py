"""Pieces fitted together: scales and shifts become part of the layers beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.scaling import Scaling
from nnkit.formats.onnx.import_pieces import Affine, BothClasses, Drop, Linear, Norm, Piece, Reshaped, Row, uniform
from nnkit.formats.onnx.import_shaping import in_shape, spread

_WIDEST_DIAGONAL = 1024  # a layer of this many inputs and neurons has a million weights


@dataclass(frozen=True, eq=False)
class Fitted:
    """Pieces that each are a layer, in the order of the network, and what is done to rows before."""

    pieces: list[Piece]
    scaling: Scaling | None


def fitted(pieces: list[Piece], rows: list[Row]) -> Fitted:
    """The pieces without scales and shifts of their own; ``rows`` are the shapes before each, and after the last."""
    if pieces and isinstance(pieces[-1], BothClasses):
        pieces, rows = pieces[:-1], rows[:-1]
    if odd := next((piece for piece in pieces if isinstance(piece, BothClasses)), None):
        raise ValueError(f"has {odd.place}, which makes p into 1 − p and p, before other layers; nnkit has none for it")
    merged, shapes = _merged(*in_shape(pieces, rows))
    scaling = _scaling(merged, shapes)
    if scaling is not None:
        merged, shapes = merged[1:], shapes[1:]
    return Fitted(_forwarded(merged, shapes), scaling)


def _merged(pieces: list[Piece], shapes: list[Row]) -> tuple[list[Piece], list[Row]]:
    """With scales and shifts in the layer before them, where that is a linear one or a normalisation."""
    found: list[Piece] = []
    kept: list[Row] = []
    for piece, row in zip(pieces, shapes[:-1], strict=True):
        before = found[-1] if found else None
        if isinstance(piece, Affine) and isinstance(before, Affine):
            shift = before.shift * piece.scale + piece.shift
            found[-1] = Affine(uniform(before.scale * piece.scale), uniform(shift), piece.place)
        elif isinstance(piece, Affine) and (joined := _into(before, piece, row)) is not None:
            found[-1] = joined
        else:
            found.append(piece)
            kept.append(row)
    return found, [*kept, shapes[-1]]


def _into(before: Piece | None, piece: Affine, row: Row) -> Piece | None:
    """The layer before with scale and shift in it, if it can take them."""
    scale, shift = _along_last(piece.scale, row), _along_last(piece.shift, row)
    if not isinstance(before, Linear | Norm) or scale is None or shift is None:
        return None
    if isinstance(before, Linear):
        bias = before.bias if before.bias is None else _product(before.bias, scale)
        return replace(before, weight=_product(before.weight, scale), bias=_sum(bias, shift, row[-1]))
    if "bias" not in before.values and shift.any():
        return None
    values = {name: _product(before.values[name], scale) for name in ("weight", "bias") if name in before.values}
    if shift.any():
        values["bias"] = values["bias"] + shift
    return replace(before, values=before.values | values)


def _product(values: Array, scale: Array) -> Array:
    """The product in float64, or the values as they are where the scale is 1."""
    return values if (scale == 1).all() else values * scale.astype(np.float64)


def _sum(bias: Array | None, shift: Array, units: int) -> Array | None:
    if not shift.any():
        return bias
    return np.broadcast_to(shift if bias is None else bias + shift, (units,))


def _along_last(part: Array, row: Row) -> Array | None:
    """One number, or one for each place of the last axis; None for what differs along other axes."""
    if part.ndim == 0:
        return part
    whole = np.broadcast_to(part, row).reshape(-1, row[-1])
    return whole[0] if (whole == whole[0]).all() else None


def _scaling(pieces: list[Piece], shapes: list[Row]) -> Scaling | None:
    """What is done to the rows first, as the standardisation of a table's columns, where it is one."""
    if not pieces or not isinstance(first := pieces[0], Affine) or len(shapes[0]) != 1 or not (first.scale > 0).all():
        return None
    scale, shift = (np.broadcast_to(part, shapes[0]).astype(np.float64) for part in (first.scale, first.shift))
    mean, deviation = 0.0 - shift / scale, 1 / scale
    return Scaling(mean, deviation) if np.isfinite([mean, deviation]).all() else None


def _forwarded(pieces: list[Piece], shapes: list[Row]) -> list[Piece]:
    """With the scales and shifts that are left in the linear layer after them, or as linear layers of their own."""
    found: list[Piece | None] = list(pieces)
    for place, piece in enumerate(pieces):
        if not isinstance(piece, Affine):
            continue
        after = place + 1
        while after < len(found) and _lets_through(found[after], piece):
            after += 1
        following = found[after] if after < len(found) else None
        if isinstance(following, Linear) and (joined := _before(following, piece, shapes[place], shapes[after])):
            found[after], found[place] = joined, None
        else:
            found[place] = _diagonal(piece, shapes[place])
    return [piece for piece in found if piece is not None]


def _lets_through(between: Piece | None, piece: Affine) -> bool:
    """Whether a scale and shift can be done after another piece as well; dropout would drop the shift, too."""
    return isinstance(between, Reshaped) or (isinstance(between, Drop) and not piece.shift.any())


def _before(following: Linear, piece: Affine, row: Row, flat: Row) -> Linear | None:
    """The linear layer that does scale and shift first."""
    scale, shift = (_along_last(spread(part, row, flat), flat) for part in (piece.scale, piece.shift))
    if scale is None or shift is None:
        return None
    weight = following.weight.astype(np.float64)
    moved = np.broadcast_to(shift, (len(weight),)) @ weight
    bias = following.bias if not shift.any() else moved if following.bias is None else following.bias + moved
    return replace(following, weight=weight * (scale if scale.ndim == 0 else scale[:, None]), bias=bias)


def _diagonal(piece: Affine, row: Row) -> Linear:
    """A linear layer with a diagonal matrix, which training may fill."""
    scale, shift = _along_last(piece.scale, row), _along_last(piece.shift, row)
    if scale is None or shift is None or row[-1] > _WIDEST_DIAGONAL:
        raise ValueError(
            f"has {piece.place}, which multiplies or shifts rows of shape {list(row)} where no linear layer beside it "
            f"can take that up; nnkit makes a layer of it for up to {_WIDEST_DIAGONAL:,} features in one axis"
        )
    bias = np.broadcast_to(shift, row[-1:]) if shift.any() else None
    return Linear(np.diag(np.broadcast_to(scale, row[-1:])), bias, piece.place)
