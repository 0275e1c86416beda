"""Downloads that resume, try every mirror, check the hash, and never leave half a file under the final name."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

from nnkit.data.digest import Digest
from nnkit.errors import FileError

_CHUNK = 1 << 16
_NETWORK = (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
_LIMIT_BYTES = 1 << 30  # a mirror that sends more than this sends something else


class _MirrorError(Exception):
    """One mirror cannot give the file; the next may."""


class _InterruptedError(Exception):
    """The connection ended early; what came is kept, and the rest can be asked for."""


def fetch(
    urls: Sequence[str],
    target: Path,
    digest: str,
    algorithm: str = "sha256",
    of_content: bool = True,
    *,
    timeout_s: float = 30.0,
    attempts: int = 3,
    pause_s: float = 0.5,
) -> Path:
    """Download ``target`` from the first of ``urls`` that has it, and return its path.

    What an interrupted download left is kept beside the target, one ``.part`` for each mirror, and the next call asks
    for the rest only. The hash is checked before the file gets its name, by an atomic rename, so two processes may do
    this at once.

    Args:
        urls: the same file on several mirrors, tried in this order.
        target: where the file goes; its folder is made.
        digest: the hash it must have, as hexadecimal digits.
        algorithm: a name known to ``hashlib``.
        of_content: whether the hash is of the unpacked content rather than of the gzip file.
        timeout_s: longest wait for the server to send anything.
        attempts: how often a mirror is asked to go on after an interruption.
        pause_s: wait before asking again.

    Raises:
        FileError: no mirror gave the right file; it says why for each, and where to put the file by hand.
    """
    expected = Digest(digest, algorithm, of_content)
    problems = []
    for url in urls:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _from_mirror(url, target, expected, timeout_s, attempts, pause_s)
        except _MirrorError as error:
            problems.append(f"  {url}: {error}")
        except OSError as error:
            raise FileError(f"cannot write to {target.parent}: {error}; choose another folder with data_dir") from error
        else:
            return target
    raise FileError(
        f"{target.name} could not be downloaded:\n"
        + "\n".join(problems)
        + f"\nWithout a connection, put the file into "
        f"{target.parent} by hand, or into a folder named by data_dir or the environment variable NNKIT_DATA_DIR"
    )


def _from_mirror(url: str, target: Path, expected: Digest, timeout_s: float, attempts: int, pause_s: float) -> None:
    with _private_part(target, url) as part:
        resumed = part.exists()
        for attempt in range(attempts):
            if attempt:
                time.sleep(pause_s)
            try:
                _receive(url, part, timeout_s)
            except _InterruptedError as error:
                problem = f"{error}, {attempts} times; try again later, what came is kept"
                continue
            got = expected.of(part)
            if got == expected.value:
                part.replace(target)
                return
            part.unlink()
            problem = f"wrong {expected.algorithm}: expected {expected.value}, got {got}; the file was removed"
            if not resumed:  # a part from an earlier day may belong to an older file: begin again once
                break
            resumed = False
        raise _MirrorError(problem)


@contextmanager
def _private_part(target: Path, url: str) -> Iterator[Path]:
    """A file that no other process writes to, with what an earlier attempt left in it; kept for the next one.

    Renaming is atomic, so only one process gets the old part; another begins from nothing.
    """
    shared = target.with_name(f"{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
    private = target.with_name(f"{shared.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        shared.replace(private)
    try:
        yield private
    finally:
        with suppress(FileNotFoundError):
            private.replace(shared)


def _receive(url: str, part: Path, timeout_s: float) -> None:
    """Ask for the bytes after those in ``part`` and append them."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "nnkit", "Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout_s) as response:
            appending = response.status == HTTPStatus.PARTIAL_CONTENT
            if appending and not (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
                part.unlink()
                raise _InterruptedError("the server sent another range than it was asked for")
            expected = response.headers.get("Content-Length")
            received = _copy(response, part, "ab" if appending else "wb")
    except urllib.error.HTTPError as error:
        _judge_status(error, have)
        return
    except urllib.error.URLError as error:
        raise _MirrorError(f"no connection ({error.reason})") from error
    except _NETWORK as error:
        raise _InterruptedError(f"the connection broke off ({error or type(error).__name__})") from error
    if expected is not None and received < int(expected):
        raise _InterruptedError(f"the connection ended after {received} of {expected} bytes")


def _copy(response: http.client.HTTPResponse, part: Path, mode: str) -> int:
    """Write what arrives as it arrives, so that an interruption loses nothing."""
    received = 0
    with part.open(mode) as file:
        while chunk := response.read(_CHUNK):
            received += len(chunk)
            if received > _LIMIT_BYTES:
                part.unlink()
                raise _MirrorError(f"the server sent more than {_LIMIT_BYTES} bytes, so this is another file")
            file.write(chunk)
    return received


def _judge_status(error: urllib.error.HTTPError, have: int) -> None:
    """Tell 416 (nothing is left to send) from 5xx (ask again) and the rest (go to the next mirror)."""
    error.close()
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
        return  # the part is complete, or longer than the file: its hash tells
    if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _InterruptedError(f"the server answered {error.code} {error.reason}")
    raise _MirrorError(f"the server answered {error.code} {error.reason}")
