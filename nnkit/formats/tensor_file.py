"""A safetensors file: read without trusting it, and written whole or not at all.

The format is small enough to be read here. The package of that name takes names that stand twice, and a header of
hundreds of megabytes; the tests compare what both of them read and write.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnkit.checkpoint.source import beginning, reading
from nnkit.checkpoint.target import writing
from nnkit.checkpoint.text import LONGEST, written
from nnkit.data.arrays import Array
from nnkit.errors import FileError
from nnkit.formats.matching import Shape
from nnkit.formats.tensor_header import METADATA, checked
from nnkit.names import clipped

DAMAGED = "use another copy, or write it again"
WANTED = "a safetensors file"
READ = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
WRITTEN = {"float64": "F64", "float32": "F32", "int64": "I64"}
SLACK = 1_000_000  # bytes of a header for what is not expected
EACH = 300  # bytes of a header for one tensor
OTHERS = {
    b"PK\x03\x04": "a zip file, as torch.save writes it; "
    "write safetensors.torch.save_file(model.state_dict(), path) in PyTorch",
    b"\x80": "a pickle, which can run anything and is never read; "
    "write safetensors.torch.save_file(model.state_dict(), path) in PyTorch",
    b"\x89HDF": "an HDF5 file; give it the name that its kind has, .h5 or .weights.h5",
}
"""What people have under the name of a safetensors file, by how it begins."""


class TensorFile:
    """What is in one file: types and shapes from its checked header, and values on demand."""

    def __init__(self, path: Path, expected: int) -> None:
        """``expected`` is the number of tensors that it should have, which bounds the header."""
        self.path = path
        size, start = beginning(path, 9, WANTED)
        length = _header_length(path, size, start)
        most = min(LONGEST, SLACK + EACH * expected)
        if length > most:
            raise FileError(f"{path} has a header of {length:,} bytes; {most:,} are the most for this network")
        self._values_from = 8 + length
        try:
            self._tensors, self.metadata = checked(self._bytes(8, length), size - self._values_from)
        except ValueError as error:
            raise FileError(f"{path} is damaged: the header {error}; {DAMAGED}") from error

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shapes by name."""
        return {name: tensor.shape for name, tensor in self._tensors.items()}

    def check_floats(self, names: Any) -> None:
        """Refuse what are no floating-point numbers that can be read."""
        for name in names:
            if (dtype := self._tensors[name].dtype) not in READ:
                raise self.refused(name, f"has type {dtype}; {', '.join(READ)} can be read", "convert it before")

    def numbers(self, name: str, dtype: str) -> Array:
        """The values of one tensor, in a type of the network's; ``check_floats`` and its shape come before."""
        tensor = self._tensors[name]
        data = self._bytes(self._values_from + tensor.begin, tensor.end - tensor.begin)
        values = np.frombuffer(data, READ[tensor.dtype]).reshape(tensor.shape)
        if tensor.dtype == "BF16":  # the upper half of a float32
            values = (values.astype(np.uint32) << 16).view(np.float32)
        if not np.isfinite(values).all():
            raise self.refused(name, "holds NaN or infinity", "take one from before the training diverged")
        with np.errstate(over="ignore"):
            stored = values.astype(dtype, copy=False)
        if not np.isfinite(stored).all():
            raise self.refused(name, f"holds a number beyond {dtype}", "make the network with dtype='float64'")
        return stored

    def refused(self, name: str, reason: str, fix: str) -> FileError:
        """The error for one tensor."""
        return FileError(f"{self.path}: {clipped(name)} {reason}; {fix}")

    def _bytes(self, start: int, count: int) -> bytes:
        with reading(self.path), self.path.open("rb") as stream:
            stream.seek(start)
            data = stream.read(count)
        if len(data) != count:
            raise FileError(f"{self.path} became shorter while it was read; {DAMAGED}")
        return data


def _header_length(path: Path, size: int, start: bytes) -> int:
    if not start:
        raise FileError(f"{path} is empty; {DAMAGED}")
    for signature, kind in OTHERS.items():
        # A header as long as such a first word says would be refused for its length.
        if start.startswith(signature) and start[8:] != b"{":
            raise FileError(f"{path} is no safetensors file but {kind}")
    length = int.from_bytes(start[:8], "little")
    if len(start) == 9 and length > size - 8 and start[8:] == b"{":
        raise FileError(f"{path} is cut off: its header has {length:,} bytes, and the file {size:,}; {DAMAGED}")
    if len(start) < 9 or length > size - 8 or start[8:] != b"{":
        raise FileError(f"{path} is not a safetensors file, or damaged at its start; {DAMAGED}")
    return length


def write(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write tensors, largest types first, so that each stands at a multiple of its size.

    Raises ValueError for what :class:`TensorFile` would not read back, before anything is written, and FileError.
    """
    order = sorted(tensors, key=lambda name: -tensors[name].itemsize)
    entries: dict[str, Any] = {METADATA: dict(metadata)}
    reached = 0
    for name in order:
        array, begin = tensors[name], reached
        reached += array.nbytes
        entries[name] = {"dtype": WRITTEN[array.dtype.name], "shape": array.shape, "data_offsets": (begin, reached)}
    header = written(entries)
    header += b" " * (-len(header) % 8)
    checked(header, reached)
    with writing(path, "net.safetensors") as new, new.open("xb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for name in order:
            array = np.asarray(tensors[name], tensors[name].dtype.newbyteorder("<"), order="C")
            stream.write(array.reshape(-1).view(np.uint8).data)
