"""What a browser says, checked as far as the server must understand it: what to do, in which lane, by which number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from nnkit.names import nearest
from nnkit.playground.server.pipes import Piece, text
from nnkit.playground.wire import BINARY, LENGTH

LANES = (0, 1)
FORWARDED = ("set", "play", "pause", "step", "reset", "seen", "hover", "edit", "points", "export", "draw", "mistakes")
KNOWN = ("hello", "race", "bye", *FORWARDED)
LONGEST_HEAD = 65_536
DEEPEST = 4


class RefusedError(Exception):
    """A message that is wrong; ``number`` is that of the answer, None where it is not known."""

    def __init__(self, why: str, number: int | None = None) -> None:
        super().__init__(why)
        self.number = number


class Message(NamedTuple):
    """A message that is right: its fields, and how it goes to a worker."""

    do: str
    number: int | None
    lane: int
    fields: Mapping[str, Any]
    piece: Piece

    def copied(self, lane: int, number: str) -> Message:
        """The same for another lane, asked by the server itself under this name."""
        fields = {**self.fields, "id": number, "lane": lane}
        if self.piece.kind == BINARY:
            piece = Piece(BINARY, _packed(fields, upload_bytes(self.piece.body)))
        else:
            piece = text(fields)
        return Message(self.do, None, lane, fields, piece)

    def settings(self) -> dict[str, Any]:
        """Its settings; none where it has none."""
        found = self.fields.get("settings", {})
        if not isinstance(found, dict):
            raise RefusedError(f"settings must be an object, got {_shown(found)}", self.number)
        if _nested(found, DEEPEST):
            raise RefusedError(
                f"settings must be numbers, texts and lists, at most {DEEPEST} in each other", self.number
            )
        return found


def parse_text(data: str) -> Message:
    """Check a message of text.

    >>> parse_text('{"do": "play", "id": 3}').piece.body
    b'{"lane": 0, "do": "play", "id": 3}'
    """
    message = _checked(_decoded(data))
    if message.do == "import":
        raise RefusedError(
            "an import is a binary message: u32 length of a JSON head, the head, the file", message.number
        )
    _known(message.do, message.number)
    plain = data if "lane" in message.fields else f'{{"lane": 0, {data.lstrip()[1:]}'
    return message._replace(piece=Piece(0, plain.encode("utf-8", "surrogatepass")))


def parse_binary(data: bytes) -> Message:
    """Check an upload.

    >>> upload = b'{"do": "import", "name": "points.csv", "id": 4}'
    >>> parse_binary(LENGTH.pack(len(upload)) + upload + b"x,y").number
    4
    """
    length = LENGTH.unpack_from(data)[0] if len(data) >= LENGTH.size else LONGEST_HEAD + 1
    if length > min(LONGEST_HEAD, len(data) - LENGTH.size):
        raise RefusedError("a binary message begins with the length of its JSON head (u32, little-endian) and the head")
    try:
        head = data[LENGTH.size : LENGTH.size + length].decode()
    except UnicodeDecodeError:
        raise RefusedError("the head of a binary message must be JSON in UTF-8") from None
    message = _checked(_decoded(head))
    if message.do != "import":
        raise RefusedError(f'a binary message must have "do": "import", got {_shown(message.do)}', message.number)
    if not isinstance(message.fields.get("name"), str):
        raise RefusedError("an import needs the name of its file, a text", message.number)
    if "lane" not in message.fields:
        data = _packed({**message.fields, "lane": 0}, upload_bytes(data))
    return message._replace(piece=Piece(BINARY, data))


def upload_bytes(data: bytes) -> memoryview:
    """The file in an upload that was checked."""
    return memoryview(data)[LENGTH.size + LENGTH.unpack_from(data)[0] :]


def _packed(fields: Mapping[str, Any], file: memoryview) -> bytes:
    head = json.dumps(fields).encode()
    return b"".join((LENGTH.pack(len(head)), head, file))


def _decoded(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # RecursionError: brackets in brackets in brackets
        raise RefusedError(f"a message must be a JSON object; this is no JSON: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise RefusedError(f"a message must be a JSON object, got {_shown(found)}")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _checked(fields: dict[str, Any]) -> Message:
    number = fields.get("id")
    if "id" in fields and type(number) is not int:  # True is an int as well
        raise RefusedError(f"id must be a whole number, got {_shown(number)}")
    do, lane = fields.get("do"), fields.get("lane", 0)
    if not isinstance(do, str):
        raise RefusedError(f'a message needs "do", a text: {", ".join(KNOWN)}', number)
    if type(lane) is not int or lane not in LANES:
        raise RefusedError(f"lane must be 0 or 1, got {_shown(lane)}", number)
    return Message(do, number, lane, fields, Piece(0, b""))


def _known(do: str, number: int | None) -> None:
    if do not in KNOWN:
        near = nearest(do[:100], KNOWN)
        hint = "" if near is None else f"; did you mean {near}?"
        raise RefusedError(f"unknown do {_shown(do)}{hint} Known: {', '.join(KNOWN)}", number)


def _nested(value: Any, deepest: int) -> bool:
    """Whether there are lists in lists beyond a depth: what is written again later must not fail there."""
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return deepest == 0 or any(_nested(each, deepest - 1) for each in inner)


def _shown(value: Any) -> str:
    """A value as JSON, not without end."""
    try:
        return json.dumps(value)[:100]
    except RecursionError:
        return "too many brackets"
