"""Who is let in, which files there are, and what each response says to the browser."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from nnkit.playground.server import guard, serving
from nnkit.playground.server.guard import Guard
from nnkit.playground.server.pages import read
from tests.playground.server.served import Site, aiohttp, run, site

TYPES = {
    "/": "text/html; charset=utf-8",
    "/app.js": "text/javascript; charset=utf-8",
    "/app.css": "text/css; charset=utf-8",
    "/mark.svg": "image/svg+xml",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page, and beside it what must not be served."""
    page = tmp_path / "page"
    (page / "inner").mkdir(parents=True)
    for name in ("index.html", "app.js", "app.css", "mark.svg", "notes.md", "server.py", "inner/inner.js"):
        (page / name).write_text(f"this is {name}")
    (tmp_path / "secret.js").write_text("secret")
    return page


def test_the_files_of_the_page_and_nothing_else(folder: Path) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            for path, kind in TYPES.items():
                async with at.client.get(at.url + path) as found:
                    assert (found.status, found.headers["Content-Type"]) == (200, kind)
                    assert await found.text() == f"this is {'index.html' if path == '/' else path[1:]}"
                    assert found.headers["Cache-Control"] == "no-cache"
                async with at.client.get(at.url + path, headers={"If-None-Match": found.headers["ETag"]}) as again:
                    assert (again.status, await again.read()) == (304, b"")
                async with at.client.head(at.url + path) as short:
                    assert (short.status, await short.read()) == (200, b"")
            for path in ("/index.html", "/notes.md", "/server.py", "/inner/inner.js", "/inner/", "/none", "//app.js"):
                async with at.client.get(at.url + path) as found:
                    assert found.status == 404, path
            async with at.client.post(at.url) as found:
                assert found.status == 405

    run(test)


@pytest.mark.parametrize("path", ["/../secret.js", "/inner/../../secret.js", "/%2e%2e/secret.js", "/..%2fsecret.js"])
def test_no_path_leads_out_of_the_folder(folder: Path, path: str) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            status, _, body = await raw(at, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{at.place.port}\r\n")
            assert status in (400, 404)
            assert "secret" not in body.replace("secret.js", "")

    run(test)


def test_what_is_no_http_is_refused_in_silence(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            for request in ("\0 garbage\r\n", f"GET / HTTP/1.1\r\nX: {'a' * 9000}\r\n"):
                assert (await raw(at, request))[0] == 400
            serving.LOG.error("an error of the server")

    run(test)
    assert [record.message for record in caplog.records if record.name == serving.LOG.name] == [
        "an error of the server"
    ]


def test_each_response_has_the_headers(folder: Path) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            for path, status in (("/", 200), ("/none", 404), ("/live", 403)):
                async with at.client.get(at.url + path) as found:
                    assert found.status == status
                    assert guard.HEADERS.items() <= found.headers.items()
            page = await at.page()
            assert page.socket._response.headers["X-Content-Type-Options"] == "nosniff"

    run(test)
    assert guard.POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("127.0.0.1", 403),
        ("127.0.0.1:1", 403),
        ("rebound.example:{port}", 403),
        ("127.0.0.1.example:{port}", 403),
        ("", 403),
    ],
)
def test_only_the_hosts_of_the_server(folder: Path, host: str, status: int) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            found, headers, _ = await raw(at, f"GET / HTTP/1.1\r\nHost: {host.format(port=at.place.port)}\r\n")
            assert found == status
            assert "Content-Security-Policy: " in headers

    run(test)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 101),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.example:{port}", "Origin": "http://rebound.example:{port}"}, 403),
    ],
)
def test_only_pages_of_the_server_may_speak_to_it(folder: Path, headers: dict[str, str], status: int) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            filled = {name: value.format(port=at.place.port) for name, value in headers.items()}
            if status == 101:
                await at.page(**filled)
                return
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await at.page(**filled)
            assert refused.value.status == status

    run(test)


def test_a_program_without_an_origin_is_not_let_in(folder: Path) -> None:
    async def test() -> None:
        async with site(page=folder) as at:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await at.client.ws_connect(f"{at.url}/live")

    run(test)


def test_hosts_of_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "desk.example.org")
    everywhere = Guard("0.0.0.0", "0.0.0.0", 80)
    for host in ("192.168.1.5", "192.168.1.5:80", "[2001:db8::1]:80", "localhost", "desk.example.org", "desk.local:80"):
        assert everywhere.knows(host), host
    for host in ("rebound.example", "192.168.1.5:81", "192.168.1.5.example", "desk:80", "[rebound]:80", "::1"):
        assert not everywhere.knows(host), host
    one = Guard("192.168.1.5", "192.168.1.5", 8484)
    assert one.knows("192.168.1.5:8484")
    assert one.knows("desk.local:8484")
    assert not one.knows("192.168.1.6:8484")
    assert Guard("::1", "::1", 8484).same_origin("[::1]:8484", "http://[::1]:8484")


def test_a_folder_that_is_missing_a_page_has_no_page(tmp_path: Path) -> None:
    assert read(tmp_path) == {}


async def raw(at: Site, request: str) -> tuple[int, str, str]:
    """The status, headers and body of the response to a request that no client would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at.place.port)
    writer.write(f"{request}Connection: close\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), head, body
