"""What a page must not do: ask anything of another machine, or report an error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Route

HERE = ("127.0.0.1", "localhost", "::1")
OF_THE_PAGE = ("data", "blob", "about")


class Watch:
    """Looks at a page: blocks what goes elsewhere, and keeps what went wrong."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        self._expected: list[str] = []
        page.route("**/*", self._route)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("websocket", lambda socket: here(socket.url) or self.faults.append(f"asked for {socket.url}"))
        page.on("popup", lambda other: self.faults.append(f"opened {other.url}"))

    def expect(self, text: str) -> None:
        """An error with this text is no fault."""
        self._expected.append(text)

    def verdict(self) -> list[str]:
        return [fault for fault in self.faults if not any(text in fault for text in self._expected)]

    def _route(self, route: Route) -> None:
        if here(route.request.url):
            route.continue_()
        else:
            self.faults.append(f"asked for {route.request.url}")
            route.abort()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")


def here(url: str) -> bool:
    """Whether an address is on this machine.

    >>> here("http://127.0.0.1:8484/main.js"), here("https://fonts.example/a.woff2")
    (True, False)
    """
    parts = urlsplit(url)
    return parts.scheme in OF_THE_PAGE or parts.hostname in HERE
