"""Messages on the pipes of a worker: ``u32`` length (little-endian), ``u8`` kind, and the bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from nnkit.playground.frames import head_of_file
from nnkit.playground.wire import BINARY, HEAD, TEXT

LARGEST = 512_000_000
"""No file of a network in a playground is larger; a longer message is something else that was written to the pipe."""


class Piece(NamedTuple):
    """One message: its kind and its bytes."""

    kind: int
    body: bytes


class GarbledError(Exception):
    """What came through a pipe is no message."""


def text(message: Mapping[str, Any]) -> Piece:
    """A message of text.

    >>> text({"do": "play"})
    Piece(kind=0, body=b'{"do": "play"}')
    """
    return Piece(TEXT, json.dumps(message).encode())


def decoded(piece: Piece) -> dict[str, Any]:
    """The message of text, or the head of a file with ``ok``, in a piece from a worker; empty where there is none.

    >>> decoded(text({"do": "play"})), decoded(Piece(BINARY, b"abc"))
    ({'do': 'play'}, {})
    """
    file = piece.kind == BINARY
    try:
        found = json.loads(head_of_file(piece.body) if file else piece.body)
    except ValueError:
        return {}
    return found | ({"ok": True} if file else {}) if isinstance(found, dict) else {}


def head(piece: Piece) -> bytes:
    """What stands before the bytes of a message on a pipe.

    >>> head(Piece(BINARY, b"abc"))
    b'\\x03\\x00\\x00\\x00\\x01'
    """
    return HEAD.pack(len(piece.body), piece.kind)


class Splitter:
    """Cuts what comes through a pipe into messages.

    >>> splitter = Splitter()
    >>> splitter.feed(b"\\x02\\x00\\x00\\x00\\x01a"), splitter.feed(b"b")
    ([], [Piece(kind=1, body=b'ab')])
    """

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Piece]:
        """Take what has come; gives the messages that are complete. Raises GarbledError."""
        waiting, found, at = self._waiting, [], 0
        waiting += data
        while len(waiting) - at >= HEAD.size:
            length, kind = HEAD.unpack_from(waiting, at)
            if kind not in (TEXT, BINARY) or length > LARGEST:
                raise GarbledError
            if len(waiting) - at < HEAD.size + length:
                break
            at += HEAD.size + length
            with memoryview(waiting) as view:  # a slice of a bytearray would be copied twice
                found.append(Piece(kind, bytes(view[at - length : at])))
        del waiting[:at]
        return found
