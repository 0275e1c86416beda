"""The arrays in a model: declared shapes beside what is really there, before anything is made of them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.names import clipped

# Data types by their number in the format: the type, what holds the values if raw_data does not, and the type on disk.
_KINDS: dict[int, tuple[str, str, str]] = {
    1: ("float32", "float_data", "<f4"),
    2: ("uint8", "int32_data", "u1"),
    3: ("int8", "int32_data", "i1"),
    4: ("uint16", "int32_data", "<u2"),
    5: ("int16", "int32_data", "<i2"),
    6: ("int32", "int32_data", "<i4"),
    7: ("int64", "int64_data", "<i8"),
    8: ("string", "string_data", ""),
    9: ("bool", "int32_data", "u1"),
    10: ("float16", "int32_data", "<u2"),
    11: ("float64", "double_data", "<f8"),
    12: ("uint32", "uint64_data", "<u4"),
    13: ("uint64", "uint64_data", "<u8"),
    16: ("bfloat16", "int32_data", "<u2"),
}
_WIDE = {"float_data": "<f4", "double_data": "<f8", "int32_data": "<i4", "int64_data": "<i8", "uint64_data": "<u8"}
STRING, DOUBLE = 8, 11
HALVES = (10, 16)
FLOATS = (1, 10, 11, 16)
INTEGERS = (2, 3, 4, 5, 6, 7, 9, 12, 13)
_EXTERNAL = 1
_MOST_AXES = 16


def array_of(tensor: Any, place: str) -> Array:
    """The array of a tensor that ``check_tensor`` has let pass; float16 and bfloat16 as float32, text as objects."""
    name, field, disk = _KINDS[tensor.data_type]
    shape = tuple(tensor.dims)
    if tensor.data_type == STRING:
        return np.array([text.decode("utf-8", "replace") for text in tensor.string_data], object).reshape(shape)
    if tensor.raw_data:
        flat = np.frombuffer(tensor.raw_data, disk)
    else:
        values = getattr(tensor, field)
        wide = np.fromiter(values, _WIDE[field], len(values))
        flat = wide.astype(disk, copy=False)
        if flat is not wide and not np.array_equal(flat, wide):
            raise ValueError(f"has {place}, whose numbers are not {name}; export the network again")
    if name == "float16":
        return flat.view("<f2").astype("float32").reshape(shape)
    if name == "bfloat16":
        return (flat.astype("uint32") << 16).view("float32").reshape(shape)
    return flat.astype(name, copy=False).reshape(shape)


def check_tensor(tensor: Any, place: str) -> None:
    """Refuse a tensor whose values are not all in the file, or of which the file has another number than it says."""
    if tensor.data_location == _EXTERNAL or tensor.external_data:
        where = next((entry.value for entry in tensor.external_data if entry.key == "location"), "another file")
        raise ValueError(
            f"has {place}, whose values are outside of the file, in '{clipped(where)}', and nnkit opens no file that a "
            "file names; export with all values inside: torch.onnx.export(…, external_data=False), or load it with the "
            "package onnx and write onnx.save(model, path)"
        )
    if tensor.data_type not in _KINDS or tensor.HasField("segment"):
        raise ValueError(
            f"has {place} of data type {tensor.data_type}, which is not read, as quantised and complex values are not; "
            "export the network in float32 or float64"
        )
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape) or len(shape) > _MOST_AXES:
        raise ValueError(f"has {place} of shape {list(shape[:_MOST_AXES])}, which no array has; export it again")
    _check_count(tensor, prod(shape), place)


def _check_count(tensor: Any, count: int, place: str) -> None:
    _, field, disk = _KINDS[tensor.data_type]
    if tensor.raw_data:
        found, expected, unit = len(tensor.raw_data), count * np.dtype(disk or "u1").itemsize, "bytes"
        if not disk or any(len(getattr(tensor, other)) for other in (*_WIDE, "string_data")):
            raise ValueError(f"has {place}, whose values are there twice; export the network again")
    else:
        found, expected, unit = len(getattr(tensor, field)), count, "values"
    if found != expected:
        raise ValueError(
            f"has {place} of shape {list(tensor.dims)}, which takes {expected:,} {unit}, and {found:,} are there; the "
            "file is damaged: export the network again"
        )
