"""The way to one browser: answers, events, and what its workers say, which is passed on as it is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from nnkit.playground.frames import FRAME

OVER, GONE, TOO_MUCH, TOO_LARGE, FULL = 1000, 1001, 1008, 1009, 1013
"""Codes of the end of a WebSocket (RFC 6455, 7.4)."""


class Browser:
    """One connection. What can no longer be sent is dropped: who reads from it notices that it is closed."""

    def __init__(self, socket: Any, transport: Any, unsent_bytes: int) -> None:
        from aiohttp import WSMsgType

        self._socket, self._transport, self._unsent_bytes = socket, transport, unsent_bytes
        self._text, self._binary = WSMsgType.TEXT, WSMsgType.BINARY
        transport.set_write_buffer_limits(high=2 * unsent_bytes)  # where only text and files come to, and wait

    async def answer(self, number: int | None, **fields: Any) -> None:
        """Answer the message of this number."""
        await self.text(json.dumps({"re": number, **fields}).encode())

    async def event(self, name: str, **fields: Any) -> None:
        """Say what has happened."""
        await self.text(json.dumps({"event": name, **fields}).encode())

    async def text(self, body: bytes) -> None:
        """Send text; waits while very much is unsent."""
        await self._send(body, self._text)

    async def binary(self, body: bytes) -> None:
        """Send a file, or a frame if not too much is unsent: the next frame replaces it."""
        if body[:1] != bytes([FRAME]) or self._transport.get_write_buffer_size() <= self._unsent_bytes:
            await self._send(body, self._binary)

    async def _send(self, body: bytes, kind: Any) -> None:
        with suppress(ConnectionError):
            await self._socket.send_frame(body, kind)

    async def close(self, code: int, reason: str) -> None:
        """End the connection and say why."""
        await self._socket.close(code=code, message=reason.encode())
