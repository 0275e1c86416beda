"""Single pieces by all the threads that they ask for (``fibers``), on matrices: what waits too little, shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnkit.plan.look import Look
from nnkit_cupy.source.pieces import Piece
from nnkit_cupy.source.prelude import PRELUDE
from tests.cuda import fibers
from tests.cuda.stand_in import compiled


def text(pieces: Sequence[Piece]) -> str:
    """The source of pieces that read b0 and b1, and write b2."""
    kernels = [
        f'extern "C" void kernel{i}(float* b0, float* b1, float* b2) {{\n'
        f"__shared__ __align__(16) char shared[{max(piece.shared, 1)}];\n" + "\n".join(piece.lines) + "\n}"
        for i, piece in enumerate(pieces)
    ]
    return "\n".join([PRELUDE, "#define OFFSET(n) n", *kernels])


class Blocks:
    """Does each of some pieces with the threads that it asks for."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._library = compiled(fibers.source(text(pieces)))

    def run(self, number: int, a: np.ndarray, b: np.ndarray, out: np.ndarray, late: bool, blocks: int = 3) -> None:
        """One of them, with so many blocks one after the other; copies come as late as they may, or at once."""
        piece = self._pieces[number]
        places = [array.ctypes.data for array in (a, b, out)]
        fibers.run(self._library, f"kernel{number}", places, min(blocks, piece.blocks), piece.threads, 2 + late)


def looks(m: int, n: int, k: int, flags: tuple[bool, bool], offset: int = 0) -> tuple[Look, Look, Look]:
    """Operands and result of a product; flags say which operand lies transposed."""
    a = Look("b0", offset, (m, k), (1, m) if flags[0] else (k, 1))
    b = Look("b1", offset, (k, n), (1, k) if flags[1] else (n, 1))
    return a, b, Look("b2", offset, (m, n), (n, 1))
