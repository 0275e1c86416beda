"""What takes luck, a GPU or an ending server to come about, part by part."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from nnkit.playground.server import usage
from nnkit.playground.server.child import NICE, Worker
from nnkit.playground.server.lane import Lane
from nnkit.playground.server.messages import RefusedError, parse_text
from nnkit.playground.server.meter import Meter
from nnkit.playground.server.pipes import GarbledError, Piece, Splitter, head
from nnkit.playground.server.session import Session
from nnkit.playground.server.sessions import Sessions
from nnkit.playground.server.spare import Spare
from tests.playground.server.served import FAKE, QUICK, run

HELLO = parse_text('{"do": "hello", "id": 3, "settings": {}}')


def test_a_worker_that_has_just_died_takes_no_message() -> None:
    worker: Any = SimpleNamespace(pid=1, alive=False)
    with pytest.raises(RefusedError, match="the process of the second network ended and is being started again"):
        Lane(1, worker, {}).check(Piece(0, b""), 4)


@pytest.mark.skipif(sys.platform == "win32", reason="priorities and groups are as POSIX has them")
def test_a_worker_stands_back_behind_the_server_and_leads_a_group() -> None:
    async def test() -> None:
        worker = await Worker.start(FAKE, QUICK)
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
        assert os.getsid(worker.pid) == os.getsid(0)  # else Linux gives it a share of its own
        assert os.getpgid(worker.pid) == worker.pid
        await worker.end()

    run(test)


def test_a_session_that_ended_starts_nothing() -> None:
    async def test() -> None:
        spare = Spare(FAKE, QUICK)
        session = Session("name", spare, QUICK, "cpu")
        await session.end()
        browser: Any = None
        with pytest.raises(RefusedError, match="the session has ended"):
            await session.begin(HELLO, browser)
        await spare.close()

    run(test)


def test_a_server_that_ends_starts_nothing() -> None:
    async def test() -> None:
        sessions = Sessions(FAKE, QUICK)
        await sessions.close()
        browser: Any = None
        with pytest.raises(RefusedError, match="the server is ending"):
            await sessions.open(HELLO, browser)

    run(test)


def test_messages_are_cut_wherever_the_pipe_was() -> None:
    pieces = [Piece(0, b"{}"), Piece(1, b""), Piece(1, bytes(range(256)))]
    stream = b"".join(head(piece) + piece.body for piece in pieces)
    for step in (1, 2, 7, 1000):
        splitter = Splitter()
        found = [piece for at in range(0, len(stream), step) for piece in splitter.feed(stream[at : at + step])]
        assert found == pieces
    for wrong in (b"\x00\x00\x00\x00\x02", b"\xff\xff\xff\xff\x00"):
        with pytest.raises(GarbledError):
            Splitter().feed(wrong)


def test_a_process_is_measured_with_its_children_until_it_is_gone() -> None:
    async def test() -> None:
        process = await asyncio.create_subprocess_exec("sh", "-c", "sleep 60 & wait")
        meter = Meter(process.pid)
        alone = meter.read()["memory"]
        meter._looked_s -= 10
        for _ in range(100):  # until the shell has come to its child
            meter.look()
            if meter._children:
                break
            meter._looked_s -= 10
            await asyncio.sleep(0.02)
        assert meter.read()["memory"] > alone
        children = meter._children
        process.kill()
        await process.wait()
        for child in children:
            child.kill()
        assert meter.read() == {"cpu": 0.0, "memory": 0}

    run(test)


def test_the_gpu_is_asked_where_a_network_computes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bool] = []
    nvml = SimpleNamespace(
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=37),
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=5_000),
    )

    @contextmanager
    def session() -> Iterator[SimpleNamespace]:
        opened.append(True)
        yield nvml
        opened.append(False)

    monkeypatch.setattr(usage.smi, "session", session)
    monkeypatch.setattr(usage.smi, "find", lambda nvml, device: device)
    gpu = usage.Gpu()
    assert gpu.read() == gpu.read() == {"use": 37, "memory": 5_000}
    gpu.close()
    assert opened == [True, False]
    nvml.nvmlDeviceGetMemoryInfo = lambda handle: 1 / 0
    gpu = usage.Gpu()
    assert gpu.read() is None
    assert gpu.read() is None
    lanes: Any = {0: SimpleNamespace(settings={"device": "cuda"})}
    assert usage._on_gpu(SimpleNamespace(lanes=lanes), "cpu")  # type: ignore[arg-type]
    lanes[0].settings = {"device": "cpu"}
    assert not usage._on_gpu(SimpleNamespace(lanes=lanes), "cuda")  # type: ignore[arg-type]
