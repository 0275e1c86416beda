"""What is too large or too much ends a connection or is refused; nobody else waits for it."""

from __future__ import annotations

import asyncio
import json

from nnkit.playground.server import Limits
from tests.playground.server.served import QUICK, run, site, upload


def test_sessions_are_counted() -> None:
    async def test() -> None:
        async with site(QUICK._replace(sessions=2)) as at:
            page, first = await at.open()
            await page.socket.close()
            second, _ = await at.open()
            third = await at.page()
            answer = await third.hello()
            assert answer["error"].startswith("there are 2 sessions already, the most that one server has; ")
            assert await third.closed() == (1013, "too many sessions")
            assert (await (await at.page()).hello(first["session"]))["resumed"] is True
            await second.tell("bye")
            await second.closed()
            assert (await (await at.page()).hello())["ok"] is True

    run(test)


def test_text_that_is_too_long() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            room = Limits().text_bytes - len(json.dumps({"do": "hover", "id": 2, "x": ""}))
            assert (await page.ask("hover", x="x" * room))["ok"] is True
            await page.tell("hover", x="ü" * Limits().text_bytes)
            assert await page.closed() == (1009, "text messages have at most 256000 bytes")

    run(test)


def test_uploads_that_are_too_large() -> None:
    async def test() -> None:
        async with site(QUICK._replace(upload_bytes=200_000)) as at:
            page, _ = await at.open()
            assert (await page.upload("a.csv", b"x" * 200_000))["ok"] is True
            await page.socket.send_bytes(upload({"do": "import", "name": "a.csv"}, b"x" * 200_001))
            assert await page.closed() == (1009, "files have at most 200000 bytes")
            page, _ = await at.open()
            await page.socket.send_bytes(bytes(300_000))
            assert (await page.closed())[0] == 1009

    run(test)


def test_too_many_messages() -> None:
    async def test() -> None:
        async with site(QUICK._replace(messages_per_s=50)) as at:
            other, _ = await at.open()
            page, _ = await at.open()
            for _ in range(60):
                await page.tell("seen", frame=1)
            assert await page.closed() == (1008, "more than 50 messages in a second")
            assert (await other.ask("play"))["ok"] is True

    run(test)


def test_a_worker_that_does_not_read_is_busy_and_others_do_not_wait() -> None:
    async def test() -> None:
        async with site(QUICK._replace(queued=5)) as at:
            other, _ = await at.open()
            page, _ = await at.open()
            await page.tell("draw", pixels="hang")
            for number in range(100, 112):  # the pipe holds 64 KiB and as much waits in front of it
                await page.tell("hover", id=number, neuron="x" * 60_000)
            busy = await page.until(lambda found: "error" in found)
            assert busy["error"] == "busy: too much waits for the first network already; ask again later"
            assert busy["re"] in range(105, 112)
            began = asyncio.get_running_loop().time()
            assert (await other.ask("play"))["ok"] is True
            assert asyncio.get_running_loop().time() - began < 0.5

    run(test)


def test_the_bytes_that_wait_are_counted_too() -> None:
    async def test() -> None:
        async with site(QUICK._replace(queued_bytes=300_000)) as at:
            page, _ = await at.open()
            await page.tell("draw", pixels="hang")
            await page.socket.send_bytes(upload({"do": "import", "name": "a.h5", "id": 50}, b"x" * 290_000))
            await page.socket.send_bytes(upload({"do": "import", "name": "b.h5", "id": 51}, b"x" * 290_000))
            await page.socket.send_bytes(upload({"do": "import", "name": "c.h5", "id": 52}, b"x" * 290_000))
            assert (await page.answer(52))["error"].startswith("busy: ")

    run(test)


def test_frames_are_left_out_for_a_page_that_lags_and_text_is_not() -> None:
    async def test() -> None:
        async with site(QUICK._replace(unsent_bytes=200_000)) as at:
            page, _ = await at.open()
            pixels = {"frames": 400, "bytes": 100_000}
            page.socket._conn.protocol.pause_reading()
            await page.tell("draw", pixels=pixels, id=77)
            await asyncio.sleep(0.3)
            page.socket._conn.protocol.resume_reading()
            assert (await page.answer(77))["ok"] is True
            frames = [message for message in page.seen if isinstance(message, bytes)]
            assert 0 < len(frames) < 400
            assert all(len(frame) == 100_000 for frame in frames)

    run(test)
