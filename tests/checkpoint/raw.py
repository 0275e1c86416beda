"""The bytes of an HDF5 file: where its own structures are, and their checksums made right again after a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nnkit.checkpoint.lookup3 import lookup3

CONTINUED = 0x10  # a message that says where more messages of the same object are
_ENDED = (  # heaps, trees and lists of chunks, with the sum at the end
    *(b"FRHP", b"FHIB", b"BTHD", b"BTLF", b"BTIN"),
    *(b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB", b"SMTB", b"SMLI"),
)


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
