"""Pages that are opened, each in a context of its own, and that must have done nothing wrong at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.playground.browser.driver import Play
from tests.playground.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DESKTOP = {"viewport": {"width": 1400, "height": 1000}, "reduced_motion": "reduce"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "reduced_motion": "reduce",
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}


class Visit:
    """Opens pages."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self.opened: list[Play] = []

    def __call__(self, query: str = "", context: dict[str, Any] | None = None, **settings: Any) -> Play:
        """A page with these settings, which has drawn its first picture."""
        return self.blank(**(DESKTOP if context is None else context)).open(query, **settings)

    def blank(self, **context: Any) -> Play:
        """A page that is still empty."""
        made = self._browser.new_context(**context)
        made.set_default_timeout(10_000)
        watch = Watch(made)
        self.opened.append(Play(made.new_page(), self._url, watch))
        return self.opened[-1]


@contextmanager
def visits(browser: Browser, url: str) -> Iterator[Visit]:
    """For the length of the block."""
    visit = Visit(browser, url)
    try:
        yield visit
        faults = [fault for play in visit.opened for fault in play.watch.verdict()]
        assert not faults, faults
    finally:
        for play in visit.opened:
            play.page.context.close()  # its pages say goodbye to the server
