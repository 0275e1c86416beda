"""The files that TensorBoard reads: records with checksums, each an event in the wire format of protocol buffers.

A record is the length of its data (uint64), a checksum of that, the data, and a checksum of those, all little-endian.
The checksum is CRC-32C (Castagnoli), turned by 15 bits and with a constant added. Of an event five fields are written:
the wall time, the step, the version of the format in the first one, and in the others the tag and value of a scalar.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

VERSION = "brain.Event:2"
_POLYNOMIAL = 0x82F63B78  # of CRC-32C, bits reversed
_MASK = 0xA282EAD8
_NUMBERS = count()


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = [_remainder(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """CRC-32C, the checksum of RFC 3720.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """Data as a record.

    >>> len(record(b"four"))
    20
    """
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


def _varint(number: int) -> bytes:
    """A whole number, seven bits in a byte, the lowest first."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _field(number: int, kind: int, data: bytes) -> bytes:
    """A field: its number and kind (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes), then the data."""
    return _varint(number << 3 | kind) + (_varint(len(data)) if kind == 2 else b"") + data


def event(step: int, what: bytes, now: float) -> bytes:
    """An event at a step."""
    return _field(1, 1, struct.pack("<d", now)) + _field(2, 0, _varint(step)) + what


def version() -> bytes:
    """What the first event of a file says."""
    return _field(3, 2, VERSION.encode())


def scalars(values: Mapping[str, float]) -> bytes:
    """Scalars by tag, as the summary of an event; beyond float32 they become infinite."""
    return _field(5, 2, b"".join(_field(1, 2, _scalar(tag, value)) for tag, value in values.items()))


def _scalar(tag: str, value: float) -> bytes:
    try:
        number = struct.pack("<f", value)
    except OverflowError:
        number = struct.pack("<f", float("inf") if value > 0 else float("-inf"))
    return _field(1, 2, tag.encode()) + _field(2, 5, number)


class EventFile:
    """An event file of its own name in a folder, which is made; each write is on the disk at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{next(_NUMBERS)}"
        self._file = (folder / name).open("xb")
        self._put(event(0, version(), now))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add scalars."""
        self._put(event(step, scalars(values), time.time()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _put(self, data: bytes) -> None:
        self._file.write(record(data))
        self._file.flush()
