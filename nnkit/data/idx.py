"""The IDX format, in which MNIST is published: a magic number, the dimensions, then unsigned bytes."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnkit.data.digest import open_content
from nnkit.errors import FileError

_UNSIGNED_BYTE = 0x08
_LIMIT_BYTES = 1 << 30  # no set in this format comes near it; a header that declares more is damaged


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array in an IDX file of unsigned bytes, compressed with gzip or not, whatever its name says.

    Never more is read or unpacked than the header declares, and a header may declare 1 GiB.

    Raises:
        FileError: missing, damaged, another type or number of dimensions, truncated, or longer than declared.
    """
    try:
        with open_content(path) as stream:
            shape = _shape(stream.read(4 + 4 * dimensions), path, dimensions)
            content = stream.read(math.prod(shape) + 1)
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; put the file there, or leave the folder out to download it") from error
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be read: {error}; delete it and download it again") from error
    got, size = len(content), math.prod(shape)
    if got != size:
        problem = f"is truncated: {got} of" if got < size else "goes on after its end: more than"
        raise FileError(f"{path} {problem} {size} bytes of data for shape {shape}; delete it and download it again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(header: bytes, path: Path, dimensions: int) -> tuple[int, ...]:
    magic = struct.pack(">HBB", 0, _UNSIGNED_BYTE, dimensions)
    if header[:4] != magic:
        raise FileError(
            f"{path} is not an IDX file of unsigned bytes with {dimensions} dimensions: "
            f"it starts with {header[:4].hex()!r}, expected {magic.hex()!r}; check which file it is"
        )
    if len(header) < 4 + 4 * dimensions:
        raise FileError(f"{path} is truncated within its header; delete it and download it again")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if not 0 < math.prod(shape) <= _LIMIT_BYTES:
        raise FileError(f"{path} declares the shape {shape}, which no data set has; delete it and download it again")
    return shape
