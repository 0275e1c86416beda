"""A server from start to end: it says where it is, serves until it is told to end, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from nnkit.errors import MissingExtraError
from nnkit.playground.server.app import application
from nnkit.playground.server.child import WORKER
from nnkit.playground.server.guard import Guard, address
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.live import close_all
from nnkit.playground.server.pages import PAGE, read
from nnkit.playground.server.ports import listen
from nnkit.playground.server.sessions import Sessions
from nnkit.playground.server.usage import report

LOG = logging.getLogger(__name__)
ENDING_S = 4.0
"""All that is done at the end takes no longer, whatever hangs."""


class Options(NamedTuple):
    """How a playground is served."""

    host: str = "127.0.0.1"
    port: int = 8484
    device: str = "cpu"
    opens: bool = False
    worker: Sequence[str] = WORKER
    """The command of the process of a network."""
    page: Path = PAGE
    limits: Limits = Limits()


class Place(NamedTuple):
    """Where a server listens."""

    address: str
    port: int


def serve(options: Options = Options(), remark: Callable[[str], None] = print) -> None:  # noqa: B008
    """Serve the playground until SIGTERM; prints its address first. ``remark`` is given what else is to be said.

    Raises KeyboardInterrupt after Ctrl-C, once everything has ended; MissingExtraError without aiohttp.
    """
    try:
        import aiohttp  # noqa: F401
    except ImportError as error:
        raise MissingExtraError('the playground is served with aiohttp: pip install "nnkit[play]"') from error
    with _signals() as received:
        asyncio.run(_serve(options, remark, received))
    if received.number == signal.SIGINT:
        raise KeyboardInterrupt


async def _serve(options: Options, remark: Callable[[str], None], received: _Received) -> None:
    async with running(options) as place:
        _announce(options, place, remark)
        await received.wait()


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Place]:
    """A server in this event loop, for the length of the block; gives where it is."""
    from aiohttp import web

    limits, sockets = options.limits, set[Any]()
    sessions = Sessions(options.worker, limits, options.device)
    with listen(options.host, options.port) as listening:
        place = Place(*listening.getsockname()[:2])
        guard = Guard(options.host, place.address, place.port)
        app = application(guard, read(options.page), sessions, limits, sockets)
        LOG.addFilter(_ours)
        runner = web.AppRunner(app, access_log=None, logger=LOG, shutdown_timeout=limits.grace_s)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        sessions.start()
        reporting = asyncio.create_task(report(sessions, options.device, limits.usage_s))
        try:
            yield place
        finally:
            reporting.cancel()
            with suppress(TimeoutError):
                await asyncio.wait_for(_end(runner, sessions, sockets, reporting), ENDING_S)
            sessions.kill()


def _ours(record: logging.LogRecord) -> bool:
    """Whether a message is of an error here, and not of a request that is no HTTP, which was answered with 400."""
    from aiohttp.http_exceptions import HttpProcessingError

    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _end(runner: Any, sessions: Sessions, sockets: set[Any], reporting: asyncio.Task[None]) -> None:
    await asyncio.gather(close_all(sockets), sessions.close(), asyncio.wait([reporting]))
    await runner.cleanup()


def _announce(options: Options, place: Place, remark: Callable[[str], None]) -> None:
    """Say where it is, and what one might not expect."""
    found = ip_address(place.address.partition("%")[0])
    shown = options.host if not found.is_unspecified else "127.0.0.1" if found.version == 4 else "::1"
    print(address(shown, place.port), flush=True)
    if options.port not in (0, place.port):
        remark(f"port {options.port} is in use; this is port {place.port}")
    if not found.is_loopback:
        others = own_address() if found.is_unspecified else None
        where = f" at {address(others, place.port)}" if others else ""
        remark(f"warning: everybody in the network can use it{where}, and with it this machine's processors and memory")
    if options.opens:  # a browser in a terminal does not come back before it is closed
        threading.Thread(target=webbrowser.open, args=(address(shown, place.port),), daemon=True).start()


def own_address() -> str | None:
    """This machine's address in its network, None where it has none; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
        except OSError:
            return None
        return str(probe.getsockname()[0])


class _Received:
    """The signal to end, once it has come."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._came = asyncio.Event()

    def note(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; the first one counts."""
        if self.number is None:
            self.number = number
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._came.set)

    async def wait(self) -> None:
        """Wait for it."""
        self._loop = asyncio.get_running_loop()
        if self.number is None:
            await self._came.wait()


@contextmanager
def _signals() -> Iterator[_Received]:
    """While it is open, Ctrl-C and SIGTERM are noted. Other threads than the main one get no signals."""
    received = _Received()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = [signal.SIGINT] if sys.platform == "win32" else [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in numbers}
    # None: a handler that Python did not set and could not put back. Ignored: a job in the background.
    ours = [number for number in numbers if before[number] not in (None, signal.SIG_IGN)]
    for number in ours:
        signal.signal(number, received.note)
    try:
        yield received
    finally:
        for number in ours:
            signal.signal(number, before[number])
