"""The files of the page, read once: what is not in this table is not there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent.parent / "page"
FIRST = "index.html"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class File(NamedTuple):
    """A file as it is sent."""

    body: bytes
    kind: str
    etag: str


def read(folder: Path = PAGE) -> Mapping[str, File]:
    """The files of a folder by the path in their address; folders in it and other kinds of files are left out.

    >>> read(Path(__file__).parent)  # there is only Python
    {}
    """
    found = (path for path in sorted(folder.iterdir()) if path.suffix in TYPES and path.is_file())
    return {"/" if path.name == FIRST else f"/{path.name}": _file(path) for path in found}


def _file(path: Path) -> File:
    body = path.read_bytes()
    return File(body, TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
