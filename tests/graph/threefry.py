"""Threefry-2x32 in Python's integers, written from the paper alone: Salmon and others, SC 2011, section 3.2."""

from __future__ import annotations

import math

import numpy as np

WORD = 1 << 32


def rotated(word: int, distance: int) -> int:
    high, low = divmod(word << distance, WORD)
    return high | low


def block(counter: tuple[int, int], key: tuple[int, int], rounds: int) -> tuple[int, int]:
    """Two words for a counter under a key. A part of the key enters before the first and after each fourth round."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    distances = ((13, 15, 26, 6), (17, 29, 16, 24))
    first, second = counter
    for number in range(rounds + 1):
        injection, phase = divmod(number, 4)
        if phase == 0:
            first = (first + keys[injection % 3]) % WORD
            second = (second + keys[(injection + 1) % 3] + injection) % WORD
        if number < rounds:
            first = (first + second) % WORD
            second = rotated(second, distances[injection % 2][phase]) ^ first
    return first, second


def bits(low: int, high: int, step: int, stream: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray:
    """What random_bits promises: element i is word i mod 2 of block (i div 2, step) under the key seed xor stream."""
    key = (int(low) ^ stream[0], int(high) ^ stream[1])
    words = [block((i // 2, int(step)), key, 13)[i % 2] for i in range(math.prod(shape))]
    return np.asarray(words, dtype=np.uint32).reshape(shape)
