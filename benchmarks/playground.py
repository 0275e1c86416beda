"""The playground in Chromium, by the clock: python benchmarks/playground.py

One page with a network of 6 × 8 neurons that plays: pictures drawn each second, and what the server's process takes,
which passes messages on while other processes train. Then ten pages that play: how long a page waits for the answer to
a command, in tabs of which one is seen, in windows that all draw, and in programs that draw nothing, which tells the
browser's share. Writes benchmarks/results/playground.json.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import struct
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "backends")]

from nnkit.bench import described_machine  # noqa: E402
from tests.playground.browser.chromium import chromium  # noqa: E402
from tests.playground.browser.driver import Play  # noqa: E402
from tests.playground.browser.serving import Served, served  # noqa: E402
from tests.playground.browser.visits import DESKTOP, Windows, visits  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "playground.json"
NETWORK: dict[str, Any] = {"data": "spiral", "hidden": [8] * 6, "optimizer": "adam", "rate": 0.01}
MOVING = {**DESKTOP, "reduced_motion": "no-preference"}
WARM_UP_S, SECONDS = 4, 10
PAGES, COMMANDS, PAUSE_S = 10, 100, 0.1
FRAMES_PER_S, SERVER_CORES, LATENCY_S = 25, 0.5, 0.3
"""The goals."""

ASK = """async (message) => {
    const { store } = await import(new URL("store.js", location).href);
    const begin = performance.now();
    await store.connection.ask(message);
    return (performance.now() - begin) / 1000;
}"""
HOVER = [{"do": "hover", "lane": 0, "neuron": [1 + at % 6, at % 8]} for at in range(COMMANDS // 2)]
SET = [{"do": "set", "lane": 0, "settings": {"rate": 0.01 + 0.0001 * at}} for at in range(COMMANDS // 2)]
COMMANDS_IN_TURN = [each for pair in zip(HOVER, SET, strict=True) for each in pair]


def main() -> None:
    """Measure, and write the figures."""
    before = psutil.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "log") as server:
        with chromium() as browser:
            with visits(Windows(browser), server.url) as visit:
                alone = one_page(visit(context=MOVING, **NETWORK), server)
            settle(server)
            with visits(Windows(browser), server.url) as visit:
                tabs = ten_pages([visit(context=MOVING, **NETWORK) for _ in range(PAGES)], server)
            settle(server)
            with visits(Windows(browser), server.url) as visit:
                drawn = ten_pages([visit(context=window(at), **NETWORK) for at in range(PAGES)], server)
        settle(server)
        bare = asyncio.run(ten_programs(server))
    described = described_machine(None)
    for name in ("aiohttp", "playwright"):
        described["versions"][name] = version(name)
    described["versions"]["chromium"] = alone.pop("chromium")
    found = {
        **described,
        "load_before": round(before, 2),
        "goals": {"frames_per_s": FRAMES_PER_S, "server_cores": SERVER_CORES, "latency_s": LATENCY_S},
        "one page": alone,
        f"{PAGES} tabs of a window, one of them seen": tabs,
        f"{PAGES} windows, all of them seen": drawn,
        f"{PAGES} programs that draw nothing": bare,
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


class Usage:
    """Processor time of the server, of the processes that train, and of the browser, in cores."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._began, self._before = time.perf_counter(), self._times()

    def _groups(self) -> dict[str, list[psutil.Process]]:
        server = psutil.Process(self._server.process.pid)
        workers = server.children(recursive=True)
        mine = [each for each in psutil.Process().children(recursive=True) if each not in (server, *workers)]
        return {"server_cores": [server], "training_cores": workers, "browser_cores": mine}

    def _times(self) -> dict[str, float]:
        return {name: sum(map(_seconds, group)) for name, group in self._groups().items()}

    def cores(self) -> dict[str, float]:
        """Since it was made."""
        elapsed, after = time.perf_counter() - self._began, self._times()
        return {name: round((after[name] - self._before[name]) / elapsed, 3) for name in after}


