"""Who may ask: Host and Origin of a request, and the headers that tell a browser what the page may do.

The server trains for whoever asks, so a page of somebody else must not be able to. A browser lets any page open a
WebSocket to any address; it says in ``Origin`` whose page it is. And a page can give its own name the address 127.0.0.1
after it was loaded (DNS rebinding), so that its origin is the server's; but the name remains in ``Host``.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import ip_address

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "nnkit",
}
"""On each response."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """What ``Host`` and ``Origin`` may be for a server that is bound to ``host``, whose address is ``address``.

    Bound to all addresses, any literal address is right, since the machine may have many and what is no name cannot be
    given another address; of names only those of the machine are.

    >>> guard = Guard("127.0.0.1", "127.0.0.1", 8484)
    >>> guard.knows("localhost:8484"), guard.knows("evil.example:8484"), guard.knows("localhost:80")
    (True, False, False)
    >>> guard.same_origin("localhost:8484", "http://localhost:8484")
    True
    """

    def __init__(self, host: str, address: str, port: int) -> None:
        at = ip_address(address)
        names: Collection[str] = LOOPBACK
        if not at.is_loopback:
            names = (*LOOPBACK, *_names_of_this_machine())
        self._hosts = {name.lower() for name in (*names, bracketed(host), bracketed(address))}
        self._any_address = at.is_unspecified
        self._port = port

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        name, port = _split(host.lower())
        if port != str(self._port):
            return False
        return name in self._hosts or (self._any_address and _is_address(name))

    def same_origin(self, host: str, origin: str | None) -> bool:
        """Whether a page with this ``Origin`` came from this server. Programs that send none are not let in either."""
        return origin is not None and origin.lower() == f"http://{host.lower()}" and self.knows(host)


def bracketed(host: str) -> str:
    """A host as URLs have it.

    >>> bracketed("::1"), bracketed("127.0.0.1")
    ('[::1]', '127.0.0.1')
    """
    return f"[{host}]" if ":" in host else host


def address(host: str, port: int) -> str:
    """The address of a page.

    >>> address("::1", 8484)
    'http://[::1]:8484/'
    """
    return f"http://{bracketed(host)}:{port}/"


def _split(host: str) -> tuple[str, str]:
    """Name and port; a browser leaves out port 80."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and "]" not in port else (host, "80")


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _names_of_this_machine() -> tuple[str, str]:
    """Its own name, and the one by which others in the network find it (mDNS)."""
    name = socket.gethostname()
    return name, f"{name.partition('.')[0]}.local"
