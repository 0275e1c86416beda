"""The bytes of a file as a parsed model: its size, what it begins with and how much is in it are known before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnkit.checkpoint.source import beginning, reading
from nnkit.errors import MissingExtraError
from nnkit.formats.onnx.import_wire import check_fields

LARGEST = 2**31 - 1
"""Bytes of a file; what one message of the encoding can have."""

OTHERS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, such as net.save and Keras write; give it its own ending",
    b"PK\x03\x04": "a zip archive, such as torch.save and numpy.savez write; export the network as ONNX",
    b"\x80": "a pickle, which is never read; export the network as ONNX",
    b"\x93NUMPY": "an array of NumPy; export the network as ONNX",
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"version https://git-lfs": "a pointer of Git LFS; fetch the file itself with: git lfs pull",
    b"<": "a page of text, as a download that failed leaves one; download the file again",
    b"{": "JSON text; export the network as ONNX",
}
"""By their first bytes, what people have under a name that ends in .onnx."""


_NOT, _FIX = "is damaged, or no ONNX file:", "use another copy, or export the network again"


def model_in(path: Path) -> Any:
    """The model in a file, as the package onnx has it; nothing else is opened, whatever the file names.

    Raises FileError for what is no ordinary file, ValueError for anything else that is wrong, without the path.
    """
    size, start = beginning(path, 32, "an ONNX file")
    if not size:
        raise ValueError("is empty; export the network again")
    if size > LARGEST:
        raise ValueError(
            f"has {size:,} bytes, and an ONNX file with all its values in it has at most {LARGEST:,}; export fewer"
        )
    for first, kind in OTHERS.items():
        if start.startswith(first):
            raise ValueError(f"is {kind}")
    return _parsed(path)


def _parsed(path: Path) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError('reading .onnx needs the package onnx: pip install "nnkit[onnx]"') from error
    with reading(path), path.open("rb") as stream:
        data = stream.read(LARGEST)
    try:
        check_fields(data, onnx.ModelProto.DESCRIPTOR)
    except ValueError as error:
        raise ValueError(f"{_NOT} it {error}; {_FIX}") from error
    try:
        return onnx.load_model_from_string(data)
    except Exception as error:  # of a kind that the library below keeps to itself
        raise ValueError(f"{_NOT} it has values of other kinds than the format; {_FIX}") from error