def _seconds(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(spent.user + spent.system)


def settle(server: Served) -> None:
    """Wait until the networks of closed pages have ended, for as long as the server keeps one that it lost."""
    end = time.monotonic() + 40
    while len(server.processes()) > 1 and time.monotonic() < end:
        time.sleep(0.5)
    time.sleep(2)


def window(number: int) -> dict[str, Any]:
    """A kind of page of its own, which has a window of its own."""
    return {**MOVING, "viewport": {"width": 1400, "height": 1000 - number}}


def one_page(play: Play, server: Served) -> dict[str, Any]:
    """Pictures each second, and who takes what for them."""
    play.click("play")
    play.page.wait_for_timeout(1000 * WARM_UP_S)
    usage, drawn, step, began = Usage(server), [], play.step, time.perf_counter()
    for _ in range(SECONDS):
        play.page.wait_for_timeout(1000)
        drawn.append(int(play.attribute("fps")))
    elapsed = time.perf_counter() - began
    found = usage.cores()
    return {
        "frames_per_s": {"median": statistics.median(drawn), "least": min(drawn), "most": max(drawn)},
        "steps_per_s": round((play.step - step) / elapsed, 1),
        "drawing_ms": float(play.attribute("work")),
        **found,
        "met": statistics.median(drawn) >= FRAMES_PER_S and found["server_cores"] < SERVER_CORES,
        "chromium": play.page.context.browser.version if play.page.context.browser else "",
    }


def ten_pages(pages: list[Play], server: Served) -> dict[str, Any]:
    """Commands to pages in turn."""
    for play in pages:
        play.click("play")
    pages[0].page.wait_for_timeout(1000 * WARM_UP_S)
    usage, waited = Usage(server), list[float]()
    for at, message in enumerate(COMMANDS_IN_TURN):
        play = pages[at % PAGES if at // PAGES % 2 else -1 - at % PAGES]  # each page gets both kinds
        waited.append(float(play.page.evaluate(ASK, message)))
        play.page.wait_for_timeout(1000 * PAUSE_S)
    fps = [int(play.attribute("fps")) for play in pages]
    return {**latencies(waited), "frames_per_s": fps, **usage.cores()}


def latencies(waited: list[float]) -> dict[str, Any]:
    """By kind of command, and of all."""
    found: dict[str, Any] = {}
    for name, part in {"hover": waited[::2], "set": waited[1::2], "all": waited}.items():
        values = sorted(part)
        p95 = values[min(len(values) - 1, round(0.95 * len(values)))]
        found[name] = {
            "median_s": round(statistics.median(values), 4), "p95_s": round(p95, 4), "most_s": round(values[-1], 4)
        }  # fmt: skip
    return {"commands": len(waited), "latency": found, "met": found["all"]["p95_s"] < LATENCY_S}


class Program:
    """What speaks to the server as a page does, and draws nothing."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._numbers = socket, count(1)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            if isinstance(message.data, bytes):
                if message.data[0] == 1:
                    (frame,) = struct.unpack_from("<I", message.data, 4)
                    await self._socket.send_str(json.dumps({"do": "seen", "lane": 0, "frame": frame}))
            elif (number := json.loads(message.data).get("re")) in self._waiting:
                self._waiting.pop(number).set_result(None)

    async def ask(self, **message: Any) -> float:
        """Seconds until the answer."""
        number = next(self._numbers)
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self._socket.send_str(json.dumps({**message, "id": number}))
        await asyncio.wait_for(answer, 30)
        return time.perf_counter() - began


async def ten_programs(server: Served) -> dict[str, Any]:
    """The same commands to the same networks."""
    import aiohttp

    async with aiohttp.ClientSession() as client:
        origin = {"Origin": server.url.rstrip("/")}
        sockets, programs = [], []
        for _ in range(PAGES):
            sockets.append(await client.ws_connect(f"{server.url}live", headers=origin, max_msg_size=0))
            programs.append(Program(sockets[-1]))
            await programs[-1].ask(do="hello", session=None, settings=NETWORK)
            await programs[-1].ask(do="play")
        await asyncio.sleep(WARM_UP_S)
        usage, waited = Usage(server), list[float]()
        for at, message in enumerate(COMMANDS_IN_TURN):
            waited.append(await programs[at % PAGES if at // PAGES % 2 else -1 - at % PAGES].ask(**message))
            await asyncio.sleep(PAUSE_S)
        cores = usage.cores()
        for program, socket in zip(programs, sockets, strict=True):
            await socket.send_str('{"do": "bye"}')
            await socket.close()
            program.listening.cancel()
    return {**latencies(waited), **{name: cores[name] for name in ("server_cores", "training_cores")}}


if __name__ == "__main__":
    main()
