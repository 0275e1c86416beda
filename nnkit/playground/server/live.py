"""One connection of a browser: hello first, then what it asks, until it is closed or goes too far."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from nnkit.playground.server.browser import FULL, GONE, OVER, TOO_LARGE, TOO_MUCH, Browser
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.messages import LONGEST_HEAD, Message, RefusedError, parse_binary, parse_text, upload_bytes
from nnkit.playground.server.session import Session
from nnkit.playground.server.sessions import FullError, Sessions


class ClosedError(Exception):
    """The connection has to end: with this code, for this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def live(request: Any, sessions: Sessions, limits: Limits, sockets: set[Any]) -> Any:
    """Serve a WebSocket from its start to its end, while it is one of ``sockets``; gives its response."""
    from aiohttp import web

    socket = web.WebSocketResponse(
        timeout=limits.grace_s,
        heartbeat=limits.heartbeat_s,
        max_msg_size=limits.upload_bytes + LONGEST_HEAD + 4,
        compress=False,  # frames hardly shrink, and it would cost more than all else that the server does
    )
    await socket.prepare(request)
    if request.transport is None:  # it has gone already
        return socket
    sockets.add(socket)
    try:
        await Connection(socket, Browser(socket, request.transport, limits.unsent_bytes), sessions, limits).serve()
    finally:
        sockets.discard(socket)
    return socket


class Connection:
    """What is known of one connection."""

    def __init__(self, socket: Any, browser: Browser, sessions: Sessions, limits: Limits) -> None:
        self._socket, self._browser, self._sessions, self._limits = socket, browser, sessions, limits
        self._session: Session | None = None
        self._second, self._messages = 0.0, 0

    async def serve(self) -> None:
        """Take messages until the end."""
        try:
            async with asyncio.timeout(self._limits.hello_s) as deadline:
                async for message in self._socket:
                    await self._take(message)
                    if self._session is not None:
                        deadline.reschedule(None)
        except TimeoutError:
            await self._browser.close(TOO_MUCH, f"there was no hello within {self._limits.hello_s:g} s")
        except ClosedError as error:
            await self._browser.close(error.code, str(error))
        finally:
            if self._session is not None and self._session.browser is self._browser:
                self._sessions.left(self._session)

    async def _take(self, received: Any) -> None:
        self._count()
        try:
            await self._do(self._parsed(received))
        except RecursionError:
            await self._browser.answer(None, error="a message has too many brackets in each other")
        except RefusedError as error:
            await self._browser.answer(error.number, error=str(error))
            if isinstance(error, FullError):
                raise ClosedError(FULL, "too many sessions") from None

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._second >= 1:
            self._second, self._messages = now, 0
        self._messages += 1
        if self._messages > self._limits.messages_per_s:
            raise ClosedError(TOO_MUCH, f"more than {self._limits.messages_per_s} messages in a second")

    def _parsed(self, received: Any) -> Message:
        if isinstance(received.data, str):
            if len(received.data) > self._limits.text_bytes or len(received.data.encode()) > self._limits.text_bytes:
                raise ClosedError(TOO_LARGE, f"text messages have at most {self._limits.text_bytes} bytes")
            return parse_text(received.data)
        message = parse_binary(received.data)
        if len(upload_bytes(received.data)) > self._limits.upload_bytes:
            raise ClosedError(TOO_LARGE, f"files have at most {self._limits.upload_bytes} bytes")
        return message

    async def _do(self, message: Message) -> None:
        if message.do == "hello":
            await self._greet(message)
        elif self._session is None:
            raise RefusedError(f"hello must be the first message, got {message.do}", message.number)
        elif message.do == "bye":
            await self._sessions.end(self._session)
            raise ClosedError(OVER, "bye")
        else:
            await self._session.handle(message)

    async def _greet(self, message: Message) -> None:
        if self._session is not None:
            raise RefusedError("hello was said already; it is said once in a connection", message.number)
        self._session = await self._sessions.open(message, self._browser)


async def close_all(sockets: set[Any]) -> None:
    """Say to all browsers that the server ends."""
    with suppress(ConnectionError):
        await asyncio.gather(*(socket.close(code=GONE, message=b"the server has ended") for socket in list(sockets)))
