"""The bytes of an HDF5 file: where its own structures are, and their checksums made right again after a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

CONTINUED = 0x10  # a message that says where more messages of the same object are
_ALL = 0xFFFFFFFF
_ENDED = (b"FRHP", b"FHIB", b"BTHD", b"BTLF", b"BTIN")  # heaps and trees, with the sum at the end


class Span(NamedTuple):
    """A structure with a checksum: where it begins, how many bytes are summed, and where from its start the sum is.

    A sum that stands inside counts as four zeros.
    """

    start: int
    length: int
    at: int

    def sum(self, data: bytes | bytearray) -> bytes:
        """What the checksum must be, in the bytes of the file."""
        summed = bytearray(data[self.start : self.start + self.length])
        if self.at < self.length:
            summed[self.at : self.at + 4] = bytes(4)
        return lookup3(bytes(summed)).to_bytes(4, "little")

    def right(self, data: bytes | bytearray) -> bool:
        """Whether it is that."""
        return data[self.start + self.at : self.start + self.at + 4] == self.sum(data)


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash of 2006 with the start value 0, which HDF5 has at the end of its structures.

    >>> hex(lookup3(b"Four score and seven years ago"))
    '0x17770551'
    """
    a = b = c = (0xDEADBEEF + len(data)) & _ALL
    last = (len(data) - 1) // 12 * 12 if data else 0
    for place in range(0, last, 12):
        a, b, c = _mixed(*_added(a, b, c, data[place : place + 12]))
    return _finished(*_added(a, b, c, data[last:].ljust(12, b"\0"))) if data else c


def _added(a: int, b: int, c: int, part: bytes) -> tuple[int, int, int]:
    first, second, third = (int.from_bytes(part[place : place + 4], "little") for place in (0, 4, 8))
    return a + first & _ALL, b + second & _ALL, c + third & _ALL


def _turned(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _ALL


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits in (4, 6, 8, 16, 19, 4):
        a = (a - c & _ALL) ^ _turned(c, bits)
        c = c + b & _ALL
        a, b, c = b, c, a
    return a, b, c


def _finished(a: int, b: int, c: int) -> int:
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - _turned(b, bits) & _ALL
        a, b, c = b, c, a
    return b


def spans(data: bytes) -> list[Span]:
    """All structures whose checksum is right."""
    found = [Span(0, 44, 44)] if data[8:9] in (b"\2", b"\3") else []
    for start in _starts(data, b"OHDR"):
        found += _object(data, start)
    for name in _ENDED:
        for start in _starts(data, name):
            found += _first(data, (Span(start, length, length) for length in range(6, 600)))
    for start in _starts(data, b"FHDB"):
        found += _first(data, (Span(start, 512 << size, at) for at in range(14, 22) for size in range(8)))
    return sorted({span for span in found if span.right(data)})


def sealed(data: bytes | bytearray, places: list[Span]) -> bytes:
    """The data with the checksums of these structures made right."""
    out = bytearray(data)
    for span in places:
        if span.start + max(span.length, span.at + 4) <= len(out):
            out[span.start + span.at : span.start + span.at + 4] = span.sum(out)
    return bytes(out)


def _starts(data: bytes, name: bytes) -> Iterator[int]:
    place = data.find(name)
    while place >= 0:
        yield place
        place = data.find(name, place + 1)


def _object(data: bytes, start: int) -> list[Span]:
    """The header of an object, and the blocks in which it goes on."""
    flags = data[start + 5]
    width = 1 << (flags & 3)
    head = start + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    size = int.from_bytes(data[head : head + width], "little")
    length = head + width + size - start
    found, rest = [Span(start, length, length)], [(head + width, head + width + size)]
    while rest:
        place, end = rest.pop()
        while place + 4 <= end:
            kind, length = data[place], int.from_bytes(data[place + 1 : place + 3], "little")
            place += 6 if flags & 4 else 4
            if kind == CONTINUED and length == 16:
                where, size = (int.from_bytes(data[place + at : place + at + 8], "little") for at in (0, 8))
                found.append(Span(where, size - 4, size - 4))
                rest.append((where + 4, where + size - 4))
            place += length
    return found


def _first(data: bytes, tried: Iterable[Span]) -> list[Span]:
    return next(([span] for span in tried if span.right(data)), [])
