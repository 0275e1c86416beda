"""A server of the playground with the fake worker in this process, and a page that speaks to it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from nnkit.playground.server import Limits, Options
from nnkit.playground.server.serving import Place, running

aiohttp = pytest.importorskip("aiohttp")  # an extra brings it

FAKE = (sys.executable, "-S", "-E", str(Path(__file__).parent / "fake_worker.py"))
QUICK = Limits(refill_s=0.05, grace_s=0.5)
WAIT_S = 5.0


class Page:
    """What a page does: says hello, asks, and waits for answers and events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.numbers = count(1)
        self.seen: list[Any] = []

    async def receive(self) -> Any:
        """The next message: an object, bytes, or None at the end."""
        message = await self.socket.receive(timeout=WAIT_S)
        if message.type == aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        return message.data if message.type == aiohttp.WSMsgType.BINARY else None

    async def until(self, fits: Callable[[Any], bool]) -> Any:
        """The next message that fits."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.receive()
                assert message is not None, f"closed: {self.socket.close_code}"
                self.seen.append(message)
                if fits(message):
                    return message

    async def answer(self, number: int | None) -> Any:
        """The answer of this number."""
        return await self.until(lambda found: isinstance(found, dict) and "re" in found and found["re"] == number)

    async def event(self, name: str) -> Any:
        """The next event of this name."""
        return await self.until(lambda found: isinstance(found, dict) and found.get("event") == name)

    async def ask(self, do: str, **fields: Any) -> Any:
        """Ask, and the answer."""
        number = next(self.numbers)
        await self.tell(do, id=number, **fields)
        return await self.answer(number)

    async def tell(self, do: str, **fields: Any) -> None:
        """Say something that has no answer."""
        await self.socket.send_str(json.dumps({"do": do, **fields}))

    async def hello(self, session: str | None = None, **settings: Any) -> Any:
        """Say hello."""
        return await self.ask("hello", session=session, settings=settings)

    async def upload(self, name: str, content: bytes, **fields: Any) -> Any:
        """Send a file, and the answer."""
        number = next(self.numbers)
        await self.socket.send_bytes(upload({"id": number, "do": "import", "name": name, **fields}, content))
        return await self.answer(number)

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the end of the connection; its code and its reason."""
        while True:
            message = await self.socket.receive(timeout=WAIT_S)
            if message.type == aiohttp.WSMsgType.CLOSE:
                return message.data, message.extra or ""
            if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return self.socket.close_code, ""


class Site:
    """A server, and the pages that are open."""

    def __init__(self, place: Place, client: aiohttp.ClientSession) -> None:
        self.place, self.client = place, client
        self.url = f"http://127.0.0.1:{place.port}"

    async def page(self, **headers: str) -> Page:
        """A connection that has said nothing yet."""
        asked = {"Origin": self.url, **headers}
        return Page(await self.client.ws_connect(f"{self.url}/live", headers=asked, max_msg_size=0))

    async def open(self, **settings: Any) -> tuple[Page, Any]:
        """A page that has said hello, and the answer."""
        page = await self.page()
        return page, await page.hello(**settings)


@asynccontextmanager
async def site(limits: Limits = QUICK, worker: tuple[str, ...] = FAKE, **options: Any) -> AsyncIterator[Site]:
    """A server for the length of the block; all its processes have ended after it."""
    before = set(children())
    chosen = Options(port=0, worker=worker, limits=limits, **options)
    async with running(chosen) as place, aiohttp.ClientSession() as client:
        yield Site(place, client)
    left = [child for child in children() if child not in before and child.is_running()]
    assert not left, left


def children() -> list[psutil.Process]:
    """All processes that this one has started."""
    return psutil.Process().children(recursive=True)


def run(test: Callable[[], Awaitable[None]], seconds: float = 20) -> None:
    """Run a test, for so many seconds at most."""

    async def limited() -> None:
        async with asyncio.timeout(seconds):
            await test()

    asyncio.run(limited())


def upload(head: dict[str, Any], content: bytes) -> bytes:
    """A file as a page sends it."""
    text = json.dumps(head).encode()
    return len(text).to_bytes(4, "little") + text + content


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    async with asyncio.timeout(WAIT_S):
        with suppress(psutil.NoSuchProcess):
            while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.01)
