"""Machine code on disk, for the next process; what cannot be read or written costs only time."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

DIRECTORY = "NNKIT_CACHE_DIR"
DIGEST = 32


def folder() -> Path:
    """``NNKIT_CACHE_DIR``, or the user's cache."""
    given = os.environ.get(DIRECTORY)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(given) if given else home / "nnkit") / "native"


def read(key: str) -> bytes | None:
    """The code that was kept under this key; None if there is none, or the file is not as it was written."""
    with suppress(OSError):
        found = _place(key).read_bytes()
        digest, code = found[:DIGEST], found[DIGEST:]
        if hashlib.sha256(code).digest() == digest:
            return code
    return None


def keep(key: str, code: bytes) -> None:
    """For the next process; another one that writes the same at the same time does no harm."""
    with suppress(OSError):
        write(_place(key), hashlib.sha256(code).digest() + code)


def write(place: Path, content: bytes) -> None:
    """A file in one step: others see the old one or the new one, and nothing is left of one that does not fit."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = place.with_name(f"{place.name}.{os.urandom(4).hex()}.tmp")
    try:
        new.write_bytes(content)
        os.replace(new, place)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _place(key: str) -> Path:
    return folder() / f"{hashlib.sha256(key.encode()).hexdigest()}.o"
