"""From the blocks of a chain to pieces: rules for single operators, trials for everything that exporters spell out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_blocks import Values
from nnkit.formats.onnx.import_chain import LAYERS, Block, Chain
from nnkit.formats.onnx.import_pieces import Affine, BothClasses, Named, Piece, Reshaped, Row, Slopes
from nnkit.formats.onnx.import_pointwise import LINEAR
from nnkit.formats.onnx.import_rearranging import SHAPES_ONLY
from nnkit.formats.onnx.import_reducing import REDUCING
from nnkit.formats.onnx.import_rows import far_rows, fixed, has_slopes, tried_rows, weighted
from nnkit.formats.onnx.import_rules import affine, hard_sigmoid, rule_of
from nnkit.formats.onnx.import_shaping import after
from nnkit.formats.onnx.import_window import Window
from nnkit.names import clipped

_LONGEST = 8  # blocks that are tried as one function
_MOST_TRIALS = 250  # of functions that differ
_BATCH = 11  # rows, where a file leaves their number free: few reshapes have that number in them by chance
_ROWS, _FAR_ROWS = 8, 40
_OPAQUE = LAYERS | {"PRelu"}
_PARTS = frozenset((*REDUCING, "Gather", "Slice", "Split", "Concat"))
"""What a function of rows has among its operators."""


class Recogniser:
    """Walks along a chain; ``pieces`` is what it finds, ``rows`` the shape of a row before each and after the last."""

    def __init__(self, chain: Chain, batch: int | None, row: Row) -> None:
        self.pieces: list[Piece] = []
        self.rows: list[Row] = [row]
        self._chain = chain
        self._values = Values(chain, batch or _BATCH, row)
        self._tried: dict[Any, Any] = {}
        self._trials_of_rows = 0
        at = 0
        while at < len(chain.blocks):
            at += self._step(at)

    def _step(self, at: int) -> int:
        """Recognise what comes next; how many blocks that is."""
        block = self._chain.blocks[at]
        working = self._values.working(block)
        single = working[0] if len(working) == 1 else None
        rule = None if single is None else rule_of(single)
        shape, value = self._values.shape(block.start), self._values.constant
        if single is not None and rule is not None:
            return self._add([block], rule(single, shape, value))
        if found := self._by_trial(self._window(at)):
            return found
        if single is not None and single.kind in LINEAR and (pieces := affine(single, shape, value)):
            return self._add([block], pieces)
        if single is not None and single.kind == "HardSigmoid":
            return self._add([block], hard_sigmoid(single, shape, value))
        if single is not None and single.kind in SHAPES_ONLY:
            return self._add([block], [self._reshaped(block)])
        raise ValueError(self._reason(block))

    def _window(self, at: int) -> list[Block]:
        """The blocks from here on that may be parts of one function."""
        window = self._chain.blocks[at : at + _LONGEST]
        opaque = (place for place, block in enumerate(window) if any(node.kind in _OPAQUE for node in block.nodes))
        return window[: next(opaque, len(window))]

    def _by_trial(self, window: list[Block]) -> int:
        """Recognise a function that begins here; how many blocks it is, 0 if there is none."""
        of_rows = any(node.kind in _PARTS for block in window for node in self._values.working(block))
        several = bool(window) and len(self._values.working(window[0])) > 1
        x, results = self._on_rows(window) if of_rows or several else (np.zeros(()), [])
        if of_rows and (found := self._without_weights(window, x, results)):
            return found
        return self._pointwise(window) or self._with_weights(window, x, results)

    def _without_weights(self, window: list[Block], x: Array, results: list[Array]) -> int:
        """The longest function of rows without weights that begins here."""
        for count in range(len(results), 0, -1):
            if piece := fixed(x, results[count - 1], window[count - 1].place):
                return self._add(window[:count], [piece])
        return 0

    def _with_weights(self, window: list[Block], x: Array, results: list[Array]) -> int:
        """The shortest function of rows with weights that begins here; others are multiplied into these."""
        for count, result in enumerate(results, 1):
            inside = Window(self._values, window[:count])
            piece = weighted(x, result, inside.numbers, inside.arrays, window[count - 1].place)
            if piece is not None and not (isinstance(piece, Slopes) and self._bends_again(window[:count], piece)):
                return self._add(window[:count], [piece])
        return 0

    def _bends_again(self, window: list[Block], piece: Slopes) -> bool:
        """Whether a function that is a parametric relu near zero is something else far from it."""
        x, results = self._on_rows(window, far_rows, _FAR_ROWS)
        return not has_slopes(x, results[-1], piece.slope)

    def _pointwise(self, window: list[Block]) -> int:
        """The longest activation that begins here."""
        function = Window(self._values, window).pointwise()
        if function.key not in self._tried:
            if len(self._tried) >= _MOST_TRIALS:
                raise ValueError(f"has more than {_MOST_TRIALS:,} functions that differ; export a smaller network")
            self._tried[function.key] = function.longest()
        if (result := self._tried[function.key]) is None:
            return 0
        count, found = result
        none, place = np.array(0.0), window[count - 1].place
        pieces: list[Piece] = [Named(found.name, dict(found.parameters))]
        if found.inner != 1:
            pieces.insert(0, Affine(np.array(found.inner), none, place))
        if found.outer != 1:
            pieces.append(Affine(np.array(found.outer), none, place))
        return self._add(window[:count], pieces)

    def _on_rows(
        self, window: list[Block], make: Callable[[Row, int], Array] = tried_rows, count: int = _ROWS
    ) -> tuple[Array, list[Array]]:
        """Rows of numbers, and what each block in turn makes of them, as long as that has rows and columns."""
        batch, row = self._values.batch, self.rows[-1]
        if not row:
            return np.zeros(()), []
        self._trials_of_rows += 1
        if self._trials_of_rows > _MOST_TRIALS:
            raise ValueError(f"has more than {_MOST_TRIALS:,} functions of rows; export a smaller network")
        parts = -(-count // batch)
        self._chain.evaluator.check_size(parts * batch * int(np.prod(row)), window[0].nodes[-1])
        x = make(row, parts * batch)
        each = [self._values.evaluated(window, part) for part in np.split(x, parts)]
        joined = [np.concatenate(found) if found[0].ndim else found[0] for found in zip(*each, strict=True)]
        fits = [result.ndim > 1 and len(result) == len(x) for result in joined]
        return x, joined[: fits.index(False)] if False in fits else joined

    def _reshaped(self, block: Block) -> Piece:
        """A change of shape that leaves rows apart and their numbers in order."""
        batch, row = self._values.batch, self.rows[-1]
        self._chain.evaluator.check_size(batch * int(np.prod(row)), block.nodes[-1])
        x = np.arange(batch * int(np.prod(row))).reshape(batch, *row)
        found = self._values.evaluated([block], x)[0]
        if block is self._chain.blocks[-1] and found.shape == (x.size, 1) and np.array_equal(found.ravel(), x.ravel()):
            return Reshaped(row, block.place)  # skl2onnx puts the outputs of a row under each other at the end
        if found.shape[:1] != (batch,) or not np.array_equal(found.ravel(), x.ravel()):
            raise ValueError(
                f"has {block.place}, which mixes rows or puts their numbers in another order: {list(x.shape)} becomes "
                f"{list(found.shape)}; nnkit reads Flatten and its like alone"
            )
        return Reshaped(found.shape[1:], block.place)

    def _add(self, blocks: list[Block], pieces: list[Piece]) -> int:
        """Keep pieces that stand for some blocks; how many blocks."""
        for piece in pieces:
            self.pieces.append(piece)
            self.rows.append(_row_after(piece, self.rows[-1]))
        self._values.pass_by(blocks, self.rows[-1])
        return len(blocks)

    def _reason(self, block: Block) -> str:
        """Why a block cannot be read."""
        working = self._values.working(block)
        if len(working) > 1 and any(node.kind in ("Gemm", "MatMul") for node in working):
            return (
                f"has {block.place}, where branches meet that part at '{clipped(block.start)}'; nnkit reads chains of "
                "layers, without shortcuts and without several branches"
            )
        if len(working) == 1:
            return (
                f"has {block.place}, which is none of nnkit's activations or layers where it stands; "
                "nnkit.nn.activations.ACTIVATIONS are those there are"
            )
        names = ", ".join(node.place for node in working[:8])
        return (
            f"has {names}{' …' if len(working) > 8 else ''}, which together are none of nnkit's activations or layers; "
            "nnkit.nn has those there are"
        )


def _row_after(piece: Piece, row: Row) -> Row:
    """The shape of a row after a piece."""
    if isinstance(piece, Reshaped):
        return piece.row
    return (2,) if isinstance(piece, BothClasses) else after(piece, row)
