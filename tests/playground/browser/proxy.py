"""A line between browser and server that can be cut: it passes bytes on, and closes all connections when told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BROWSER, SERVER = "127.0.0.1", "127.0.0.2"
"""One port, two addresses of the loopback, so that the browser names a host and port that the server knows."""


class Line:
    """Listens at the browser's address, and connects to the same port of the server's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole = True
        self._open: list[socket.socket] = []
        self._listening = socket.create_server((BROWSER, port))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break all connections; new ones are broken at once."""
        self._whole = False
        while self._open:
            _close(self._open.pop())

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        _close(self._listening)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            if self._whole:
                server = socket.create_connection((SERVER, self._port))
                self._open += [browser, server]
                for ends in ((browser, server), (server, browser)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()
            else:
                _close(browser)


def _pass_on(come: socket.socket, go: socket.socket) -> None:
    with suppress(OSError):
        while content := come.recv(65536):
            go.sendall(content)
    _close(come)
    _close(go)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def line(port: int) -> Iterator[Line]:
    """For the length of the block."""
    made = Line(port)
    try:
        yield made
    finally:
        made.close()
