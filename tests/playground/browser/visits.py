"""Pages that are opened, and that must have done nothing wrong at the end.

Pages of one kind (by day, by night, on a phone) are tabs of one window, since a window of its own for each costs more
than all else that a test does. They share nothing through it: the page keeps nothing in the browser, which is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.playground.browser.driver import Play
from tests.playground.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

DESKTOP = {"viewport": {"width": 1400, "height": 1000}, "reduced_motion": "reduce"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "reduced_motion": "reduce",
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
PATIENCE_MS = 30_000


class Windows:
    """One window of a browser for each kind of page."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._opened: dict[str, BrowserContext] = {}

    def window(self, kind: dict[str, Any]) -> BrowserContext:
        key = repr(sorted(kind.items()))
        if key not in self._opened:
            self._opened[key] = self._browser.new_context(**kind)
            self._opened[key].set_default_timeout(PATIENCE_MS)
        return self._opened[key]

    def close(self) -> None:
        """Close all; no page may have left anything in them."""
        for window in self._opened.values():
            assert window.storage_state() == {"cookies": [], "origins": []}
            window.close()


class Visit:
    """Opens pages."""

    def __init__(self, windows: Windows, url: str) -> None:
        self._windows, self._url = windows, url
        self.opened: list[Play] = []

    def __call__(self, query: str = "", context: dict[str, Any] | None = None, **settings: Any) -> Play:
        """A page with these settings, which has drawn its first picture."""
        return self.blank(**(DESKTOP if context is None else context)).open(query, **settings)

    def blank(self, **context: Any) -> Play:
        """A page that is still empty."""
        page = self._windows.window(context).new_page()
        self.opened.append(Play(page, self._url, Watch(page)))
        return self.opened[-1]


@contextmanager
def visits(windows: Windows, url: str) -> Iterator[Visit]:
    """For the length of the block."""
    visit = Visit(windows, url)
    try:
        yield visit
        faults = [fault for play in visit.opened for fault in play.watch.verdict()]
        assert not faults, faults
    finally:
        for play in visit.opened:
            play.page.close()  # it says goodbye to the server
