"""Downloads against a server on the loopback that misbehaves in every way a mirror does."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nnkit.data import download
from nnkit.data.download import fetch
from nnkit.errors import FileError

CONTENT = random.Random(0).randbytes(400_000)
PACKED = gzip.compress(CONTENT, mtime=0)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(PACKED) // 2


class Server(http.server.ThreadingHTTPServer):
    """Serves ``body`` at every path; the first part of the path says what goes wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = PACKED
        self.requests: list[tuple[str, str | None]] = []

    def url(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{behaviour}/file.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    """``ok`` honours ranges; ``cut`` sends half of what is asked; ``cut-once`` only the first time; and so on."""

    server: Server

    def do_GET(self) -> None:
        behaviour, asked = self.path.split("/")[1], self.headers.get("Range")
        first = not any(path == self.path for path, _ in self.server.requests)
        self.server.requests.append((self.path, asked))
        if behaviour.isdigit() or (behaviour == "503-once" and first):
            self.send_error(int(behaviour[:3]))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and behaviour != "no-range" else 0
        body = self.server.body
        if asked and start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            shift = 1 if behaviour == "shifted" else 0
            self.send_header("Content-Range", f"bytes {start + shift}-{len(body) - 1}/{len(body)}")
        if behaviour != "no-length":
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cut = behaviour in {"cut", "no-range", "shifted"} or (behaviour in {"cut-once", "no-length"} and first)
        body = body[start : start + HALF // 2] if cut and not (behaviour == "no-range" and not first) else body[start:]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def get(server: Server, tmp_path: Path) -> Callable[..., Path]:
    """Fetches from the server with these behaviours, one mirror each."""

    def get(*behaviours: str, digest: str = SHA256, **options: object) -> Path:
        urls = [server.url(behaviour) for behaviour in behaviours]
        return fetch(urls, tmp_path / "cache" / "file.gz", digest, pause_s=0, timeout_s=10, **options)

    return get


def left(path: Path) -> list[str]:
    """What lies in a folder, without the hash of the mirror's address and the process in the names."""
    return sorted(name.name.split(".")[-1] for name in path.iterdir()) if path.exists() else []


def test_a_complete_file(get: Callable[..., Path], tmp_path: Path) -> None:
    assert get("ok").read_bytes() == PACKED
    assert left(tmp_path / "cache") == ["gz"]


def test_the_hash_may_be_of_the_packed_bytes(get: Callable[..., Path]) -> None:
    md5 = hashlib.md5(PACKED, usedforsecurity=False).hexdigest()
    assert get("ok", digest=md5, algorithm="md5", of_content=False).read_bytes() == PACKED


def test_a_truncated_file_is_resumed_in_the_same_call(get: Callable[..., Path], server: Server) -> None:
    assert get("cut-once").read_bytes() == PACKED
    assert [asked for _, asked in server.requests] == [None, f"bytes={HALF // 2}-"]


def test_a_truncated_file_is_kept_and_resumed_by_the_next_call(
    get: Callable[..., Path], server: Server, tmp_path: Path
) -> None:
    with pytest.raises(
        FileError, match=r"the connection ended after \d+ of \d+ bytes, 2 times; try again later, what came"
    ):
        get("cut", attempts=2)
    assert left(tmp_path / "cache") == ["part"]
    server.requests.clear()
    assert get("cut", attempts=3).read_bytes() == PACKED
    assert server.requests[0][1] == f"bytes={HALF // 2 * 2}-"
    assert left(tmp_path / "cache") == ["gz"]


def test_a_server_without_ranges_sends_all_again(get: Callable[..., Path], server: Server) -> None:
    assert get("no-range").read_bytes() == PACKED
    assert server.requests[1][1] is not None


def test_a_server_without_lengths_is_checked_by_the_hash(get: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=rf"wrong sha256: expected {SHA256}, got damaged gzip data; the file was removed"
    ):
        get("no-length")
    assert left(tmp_path / "cache") == []
    assert get("no-length").read_bytes() == PACKED


def test_another_range_than_asked_for_is_not_appended(get: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"the server sent another range than it was asked for, 2 times"):
        get("shifted", attempts=2)
    assert left(tmp_path / "cache") == []


@pytest.mark.parametrize("old", [PACKED[:100] + b"other", b"\0" * len(PACKED), PACKED + b"more"])
def test_a_part_of_another_file_is_dropped(
    get: Callable[..., Path], server: Server, tmp_path: Path, old: bytes
) -> None:
    with pytest.raises(FileError):
        get("cut", attempts=1)
    (part,) = (tmp_path / "cache").iterdir()
    part.rename(part.with_name(part.name.replace(_mark(server.url("cut")), _mark(server.url("ok")))))
    (part,) = (tmp_path / "cache").iterdir()
    part.write_bytes(old)
    assert get("ok").read_bytes() == PACKED


def test_a_part_that_is_already_complete(get: Callable[..., Path], server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f"file.gz.{_mark(server.url('ok'))}.part").write_bytes(PACKED)
    assert get("ok").read_bytes() == PACKED
    assert server.requests == [("/ok/file.gz", f"bytes={len(PACKED)}-")]


def _mark(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def test_a_wrong_hash(get: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(FileError, match=rf"wrong sha256: expected {'0' * 64}, got {SHA256}; the file was removed"):
        get("ok", digest="0" * 64)
    assert left(tmp_path / "cache") == []


def test_the_second_mirror_after_404(get: Callable[..., Path], server: Server) -> None:
    assert get("404", "ok").read_bytes() == PACKED
    assert len(server.requests) == 2


def test_a_busy_server_is_asked_again(get: Callable[..., Path]) -> None:
    assert get("503-once").read_bytes() == PACKED


def test_every_mirror_is_named_with_its_reason(get: Callable[..., Path]) -> None:
    with pytest.raises(FileError) as caught:
        get("404", "503")
    message = str(caught.value)
    assert message.startswith("file.gz could not be downloaded:\n")
    assert "/404/file.gz: the server answered 404 Not Found\n" in message
    assert "/503/file.gz: the server answered 503 Service Unavailable, 3 times" in message


def test_offline(tmp_path: Path) -> None:
    with socket.socket() as held:  # bound and not listening: connections are refused
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/file.gz"
        with pytest.raises(FileError) as caught:
            fetch([url], tmp_path / "file.gz", SHA256)
    message = str(caught.value)
    assert f"{url}: no connection (" in message
    assert f"Without a connection, put the file into {tmp_path} by hand" in message
    assert "data_dir or the environment variable NNKIT_DATA_DIR" in message


def test_a_server_that_says_nothing(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file.gz"
        with pytest.raises(
            FileError, match=r"(no connection \(timed out\)|the connection broke off \(timed out\), 1 times)"
        ):
            fetch([url], tmp_path / "file.gz", SHA256, timeout_s=0.1, attempts=1)


def test_too_much(get: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_LIMIT_BYTES", 100_000)
    with pytest.raises(FileError, match=r"the server sent more than 100000 bytes, so this is another file"):
        get("ok")
    assert left(tmp_path / "cache") == []


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match=r"cannot write to .*file: .*; choose another folder with data_dir"):
        fetch([server.url("ok")], tmp_path / "file" / "file.gz", SHA256)


def test_two_processes_at_once(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.gz"
    code = (
        "import sys; from pathlib import Path; from nnkit.data.download import fetch; "
        "fetch([sys.argv[1]], Path(sys.argv[2]), sys.argv[3], pause_s=0)"
    )
    command = [sys.executable, "-c", code, server.url("cut-once"), str(target), SHA256]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert target.read_bytes() == PACKED
    assert left(tmp_path) == ["gz"]


def test_many_threads_with_one_part(get: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(FileError):
        get("cut", attempts=1)
    threads = [threading.Thread(target=get, args=("ok",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "cache" / "file.gz").read_bytes() == PACKED
