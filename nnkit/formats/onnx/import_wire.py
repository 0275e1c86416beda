"""The encoding of a file, walked through before a library parses it: a few bytes can stand for much memory.

A message that is empty takes two bytes in a file and more than a hundred in memory, so ten megabytes of them would be a
gigabyte. They are counted here without being made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST_FIELDS = 300_000
MOST_WHOLE_NUMBERS = 8_000_000  # bytes in a file, of numbers that take eight each in memory
DEEPEST = 32
_LENGTHS = {1: 8, 5: 4}  # of the wire types that have a fixed one, in bytes
_VARINT, _SIZED = 0, 2
_BYTES, _TEXT = 12, 9  # the types of fields that are one value however long they are


def check_fields(data: bytes, message: Any) -> None:
    """Refuse what is no encoding of a message with this descriptor, or would take too much memory."""
    fields = numbers = 0
    waiting = [(message, 0, len(data), 1)]
    while waiting:
        kind, start, end, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError(f"is nested more than {DEEPEST} deep")
        known = kind.fields_by_number
        for number, first, last in _fields(data, start, end):
            fields += 1
            if fields > MOST_FIELDS:
                raise ValueError(f"has more than the {MOST_FIELDS:,} values that are read")
            if (field := known.get(number)) is None or first == last:
                continue
            if field.message_type is not None:
                waiting.append((field.message_type, first, last, depth + 1))
            elif field.type not in (_BYTES, _TEXT) and field.name not in ("float_data", "double_data"):
                numbers += last - first
                if numbers > MOST_WHOLE_NUMBERS:
                    raise ValueError(f"has more than {MOST_WHOLE_NUMBERS / 1e6:g} MB of whole numbers in lists")


def _fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number of each field in a part of the data, and where its content begins and ends; an empty one has none."""
    at = start
    while at < end:
        tag, at = _varint(data, at, end)
        wire = tag & 7
        if wire == _VARINT:
            at = _varint(data, at, end)[1]
            yield tag >> 3, at, at
            continue
        if wire == _SIZED:
            length, at = _varint(data, at, end)
        elif wire in _LENGTHS:
            length = _LENGTHS[wire]
        else:
            raise ValueError(f"has a value of the unknown kind {wire} at byte {at:,}")
        if length > end - at:
            raise ValueError(f"ends in the middle of a value, at byte {at:,}")
        yield tag >> 3, at, at + length if wire == _SIZED else at
        at += length


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A whole number of up to ten bytes, and where it ends."""
    if at < end and data[at] < 128:
        return data[at], at + 1
    value = 0
    for place, byte in enumerate(data[at : min(at + 10, end)]):
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at + place + 1
    raise ValueError(f"ends in the middle of a value, at byte {min(at + 10, end):,}")
