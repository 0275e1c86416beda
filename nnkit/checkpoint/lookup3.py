"""The checksum at the end of HDF5's own structures: Bob Jenkins' hash "lookup3" of 2006, with the start value 0."""

from __future__ import annotations

_ALL = 0xFFFFFFFF


def lookup3(data: bytes) -> int:
    """The hash of some bytes.

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
