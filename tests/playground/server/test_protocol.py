"""What is wrong with a message is said in answer to it, and the connection goes on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import nnkit
from nnkit.playground.server.messages import RefusedError, parse_text
from tests.playground.server.served import QUICK, run, site, upload

BRACKETS = "[" * 100_000
WRONG: list[tuple[str | bytes, int | None, str]] = [
    ("", None, "a message must be a JSON object; this is no JSON: "),
    ("{", None, "a message must be a JSON object; this is no JSON: "),
    (BRACKETS, None, "a message must be a JSON object; this is no JSON: "),
    ('{"do": "set", "id": 1, "settings": {"rate": NaN}}', None, "NaN is no number in JSON"),
    ("[1]", None, "a message must be a JSON object, got [1]"),
    ('"play"', None, 'a message must be a JSON object, got "play"'),
    ('{"id": 2}', 2, 'a message needs "do", a text: hello, race, bye, set, play, '),
    ('{"id": 2, "do": 7}', 2, 'a message needs "do", a text: '),
    ('{"id": 3, "do": "plya"}', 3, 'unknown do "plya"; did you mean play? Known: hello, race, '),
    ('{"id": 3, "do": "__class__"}', 3, 'unknown do "__class__"'),
    ('{"id": 4, "do": "play", "lane": 2}', 4, "lane must be 0 or 1, got 2"),
    ('{"id": 4, "do": "play", "lane": true}', 4, "lane must be 0 or 1, got true"),
    ('{"id": 4, "do": "play", "lane": "0"}', 4, 'lane must be 0 or 1, got "0"'),
    ('{"id": 4, "do": "play", "lane": 1}', 4, 'there is no second network; "race" starts it'),
    ('{"id": "5", "do": "play"}', None, 'id must be a whole number, got "5"'),
    ('{"id": 5.0, "do": "play"}', None, "id must be a whole number, got 5.0"),
    ('{"id": null, "do": "play"}', None, "id must be a whole number, got null"),
    ('{"id": true, "do": "play"}', None, "id must be a whole number, got true"),
    ('{"id": 6, "do": "hello", "settings": {}}', 6, "hello was said already; it is said once in a connection"),
    ('{"id": 7, "do": "set", "settings": 3}', 7, "settings must be an object, got 3"),
    ('{"id": 7, "do": "set", "settings": {"a": [[[[[1]]]]]}}', 7, "at most 4 in each other"),
    ('{"id": 8, "do": "import", "name": "a.csv"}', 8, "an import is a binary message: "),
    ('{"id": 9, "do": "race"}', 9, "race needs settings: an object of those that differ, or null to end it"),
    (b"", None, "a binary message begins with the length of its JSON head"),
    (b"\xff\xff\xff\xff{}", None, "a binary message begins with the length of its JSON head"),
    (b"\x09\x00\x00\x00{}", None, "a binary message begins with the length of its JSON head"),
    (b"\x02\x00\x00\x00\xff\xff", None, "the head of a binary message must be JSON in UTF-8"),
    (b"\x02\x00\x00\x00[]", None, "a message must be a JSON object, got []"),
    (upload({"id": 10, "do": "play"}, b""), 10, 'a binary message must have "do": "import", got "play"'),
    (upload({"id": 11, "do": "import"}, b""), 11, "an import needs the name of its file, a text"),
    (upload({"id": 12, "do": "import", "name": "a.csv", "lane": 1}, b""), 12, "there is no second network"),
]


def test_wrong_messages_are_refused_one_by_one() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            for message, number, said in WRONG:
                answer = await say(page, message)
                assert answer.keys() == {"re", "error"}, message
                assert answer["re"] == number, message
                assert said in answer["error"], (message, answer)
            heard = (await page.ask("play"))["heard"]
            assert [each["do"] for each in heard] == ["hello", "play"]

    run(test)


def test_before_hello_there_is_nothing_else() -> None:
    async def test() -> None:
        async with site() as at:
            page = await at.page()
            for message, number, said in (
                ('{"do": "play", "id": 1}', 1, "hello must be the first message, got play"),
                ('{"do": "bye"}', None, "hello must be the first message, got bye"),
                (upload({"do": "import", "name": "a.csv"}, b""), None, "hello must be the first message, got import"),
                ('{"do": "hello", "settings": {}}', None, "hello needs an id"),
                ('{"do": "hello", "id": 2, "session": 5}', 2, "session must be the name that an answer to hello gave"),
                ('{"do": "hello", "id": 3, "settings": []}', 3, "settings must be an object, got []"),
            ):
                answer = await say(page, message)
                assert answer["re"] == number
                assert said in answer["error"]
            assert (await page.hello())["ok"] is True

    run(test)


def test_who_says_no_hello_is_sent_away() -> None:
    async def test() -> None:
        async with site(QUICK._replace(hello_s=0.15)) as at:
            patient, _ = await at.open()
            silent = await at.page()
            assert await silent.closed() == (1008, "there was no hello within 0.15 s")
            talking = await at.page()
            await talking.tell("play")
            assert await talking.closed() == (1008, "there was no hello within 0.15 s")
            assert (await patient.ask("play"))["ok"] is True

    run(test)


def test_hello_reaches_the_worker_and_its_answer_gets_the_session() -> None:
    async def test() -> None:
        async with site(device="toaster") as at:
            page, answer = await at.open(rate=0.1)
            assert answer["re"] == 1
            assert answer["ok"] is True
            assert answer["settings"] == {"rate": 0.1}
            assert answer["resumed"] is False
            assert answer["version"] == nnkit.__version__
            assert len(answer["session"]) == 22
            told = {"do": "hello", "lane": 0, "id": 1, "settings": {"rate": 0.1}, "device": "toaster"}
            assert answer["heard"] == [told]
            assert "session" not in await page.ask("play")
            _, other = await at.open()
            assert other["session"] != answer["session"]
            assert other["pid"] != answer["pid"]

    run(test)


def test_messages_pass_as_they_are() -> None:
    async def test() -> None:
        async with site() as at:
            page, _ = await at.open()
            await page.tell("hover", neuron=[1, 2], text="ünï \u2028 \ud800")
            told = (await page.event("told"))["heard"]
            assert told == {"do": "hover", "lane": 0, "neuron": [1, 2], "text": "ünï \u2028 \ud800"}
            answer = await page.upload("net.h5", b"abc\x00")
            assert answer["heard"][-1] == {
                "id": answer["re"],
                "do": "import",
                "name": "net.h5",
                "lane": 0,
                "content": "abc\x00",
            }
            await page.tell("draw", pixels={"file": 3_000_000})
            file = await page.until(lambda found: isinstance(found, bytes))
            assert file == b"\x02" + bytes(2_999_999)

    run(test)


def test_bye_ends_the_session() -> None:
    async def test() -> None:
        async with site() as at:
            page, answer = await at.open()
            await page.tell("bye")
            assert await page.closed() == (1000, "bye")
            again = await (await at.page()).hello(answer["session"])
            assert again["resumed"] is False
            assert again["session"] != answer["session"]

    run(test)


def test_usage_is_said_each_second() -> None:
    async def test() -> None:
        async with site(QUICK._replace(usage_s=0.1)) as at:
            page, answer = await at.open()
            await page.ask("race", settings={})
            for _ in range(2):
                usage = await page.event("usage")
            assert usage.keys() == {"event", "lanes", "server", "cores", "gpu"}
            assert [lane["lane"] for lane in usage["lanes"]] == [0, 1]
            assert all(lane["memory"] > 1_000_000 and lane["cpu"] >= 0 for lane in usage["lanes"])
            assert usage["server"]["memory"] > 1_000_000
            assert usage["cores"] >= 1
            assert usage["gpu"] is None
            assert answer["pid"] > 0

    run(test)


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep = '{"do": "set", "settings": {"a": ' + "[" * 900 + "]" * 900 + "}}"
    with pytest.raises(RefusedError, match=r"in each other|no JSON"):
        parse_text(deep).settings()


async def say(page: Any, message: str | bytes) -> Any:
    """Send something, and what is said to it."""
    await (page.socket.send_str(message) if isinstance(message, str) else page.socket.send_bytes(message))
    return await page.until(lambda found: isinstance(found, dict) and "re" in found)


def test_the_message_of_hello_is_the_only_one_that_is_changed() -> None:
    async def test() -> None:
        async with site() as at:
            page = await at.page()
            await page.socket.send_str(json.dumps({"do": "hello", "id": 5, "settings": {}}))
            await page.socket.send_str(json.dumps({"do": "play", "id": 6}))
            first, second = await page.answer(5), await page.answer(6)
            assert "session" in first
            assert "session" not in second
            await asyncio.sleep(0)

    run(test)
