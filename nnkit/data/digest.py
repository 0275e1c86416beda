"""The hash that a published file must have, and opening files that may be packed."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Digest:
    """The hash that a file must have: of its bytes, or of what they unpack to (mirrors may compress differently)."""

    value: str
    algorithm: str = "sha256"
    of_content: bool = True

    def of(self, path: Path) -> str:
        """The hash of a file, as hexadecimal digits; a file that cannot be unpacked gives a word for it."""
        digest = hashlib.new(self.algorithm, usedforsecurity=False)
        try:
            with open_content(path) if self.of_content else path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return "damaged gzip data"
        return digest.hexdigest()


def open_content(path: Path) -> BinaryIO:
    """Open a file for reading bytes; gzip is unpacked, as the first bytes say and not the name."""
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    return cast("BinaryIO", gzip.open(path)) if packed else path.open("rb")
