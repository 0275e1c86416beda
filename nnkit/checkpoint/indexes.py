"""Sizes and kinds that the library takes from the file as they are, looked at before it opens the file.

A heap or tree of names says how large its blocks are, and the library takes that much memory, up to 4 GB, before it
finds that the file is shorter; it divides by sizes that may be zero; and it takes a tree of one kind for another. Such
a structure begins with a signature, whatever leads to it, and ends with a checksum, so that numbers of a network that
look like one are told from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnkit.checkpoint.lookup3 import lookup3

HEAP, TREE = b"FRHP", b"BTHD"
LENGTHS = {HEAP: 142, TREE: 34}  # without the checksum; places and sizes have 8 bytes
PIECE = 1 << 20
LARGEST_BLOCK, LARGEST_NODE = 1 << 20, 1 << 16  # bytes; the library itself makes them of 64 kB and 2 kB at most
NAMES = 5  # the kind of a tree of names
WIDEST, MOST_ROWS, DEEPEST = 256, 64, 16


def check_indexes(stream: Any) -> None:
    """Refuse an open file with a heap or tree of larger blocks; ValueError, worded to follow the name of the file."""
    for place, name in _found(stream):
        stream.seek(place)
        data = stream.read(LENGTHS[name] + 4)
        if lookup3(data[:-4]).to_bytes(4, "little") == data[-4:]:
            (_check_heap if name == HEAP else _check_tree)(data)


def _found(stream: Any) -> Iterator[tuple[int, bytes]]:
    """Places of the signatures, in a stream that may be moved in between."""
    done, kept = 0, b""
    while True:
        stream.seek(done)
        if not (piece := stream.read(PIECE)):
            return
        data, start = kept + piece, done - len(kept)
        for name in LENGTHS:
            at = data.find(name)
            while at >= 0:
                yield start + at, name
                at = data.find(name, at + 1)
        done, kept = done + len(piece), data[-3:]


def _check_heap(data: bytes) -> None:
    filters, width, rows = _number(data, 7, 2), _number(data, 110, 2), _number(data, 140, 2)
    first, largest, bits = _number(data, 112, 8), _number(data, 120, 8), _number(data, 128, 2)
    if filters:
        raise ValueError("has packed names or attributes, which nnkit does not read")
    if max(first, largest) > LARGEST_BLOCK or width > WIDEST or rows > MOST_ROWS:
        raise ValueError(
            f"keeps names or attributes in {rows:,} rows of {width:,} blocks of up to {max(first, largest):,} bytes; "
            f"{MOST_ROWS}, {WIDEST} and {LARGEST_BLOCK:,} are the most"
        )
    doubled = all(size.bit_count() == 1 for size in (width, first, largest))
    if not (doubled and first <= largest and largest.bit_length() <= bits <= 64):
        raise ValueError(
            f"keeps names or attributes in rows of {width} blocks of {first:,} to {largest:,} bytes, up to 2 to the "
            f"{bits}; each of these is a power of two, in this order"
        )


def _check_tree(data: bytes) -> None:
    kind, size, record, depth = data[5], _number(data, 6, 4), _number(data, 10, 2), _number(data, 12, 2)
    if kind != NAMES:
        raise ValueError("has an index of something else than names, such as many attributes; nnkit writes none")
    if size > LARGEST_NODE:
        raise ValueError(f"has an index in nodes of {size:,} bytes; {LARGEST_NODE:,} are the most")
    if not 1 <= record <= size // 4 or depth > DEEPEST:
        raise ValueError(
            f"has an index of {depth:,} levels with entries of {record:,} bytes in nodes of {size:,}; "
            f"an entry has from 1 byte to a fourth of a node, and there are at most {DEEPEST} levels"
        )


def _number(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "little")
