"""The header of a safetensors file that is not trusted: what its JSON may say, before anything is read by it.

The file is eight bytes with the length of the header (little-endian), the header, and the values of all tensors, one
after the other, little-endian and in C order. What is wrong is raised as ValueError, worded to follow "the header".
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from nnkit.checkpoint.text import parsed
from nnkit.names import clipped

METADATA = "__metadata__"
BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
    "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}  # fmt: skip
"""Types that are known by name, with their size."""
MOST_AXES = 32
LARGEST = 2**63 - 1


class Tensor(NamedTuple):
    """What the header says of one tensor; its bytes are those from ``begin`` to ``end`` after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def checked(text: bytes, data_bytes: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name, and the metadata, of a header that ``data_bytes`` bytes follow.

    Each byte belongs to exactly one tensor, and each tensor has the bytes that its type and shape need.

    >>> checked(b'{"bias": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', 8)
    ({'bias': Tensor(dtype='F32', shape=(2,), begin=0, end=8)}, {})
    """
    try:
        found = parsed(text)
    except ValueError as error:  # which may quote a name of any length
        raise ValueError(clipped(str(error))) from error
    if not isinstance(found, dict):
        raise ValueError("is not an object with an entry for each tensor")
    metadata = found.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"has {METADATA} that is not an object of texts")
    tensors = {name: _tensor(f"has {clipped(name)}", entry) for name, entry in found.items()}
    _check_bytes(tensors, data_bytes)
    return tensors, metadata


def _tensor(where: str, entry: Any) -> Tensor:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{where}, which is not an object of dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BYTES:
        raise ValueError(f"{where} of the unknown type {_short(dtype)}")
    if not _are_counts(shape) or len(shape) > MOST_AXES:
        raise ValueError(f"{where} of shape {_short(shape)}; it is a list of at most {MOST_AXES} whole numbers from 0")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise ValueError(f"{where} at {_short(offsets)}; a place is its first byte and the one after its last")
    needed, (begin, end) = prod(shape) * BYTES[dtype], offsets
    if end - begin != needed:
        raise ValueError(f"{where} at {begin:,} to {end:,}; {dtype} of shape {_short(shape)} needs {needed:,} bytes")
    return Tensor(dtype, tuple(shape), begin, end)


def _check_bytes(tensors: Mapping[str, Tensor], data_bytes: int) -> None:
    reached = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1][2:]):
        if tensor.begin != reached:
            overlap = "overlaps the one before it" if tensor.begin < reached else "leaves a gap before it"
            raise ValueError(f"has {clipped(name)} at {tensor.begin:,}, which {overlap}, up to {reached:,}")
        reached = tensor.end
    if reached != data_bytes:
        raise ValueError(f"describes {reached:,} bytes of values, and {data_bytes:,} follow it")


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(count) is int and 0 <= count <= LARGEST for count in value)


def _short(value: Any) -> str:
    return clipped(repr(value))
