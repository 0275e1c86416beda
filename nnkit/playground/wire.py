"""Messages between the server and the process of a network: length, kind, bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

TEXT, BINARY = 0, 1
HEAD = struct.Struct("<IB")
LENGTH = struct.Struct("<I")
"""Of the JSON head with which an upload begins."""


def read(pipe: BinaryIO) -> tuple[int, bytes] | None:
    """Kind and content of the next message; None at the end."""
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, kind = HEAD.unpack(head)
    content = pipe.read(size)
    return (kind, content) if len(content) == size else None


def write(pipe: BinaryIO, kind: int, content: bytes) -> None:
    """Send one message."""
    pipe.write(HEAD.pack(len(content), kind) + content)
    pipe.flush()


def text(message: Mapping[str, Any]) -> bytes:
    """A message as JSON; what is not finite must not be in it.

    >>> text({"re": 1, "name": "größe"}).decode()
    '{"re":1,"name":"größe"}'
    """
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
