"""All sessions of a server: which there are, how long they are kept, and that none is left."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence

from nnkit.playground.server.aside import Aside
from nnkit.playground.server.browser import GONE, Browser
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.messages import Message, RefusedError
from nnkit.playground.server.session import Session
from nnkit.playground.server.spare import Spare


class FullError(RefusedError):
    """There are too many sessions."""


class Sessions:
    """The sessions of a server by their names, which nobody can guess."""

    def __init__(self, command: Sequence[str], limits: Limits, device: str = "cpu") -> None:
        self._spare, self._limits, self._device = Spare(command, limits), limits, device
        self._known: dict[str, Session] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._aside = Aside()
        self._closed = False

    def start(self) -> None:
        """Start the process that the first page will have."""
        self._spare.warm()

    def __iter__(self) -> Iterator[Session]:
        """Those that have a page now."""
        return iter([session for session in self._known.values() if session.browser is not None])

    async def open(self, hello: Message, browser: Browser) -> Session:
        """The session that a page asks for if it may go on with it, or a new one. Raises RefusedError."""
        name = hello.fields.get("session")
        if name is not None and not isinstance(name, str):
            raise RefusedError("session must be the name that an answer to hello gave, or null", hello.number)
        if hello.number is None:
            raise RefusedError("hello needs an id, since its answer says how the session is called")
        hello.settings()
        found = self._known.get(name) if name else None
        if found is not None and found.resumable:
            if timer := self._timers.pop(found.name, None):
                timer.cancel()
            former = found.browser
            found.resume(hello, browser)
            if former is not None:  # the page noticed before the server that this connection is dead
                self._aside.start(former.close(GONE, "the page has another connection"))
            return found
        return await self._begin(hello, browser)

    async def _begin(self, hello: Message, browser: Browser) -> Session:
        if self._closed:
            raise FullError("the server is ending", hello.number)
        if len(self._known) >= self._limits.sessions:
            raise FullError(
                f"there are {len(self._known)} sessions already, the most that one server has; close another tab, wait "
                f"{self._limits.away_s:.0f} s and reload this page",
                hello.number,
            )
        session = Session(secrets.token_urlsafe(16), self._spare, self._limits, self._device)
        self._known[session.name] = session
        try:
            await session.begin(hello, browser)
        except BaseException:
            await self.end(session)
            raise
        return session

    def left(self, session: Session) -> None:
        """Its connection was lost: keep it for a while."""
        if session.name in self._known:
            session.away()
            loop = asyncio.get_running_loop()
            self._timers[session.name] = loop.call_later(self._limits.away_s, self._forget, session)

    def _forget(self, session: Session) -> None:
        self._known.pop(session.name, None)  # at once: nobody goes on with it from now on
        self._aside.start(self.end(session))

    async def end(self, session: Session) -> None:
        """End a session and its processes."""
        self._known.pop(session.name, None)
        if timer := self._timers.pop(session.name, None):
            timer.cancel()
        await session.end()

    async def close(self) -> None:
        """End everything, all at the same time."""
        self._closed = True
        await asyncio.gather(self._spare.close(), *(self.end(session) for session in list(self._known.values())))
        await self._aside.done()

    def kill(self) -> None:
        """Kill the processes that are still there."""
        self._spare.kill()
