"""Mutations of bytes: flipped, overwritten, cut, moved, and taken from other files."""

from __future__ import annotations

import hashlib
from random import Random

from tests.checkpoint.fuzz.bases import Base
from tests.checkpoint.raw import sealed

NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**63,
    2**64 - 2,
    2**64 - 1,
)


def mutated(draw: Random, base: Base, other: Base, attacker: bool) -> bytes:
    """The file with a few changes; an attacker makes checksums right, those of the library too."""
    data = bytearray(base.data)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        draw.choice(CHANGES)(draw, data, base, other)
    return _made_right(bytes(data), base) if attacker else bytes(data)


def _made_right(data: bytes, base: Base) -> bytes:
    out = bytearray(data)
    if len(data) >= len(base.data) * 9 // 10:
        for place, where in base.sums.items():
            start, end = base.values[place]
            out[where : where + 64] = hashlib.sha256(out[start:end]).hexdigest().encode()
    return sealed(out, base.sealed)


def _place(draw: Random, data: bytearray, base: Base) -> int:
    """Somewhere, more often in what the library calls its own."""
    if base.sealed and draw.random() < 0.6:
        span = draw.choice(base.sealed)
        return min(span.start + draw.randrange(span.length), len(data) - 1)
    return draw.randrange(len(data))


def _flip(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    data[_place(draw, data, base)] ^= 1 << draw.randrange(8)


def _overwrite(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    place, size = _place(draw, data, base), draw.choice((1, 1, 2, 4, 8))
    number = draw.choice(NUMBERS) if draw.random() < 0.7 else draw.getrandbits(64)
    data[place : place + size] = (number % 256**size).to_bytes(size, "little")[: len(data) - place]


def _step(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    place = _place(draw, data, base)
    data[place] = (data[place] + draw.choice((-1, 1))) % 256


def _cut(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    if draw.random() < 0.3:
        del data[_place(draw, data, base) + 1 :]


def _longer(draw: Random, data: bytearray, base: Base, other: Base) -> None:
    data += draw.choice((bytes(1000), other.data, draw.randbytes(100)))


def _zeros(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    place, size = _place(draw, data, base), draw.choice((8, 64, 512))
    data[place : place + size] = bytes(len(data[place : place + size]))


def _splice(draw: Random, data: bytearray, base: Base, other: Base) -> None:
    """A piece of another file, or of this one, over what stands there."""
    place, source = _place(draw, data, base), draw.choice((other.data, base.data))
    start, size = draw.randrange(len(source)), draw.choice((4, 16, 64, 256, 1024))
    piece = source[start : start + size][: len(data) - place]
    data[place : place + len(piece)] = piece


def _swap(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    """Two structures of the same size, or two pieces of the file."""
    first, second = _place(draw, data, base), _place(draw, data, base)
    size = min(draw.choice((8, 8, 32, 131)), len(data) - max(first, second), abs(first - second))
    one, two = data[first : first + size], data[second : second + size]
    data[first : first + size], data[second : second + size] = two, one


def _shift(draw: Random, data: bytearray, base: Base, _: Base) -> None:
    if draw.random() < 0.2:
        place = _place(draw, data, base)
        if draw.random() < 0.5:
            data[place:place] = draw.randbytes(draw.choice((1, 8)))
        elif len(data) > 100:
            del data[place : place + draw.choice((1, 8))]
    if not data:
        data += b"\0"


CHANGES = (
    _flip,
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _overwrite,
    _step,
    _cut,
    _longer,
    _zeros,
    _splice,
    _swap,
    _shift,
)
