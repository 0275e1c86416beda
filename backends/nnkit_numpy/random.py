"""Threefry-2x32 in place: the bits of the reference, by NumPy's own 32-bit arithmetic, in pieces that fit the cache."""

from __future__ import annotations

import numpy as np

from nnkit.graph.primitives.random import PARITY, ROTATIONS, ROUNDS
from nnkit_numpy.memory import Array

PIECE = 4096


class RandomBits:
    """Fills ``out`` with the bits of one stream at one step."""

    def __init__(self, out: Array, stream: tuple[int, int]) -> None:
        self._out = out.reshape(-1)
        self._stream = stream
        blocks = (self._out.size + 1) // 2
        piece = min(PIECE, blocks)
        self._first = np.arange(piece, dtype=np.uint32)
        self._x0, self._x1, self._shifted = (np.empty(piece, dtype=np.uint32) for _ in range(3))
        self._pieces = [(start, min(piece, blocks - start)) for start in range(0, blocks, max(piece, 1))]

    def __call__(self, seed_low: Array, seed_high: Array, step: Array) -> None:
        """Draw."""
        k0, k1 = int(seed_low) ^ self._stream[0], int(seed_high) ^ self._stream[1]
        keys = (k0, k1, k0 ^ k1 ^ PARITY)
        for start, count in self._pieces:
            x0, x1 = self._x0[:count], self._x1[:count]
            np.add(self._first[:count], np.uint32((start + k0) & 0xFFFFFFFF), x0)
            x1.fill((int(step) + k1) & 0xFFFFFFFF)
            self._rounds(x0, x1, self._shifted[:count], keys)
            piece = self._out[2 * start : 2 * (start + count)]
            piece[0::2] = x0
            piece[1::2] = x1[: piece.size // 2]

    @staticmethod
    def _rounds(x0: Array, x1: Array, shifted: Array, keys: tuple[int, int, int]) -> None:
        for turn in range(ROUNDS):
            distance = ROTATIONS[turn % 8]
            np.add(x0, x1, x0)
            np.left_shift(x1, np.uint32(distance), shifted)
            np.right_shift(x1, np.uint32(32 - distance), x1)
            np.bitwise_or(x1, shifted, x1)
            np.bitwise_xor(x1, x0, x1)
            if turn % 4 == 3:
                block = turn // 4 + 1
                np.add(x0, np.uint32(keys[block % 3]), x0)
                np.add(x1, np.uint32((keys[(block + 1) % 3] + block) & 0xFFFFFFFF), x1)


def workspace_bytes(count: int) -> int:
    """Memory beside the output for so many elements."""
    return 4 * min(PIECE, (count + 1) // 2) * np.dtype(np.uint32).itemsize
