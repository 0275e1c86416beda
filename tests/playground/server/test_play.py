"""``nnkit play`` as a process: it says where it is, and ends as it should with all that it has started."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from nnkit.backend import select
from nnkit.cli import main, play
from nnkit.errors import ArgumentError, NnkitError
from nnkit.playground.server import Options, ports, serving
from tests.playground.server.served import FAKE, Page, aiohttp

ROOT = Path(__file__).parents[3]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process there")
# The command with another worker: what is tested is all else of it.
SCRIPT = """
import sys
from nnkit.cli import main
from nnkit.playground.server import Options
worker = tuple(sys.argv[1].split("|"))
Options.__new__.__defaults__ = tuple(worker if name == "worker" else value
                                     for name, value in zip(Options._fields, Options.__new__.__defaults__))
sys.exit(main(["play", *sys.argv[2:]]))
"""


@contextmanager
def command(*words: str, worker: tuple[str, ...] = FAKE) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, killed after the block if it still runs."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "|".join(worker), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


async def visit(url: str) -> tuple[Page, aiohttp.ClientSession]:
    """A page with a network, whose worker hangs."""
    client = aiohttp.ClientSession()
    page = Page(await client.ws_connect(f"{url}live", headers={"Origin": url.rstrip("/")}))
    await page.hello()
    await page.tell("draw", pixels="hang")
    return page, client


@posix
@pytest.mark.parametrize(
    ("number", "status", "said"), [(signal.SIGTERM, 0, ""), (signal.SIGINT, 130, "interrupted\n")], ids=["TERM", "INT"]
)
def test_a_signal_ends_it_and_all_its_processes(number: signal.Signals, status: int, said: str) -> None:
    async def test(process: subprocess.Popen[str]) -> None:
        url = first_line(process).strip()
        page, client = await visit(url)
        started = psutil.Process(process.pid).children(recursive=True)
        assert started
        began = time.monotonic()
        process.send_signal(number)
        assert (await page.closed())[0] == 1001
        out, err = await asyncio.to_thread(process.communicate, timeout=10)
        assert time.monotonic() - began < 5
        assert (process.returncode, out, err) == (status, "", said)
        assert not [child for child in started if child.is_running()]
        await client.close()

    with command("--port", "0", worker=(*FAKE, "stubborn")) as process:
        asyncio.run(test(process))


@posix
def test_a_port_in_use_gives_the_next_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with command("--port", str(port)) as process:
            url = first_line(process)
            found = int(url.rsplit(":", 1)[1].rstrip("/\n"))
            assert port < found <= port + 20
            socket.create_connection(("127.0.0.1", found), timeout=5).close()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=10)
            assert err == f"port {port} is in use; this is port {found}\n"


def test_all_ports_in_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(ports, "FURTHER", 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["play", "--port", str(port)]) == 1
    said = f"error: ports {port} to {port} are all in use; name a free one with --port, or any with --port 0\n"
    assert capsys.readouterr() == ("", said)


def test_a_port_that_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(NnkitError, match="port 80 may not be used here"):
        ports.listen("127.0.0.1", 80)


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "ü" * 70])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(ArgumentError, match=r"--host: '.*' is no address; expected one such as 127\.0\.0\.1"):
        ports.listen(host, 0)


def test_a_host_of_another_machine() -> None:
    with pytest.raises(ArgumentError, match=r"--host: 192\.0\.2\.1 is no address of this machine"):
        ports.listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--port", "65536"], 2, "error: argument --port: expected a port from 0 to 65535, got '65536'; "),
        (["--port", "-1"], 2, "error: argument --port: expected a whole number from 0, got '-1'; "),
        (["--device", "toaster"], 1, "error: there is no backend for device 'toaster' here"),
        (["--host", "256.1.1.1"], 2, "error: --host: '256.1.1.1' is no address"),
    ],
)
def test_wrong_flags_are_one_message(
    words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", *words]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_without_aiohttp_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert main(["play"]) == 1
    assert capsys.readouterr() == ("", 'error: the playground is served with aiohttp: pip install "nnkit[play]"\n')


def test_other_addresses_than_this_machine_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(serving.webbrowser, "open", opened.append)
    monkeypatch.setattr(serving, "own_address", lambda: "192.168.1.5")
    monkeypatch.setattr(serving.threading.Thread, "start", lambda thread: thread.run())
    remarks: list[str] = []
    serving._announce(Options("0.0.0.0", 8484, opens=True), serving.Place("0.0.0.0", 8485), remarks.append)
    assert capsys.readouterr().out == "http://127.0.0.1:8485/\n"
    assert remarks == [
        "port 8484 is in use; this is port 8485",
        "warning: everybody in the network can use it at http://192.168.1.5:8485/, and with it this machine's "
        "processors and memory",
    ]
    assert opened == ["http://127.0.0.1:8485/"]
    remarks.clear()
    serving._announce(Options("localhost", 0), serving.Place("::1", 9000), remarks.append)
    assert capsys.readouterr().out == "http://localhost:9000/\n"
    assert not remarks
    assert len(opened) == 1


def test_its_own_address_is_one_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = serving.own_address()
    assert found is None or ip_address(found).version == 4

    def unreachable(*_: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(serving.socket, "socket", lambda *_: nullcontext(SimpleNamespace(connect=unreachable)))
    assert serving.own_address() is None


def test_the_flags_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Options] = []
    monkeypatch.setattr("nnkit.playground.server.serve", lambda options, remark: asked.append(options))
    parser = play.COMMAND.parser()
    assert play.run(parser.parse_args(["--port", "9000", "--device", "auto", "--open"])) == 0
    assert play.run(parser.parse_args([])) == 0
    assert asked == [Options(port=9000, device=select("auto").name, opens=True), Options()]
    assert asked[1][:4] == ("127.0.0.1", 8484, "cpu", False)
