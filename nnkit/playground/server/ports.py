"""The socket that a server listens on: at the port that was asked for, or at the next free one."""

from __future__ import annotations

import errno
import socket
import sys

from nnkit.errors import ArgumentError, NnkitError

FURTHER = 20
HIGHEST = 65_535


def listen(host: str, port: int) -> socket.socket:
    """A listening socket at ``host`` and the first free port from ``port``, at most 20 further; 0 is any free port.

    Raises ArgumentError for what is no address of this machine, NnkitError where no port can be had.

    >>> with listen("127.0.0.1", 0) as found:
    ...     found.getsockname()[0]
    '127.0.0.1'
    """
    family, address = _address(host)
    last = min(port + FURTHER, HIGHEST) if port else 0
    for each in range(port, last + 1):
        try:
            return _bound(family, address, each)
        except PermissionError:
            raise NnkitError(
                f"port {each} may not be used here (those below 1024 are often for administrators); take another, "
                "such as --port 8484"
            ) from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise ArgumentError(f"--host: {host} is no address of this machine; see --host 127.0.0.1") from None
            if error.errno != errno.EADDRINUSE:
                raise
    raise NnkitError(f"ports {port} to {last} are all in use; name a free one with --port, or any with --port 0")


def _address(host: str) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise ArgumentError(f"--host: '{host}' is no address; expected one such as 127.0.0.1 or 0.0.0.0") from None
    family, _, _, _, address = found[0]
    return family, str(address[0])


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # there, what Unix calls REUSEADDR lets two servers have one port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found
