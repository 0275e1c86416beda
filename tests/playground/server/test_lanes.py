"""A worker that dies is started again, a few times; nobody else notices. Two networks race on the same data."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.playground.server.served import QUICK, gone, run, site

CSV = b"x,y\n1,2\n"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"exit": 3}, "the process of the first network ended with status 3: something went wrong. It was started"),
        ("kill", "was killed (SIGKILL), perhaps because there was too little memory. It was started again"),
        ("garble", "it wrote something to its output that is no message. It was started again from its settings."),
    ],
)
def test_a_worker_that_dies_is_started_again(wish: object, said: str) -> None:
    async def test() -> None:
        async with site() as at:
            page, first = await at.open(rate=1, seed=2)
            other, second = await at.open()
            await page.ask("set", settings={"rate": 3})
            await page.tell("draw", pixels=wish)
            lost = await page.event("lost")
            assert lost["lane"] == 0
            assert said in lost["message"]
            told = (await page.event("told"))["heard"]
            assert told == {"do": "begin", "lane": 0, "settings": {"rate": 3, "seed": 2}, "device": "cpu"}
            assert (await page.ask("play"))["pid"] != first["pid"]
            assert (await other.ask("play"))["pid"] == second["pid"]
            assert not [message for message in other.seen if "event" in message and message["event"] == "lost"]

    run(test)


def test_its_data_come_back_in_their_order_and_then_the_settings() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open(data="circle")
            await page.upload("points.CSV", CSV)
            await page.ask("points", points=[[0, 0, 1]])
            await page.ask("set", settings={"data": "table", "features": ["x"]})
            await page.tell("draw", pixels="kill")
            await page.event("lost")
            heard = (await page.ask("play"))["heard"]
            settings = {"data": "table", "features": ["x"]}
            assert heard[:-1] == [
                {"do": "begin", "lane": 0, "settings": settings, "device": "cpu"},
                {"do": "import", "id": "data", "name": "points.CSV", "lane": 0, "content": CSV.decode()},
                {"do": "points", "id": "data", "lane": 0, "points": [[0, 0, 1]]},
                {"do": "set", "lane": 0, "settings": settings},
            ]

    run(test)


def test_after_three_times_in_a_minute_it_stays_ended() -> None:
    async def test() -> None:
        async with site() as at:
            page, first = await at.open()
            for time in range(4):
                await page.tell("draw", pixels={"exit": 1})
                lost = await page.event("lost")
                assert ("for good" in lost["message"]) == (time == 3)
            answer = await page.ask("play")
            assert answer["error"] == "the process of the first network has ended for good; reload the page"
            await page.socket.close()
            again = await (await at.page()).hello(first["session"])
            assert again["resumed"] is False

    run(test)


def test_the_minute_goes_by() -> None:
    async def test() -> None:
        async with site(QUICK._replace(restarts=1, restarts_within_s=0.2)) as at:
            page, _ = await at.open()
            for _ in range(3):
                await page.tell("draw", pixels={"exit": 1})
                assert "started again" in (await page.event("lost"))["message"]
                await page.ask("play")
                await asyncio.sleep(0.25)

    run(test)


def test_a_worker_that_cannot_even_begin_is_said_in_answer_to_hello() -> None:
    async def test() -> None:
        async with site(worker=("sh", "-c", "echo no such module >&2; exit 1")) as at:
            _, answer = await at.open()
            assert "ended with status 1: no such module. It has ended for good" in answer["error"]

    run(test)


def test_a_command_that_is_not_there_is_said_in_answer_to_hello() -> None:
    async def test() -> None:
        async with site(worker=("/nonexistent/python",)) as at:
            page, answer = await at.open()
            assert answer["error"].startswith("no process can be started for the network: [Errno 2]")
            assert "no process can be started" in (await page.hello())["error"]

    run(test)


def test_a_race_begins_with_the_settings_and_the_data_and_ends() -> None:
    async def test() -> None:
        async with site() as at:
            page, first = await at.open(rate=1, seed=2)
            answer = await page.ask("race", settings={"rate": 9})
            settings = {"rate": 9, "seed": 2}
            begin = {"do": "begin", "lane": 1, "settings": settings, "device": "cpu", "id": answer["re"]}
            assert answer["heard"] == [begin]
            assert answer["pid"] != first["pid"]
            assert (await page.ask("play", lane=1))["pid"] == answer["pid"]
            assert (await page.ask("play"))["pid"] == first["pid"]
            ended = await page.ask("race", settings=None)
            assert ended == {"re": ended["re"], "ok": True}
            await gone(answer["pid"])
            assert "error" in await page.ask("play", lane=1)
            assert (await page.ask("race", settings=None))["ok"] is True

    run(test)


def test_a_race_begins_with_what_was_asked_for_even_where_the_network_has_not_got_to_it() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open(rate=1, seed=2)
            await page.tell("draw", pixels={"state": {"rate": 1, "seed": 3}, "then_s": 0.5})
            await page.tell("set", settings={"rate": 7}, id=100)
            await page.event("state")  # of before the change
            race = await page.ask("race", settings={"batch": 5})
            assert race["settings"] == {"rate": 7, "seed": 3, "batch": 5}
            assert race["heard"][0]["settings"] == race["settings"]

    run(test)


def test_a_change_that_was_answered_counts_no_more() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open(rate=1)
            await page.ask("set", settings={"rate": 7})
            await page.tell("draw", pixels={"state": {"rate": 2}, "then_s": 0})
            await page.event("state")
            assert (await page.ask("race", settings={}))["settings"] == {"rate": 2}

    run(test)


def test_a_second_race_takes_the_place_of_the_first() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            one, two = [await page.ask("race", settings={"rate": rate}) for rate in (1, 2)]
            await gone(one["pid"])
            assert (await page.ask("play", lane=1))["pid"] == two["pid"]

    run(test)


def test_both_lanes_of_a_race_have_the_same_data() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open(data="circle", seed=1)
            await page.ask("points", points=[[1, 1, 0]])
            answer = await page.ask("race", settings={"seed": 2})
            settings = {"data": "drawn", "seed": 2}
            assert answer["heard"] == [
                {"do": "begin", "lane": 1, "settings": settings, "device": "cpu"},
                {"do": "points", "id": "data", "lane": 1, "points": [[1, 1, 0]]},
                {"do": "set", "lane": 1, "settings": settings, "id": answer["re"]},
            ]
            await page.upload("table.csv", CSV)
            await page.upload("net.h5", b"")
            heard = (await page.ask("play", lane=1))["heard"]
            assert heard[3] == {"do": "import", "id": "data", "name": "table.csv", "lane": 1, "content": CSV.decode()}
            assert [each["do"] for each in heard[4:]] == ["play"]

    run(test)


def test_the_second_lane_is_started_again_too_and_given_up() -> None:
    async def test() -> None:
        async with site(QUICK._replace(restarts=1)) as at:
            page, first = await at.open()
            await page.ask("race", settings={"seed": 5})
            for word in ("started again", "for good"):
                await page.tell("draw", pixels={"exit": 1}, lane=1)
                lost = await page.event("lost")
                assert lost["lane"] == 1
                assert word in lost["message"]
            assert "there is no second network" in (await page.ask("play", lane=1))["error"]
            assert (await page.ask("race", settings={}))["ok"] is True
            assert (await page.ask("play"))["pid"] == first["pid"]

    run(test)


def test_a_worker_that_dies_while_its_page_is_away_is_there_when_it_comes_back() -> None:
    async def test() -> None:
        async with site() as at:
            page, first = await at.open(rate=4)
            await page.tell("draw", pixels={"exit": 1})
            await page.socket.close()
            await gone(first["pid"])
            again = await (await at.page()).hello(first["session"])
            assert again["resumed"] is True
            assert again["heard"][0]["settings"] == {"rate": 4}

    run(test)


# -- what a process that dies was asked


def test_what_it_was_asked_is_answered_and_it_begins_with_what_it_had() -> None:
    """Not with the change under way, which may be what it died of."""

    async def test() -> None:
        async with site() as at:
            page, _ = await at.open(rate=1)
            await page.ask("set", settings={"rate": 2})
            await page.tell("draw", pixels="kill", id=50)
            await page.tell("set", settings={"rate": 3}, id=51)
            for number in (50, 51):
                answer = await page.answer(number)
                assert answer["error"].startswith("the process of the first network was killed")
            await page.event("lost")
            assert (await page.ask("play"))["heard"][0]["settings"] == {"rate": 2}

    run(test)


def test_a_file_that_came_was_an_answer() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            await page.tell("draw", pixels={"answer": 50}, id=50)
            await page.until(lambda found: isinstance(found, bytes))
            await page.tell("draw", pixels="kill")
            await page.event("lost")
            assert not [each for each in page.seen if isinstance(each, dict) and each.get("re") == 50]

    run(test)


def test_a_race_that_dies_at_its_start_is_answered_by_the_process_that_follows(tmp_path: Path) -> None:
    died = tmp_path / "died"

    async def test() -> None:
        async with site(QUICK._replace(restarts=1)) as at:
            page, _ = await at.open(rate=1)
            race = await page.ask("race", settings={"dies_once": str(died)})
            assert race["settings"] == {"rate": 1, "dies_once": str(died)}
            assert died.exists()
            assert [each["event"] for each in page.seen if isinstance(each, dict) and "event" in each] == ["lost"]

    run(test)


def test_a_race_that_cannot_begin_is_answered() -> None:
    async def test() -> None:
        async with site(QUICK._replace(restarts=1)) as at:
            page, _ = await at.open(dies=True)
            assert "It has ended for good" in (await page.ask("race", settings={}))["error"]
            assert (await page.event("running"))["running"] is False
            assert "for good" in (await page.event("lost"))["message"]
            assert "there is no second network" in (await page.ask("play", lane=1))["error"]

    run(test)


def test_a_race_that_ends_before_it_has_begun_is_answered() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open(hangs=True)
            await page.tell("race", settings={}, id=70)
            await page.tell("step", lane=1, id=71)
            ended = await page.ask("race", settings=None)
            assert ended["ok"] is True
            errors = {each["re"]: each["error"] for each in page.seen if isinstance(each, dict) and "error" in each}
            assert errors == {70: "the second network has ended", 71: "the second network has ended"}

    run(test)


# -- data that are taken, and that are not


def test_a_file_that_is_refused_takes_the_place_of_none() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            await page.upload("good.csv", CSV)
            assert "no table" in (await page.upload("bad.csv", b""))["error"]
            heard = (await page.ask("race", settings={}))["heard"]
            assert [each.get("name") for each in heard] == [None, "good.csv", None]

    run(test)


def test_the_data_of_a_json_file_are_data_too() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            await page.upload("made.json", b'{"data": "spiral"}')
            await page.upload("own.json", b'{"data": "drawn", "seed": 4}')
            heard = (await page.ask("race", settings={}))["heard"]
            assert [each.get("name") for each in heard] == [None, "own.json", None]
            assert heard[-1]["settings"] == {"data": "drawn", "seed": 4}

    run(test)


def test_data_that_the_second_network_refuses_are_told() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            await page.ask("race", settings={})
            assert (await page.upload("for the first.csv", CSV))["ok"] is True
            refused = await page.event("note")
            assert refused["lane"] == 1
            assert refused["message"] == "the second network did not take these data: for the first.csv is no table"

    run(test)
