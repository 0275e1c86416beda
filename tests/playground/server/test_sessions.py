"""A session outlives its connection for a while; then it ends with all its processes."""

from __future__ import annotations

import asyncio
import sys

import psutil
import pytest

from tests.playground.server.served import FAKE, QUICK, Site, gone, run, site


def test_a_page_that_comes_back_goes_on() -> None:
    async def test() -> None:
        async with site() as at:
            page, first = await at.open(rate=1)
            await page.ask("race", settings={"rate": 2})
            await page.socket.close()
            page = await at.page()
            again = await page.hello(first["session"], rate=5)
            assert (again["session"], again["resumed"], again["pid"]) == (first["session"], True, first["pid"])
            assert [each["do"] for each in again["heard"]] == ["hello", "away", "hello"]
            assert again["heard"][-1] == {"do": "hello", "lane": 0, "resumed": True, "id": again["re"]}
            heard = (await page.ask("play", lane=1))["heard"]
            assert [each["do"] for each in heard] == ["begin", "away", "again", "play"]
            assert heard[2] == {"do": "again", "lane": 1}

    run(test)


def test_it_is_gone_after_its_time() -> None:
    async def test() -> None:
        async with site(QUICK._replace(away_s=0.1)) as at:
            page, first = await at.open()
            await page.socket.close()
            await gone(first["pid"])
            again = await (await at.page()).hello(first["session"])
            assert again["resumed"] is False
            assert again["session"] != first["session"]

    run(test)


def test_one_that_came_back_does_not_end_when_the_first_time_is_over() -> None:
    async def test() -> None:
        async with site(QUICK._replace(away_s=0.3)) as at:
            page, first = await at.open()
            await page.socket.close()
            page = await at.page()
            await page.hello(first["session"])
            await asyncio.sleep(0.4)
            assert (await page.ask("play"))["pid"] == first["pid"]

    run(test)


def test_a_page_goes_on_before_the_server_has_noticed_that_its_connection_is_dead() -> None:
    async def test() -> None:
        async with site() as at:
            page, first = await at.open()
            other = await at.page()
            again = await other.hello(first["session"])
            assert again["resumed"] is True
            assert again["pid"] == first["pid"]
            assert (await page.closed())[0] == 1001
            assert (await other.ask("play"))["pid"] == first["pid"]
            await asyncio.sleep(0.1)  # the end of the first connection is none of the session
            assert (await other.ask("play"))["pid"] == first["pid"]

    run(test)


def test_an_unknown_session_is_a_new_one() -> None:
    async def test() -> None:
        async with site() as at:
            for name in ("never-there", "", "ü" * 1000):
                assert (await (await at.page()).hello(name))["resumed"] is False

    run(test)


def test_a_spare_worker_is_warm_and_replaced() -> None:
    async def test() -> None:
        async with site() as at:
            pids = set()
            for _ in range(3):
                _, answer = await at.open()
                pids.add(answer["pid"])
                await asyncio.sleep(0.1)
            assert len(pids) == 3

    run(test)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no file descriptors to count there")
def test_nothing_stays_open() -> None:
    async def test() -> None:
        async with site(QUICK._replace(away_s=0.05)) as at:
            await visit(at)
            before = psutil.Process().num_fds()
            for _ in range(5):
                await visit(at)
            assert psutil.Process().num_fds() <= before + 2  # a spare may start just then

    async def visit(at: Site) -> None:
        page, first = await at.open()
        second = await page.ask("race", settings={})
        await page.tell("draw", pixels={"exit": 1})
        await page.event("lost")
        await page.socket.close()
        await gone(first["pid"])
        await gone(second["pid"])
        await asyncio.sleep(0.15)

    run(test)


def test_workers_that_do_not_end_are_killed() -> None:
    async def test() -> None:
        async with site(QUICK._replace(grace_s=0.2), (*FAKE, "stubborn")) as at:
            page, first = await at.open()
            await page.tell("draw", pixels="child")
            child = (await page.event("child"))["pid"]
            await page.tell("draw", pixels="hang")
            await page.tell("bye")
            await gone(first["pid"])
            await gone(child)
            await at.open()

    run(test)


def test_workers_that_hang_do_not_hold_up_the_end_of_the_server() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with site(QUICK._replace(grace_s=0.2), (*FAKE, "stubborn")) as at:
            for _ in range(3):
                page, _ = await at.open()
                await page.tell("draw", pixels="hang")
            began = loop.time()
        assert loop.time() - began < 2

    run(test)
