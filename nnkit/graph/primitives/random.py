"""Random bits as a function of (key, counter): no state, so that every device draws the same.

Threefry-2x32 with 13 rounds: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from nnkit.errors import ArgumentError, DtypeError
from nnkit.graph.primitives.table import Array, Evaluator, Primitive, Type, add_rows, elements

ROUNDS = 13
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA
MASK = 0xFFFFFFFF


def _infer(seed_low: Type, seed_high: Type, step: Type, stream: tuple[int, int], shape: tuple[int, ...]) -> Type:
    for operand in (seed_low, seed_high, step):
        if operand != Type((), "uint32"):
            raise DtypeError(f"random_bits: seed and step must be 0-d uint32, got {operand.dtype}{list(operand.shape)}")
    if len(stream) != 2 or not all(0 <= part <= MASK for part in stream):
        raise ArgumentError(f"random_bits: stream must be two integers from 0 to 2**32 - 1, got {stream}")
    return Type(shape, "uint32")


def threefry(x0: Array, x1: Array, k0: Array, k1: Array, rounds: int = ROUNDS) -> tuple[Array, Array]:
    """Two words of 32 random bits for the counter (x0, x1) under the key (k0, k1).

    Works on integer arrays of at least 64 bits whose values are below 2³²; sums are masked, so that a namespace without
    arithmetic on uint32 gives the same words.
    """
    keys = (k0, k1, k0 ^ k1 ^ PARITY)
    x0, x1 = (x0 + k0) & MASK, (x1 + k1) & MASK
    for turn in range(rounds):
        distance = ROTATIONS[turn % 8]
        x0 = (x0 + x1) & MASK
        x1 = (((x1 << distance) & MASK) | (x1 >> (32 - distance))) ^ x0
        if turn % 4 == 3:
            block = turn // 4 + 1
            x0 = (x0 + keys[block % 3]) & MASK
            x1 = (x1 + keys[(block + 1) % 3] + block) & MASK
    return x0, x1


def _evaluate(
    run: Evaluator, seed_low: Array, seed_high: Array, step: Array, stream: tuple[int, int], shape: tuple[int, ...]
) -> Array:
    """Element i is word i mod 2 of the block with counter (i div 2, step); the key is the seed xor the stream."""
    xp, wide = run.xp, run.dtype("int64")
    count = elements(shape)
    blocks = xp.arange((count + 1) // 2, dtype=wide, device=run.device)
    k0, k1 = (xp.astype(word, wide) ^ part for word, part in zip((seed_low, seed_high), stream, strict=True))
    words = threefry(blocks, xp.zeros_like(blocks) + xp.astype(step, wide), k0, k1)
    flat = xp.reshape(xp.stack(words, axis=1), (2 * blocks.shape[0],))[:count]
    return xp.reshape(xp.astype(flat, run.dtype("uint32")), shape)


add_rows(
    [
        Primitive(
            "random_bits",
            "random",
            _infer,
            _evaluate,
            (None, None, None),
            lambda output, *_, **__: 5 * ROUNDS * elements(output.shape) // 2,
        )
    ]
)
