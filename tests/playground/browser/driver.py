"""A person at the page: finds things by their ``data-testid``, clicks, types, and reads what is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.playground.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

READY = "html[data-ready='true']"
PATIENCE_S = 15.0
LOOK = """async () => {
    const { store } = await import(new URL("store.js", location).href);
    const { content } = await store.connection.ask({ do: "export", format: "json", lane: 0 });
    return new TextDecoder().decode(content);
}"""


class Play:
    """One open page."""

    def __init__(self, page: Page, url: str, watch: Watch) -> None:
        self.page, self.url, self.watch = page, url, watch

    def open(self, query: str = "", **settings: Any) -> Play:
        """Load the page with the settings of a link, and wait for the first picture."""
        self.page.goto(self.url + query + link(**settings))
        self.page.wait_for_selector(READY, state="attached")
        return self

    # -- what a person does

    def by(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def click(self, *names: str) -> None:
        for name in names:
            self.by(name).click()

    def choose(self, name: str, value: str) -> None:
        self.by(name).select_option(value)

    def type(self, name: str, value: Any) -> None:
        """Fill in a field and leave it by Enter."""
        self.by(name).fill(str(value))
        self.by(name).press("Enter")

    def slide(self, name: str, value: float) -> None:
        self.by(name).fill(str(value))

    def steps(self, many: int) -> None:
        """Press the step button, and see each step."""
        for _ in range(many):
            before = self.frame
            self.click("step")
            self.until(lambda before=before: self.frame > before, "the picture after a step")

    def drop(self, name: str, content: bytes) -> None:
        """Drop a file on the page."""
        transfer = self.page.evaluate_handle(
            """([name, text]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([text], name));
                return transfer;
            }""",
            [name, content.decode()],
        )
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event("#main", event, {"dataTransfer": transfer})

    def bring(self, name: str, content: bytes) -> None:
        """Choose a file with the import button."""
        self.by("import-file").set_input_files({"name": name, "mimeType": "text/plain", "buffer": content})

    # -- what a person sees

    def attribute(self, name: str) -> str:
        return self.page.locator("html").get_attribute(f"data-{name}") or ""

    @property
    def step(self) -> float:
        return float(self.attribute("step"))

    @property
    def frame(self) -> int:
        return int(self.attribute("frame"))

    @property
    def playing(self) -> bool:
        return self.by("play").get_attribute("aria-label") == "Pause"

    def text(self, name: str) -> str:
        return self.by(name).inner_text().strip()

    def value(self, name: str) -> str:
        return self.by(name).input_value()

    def number(self, name: str) -> float:
        """A number that is shown; NaN where none is."""
        return number(self.text(name))

    def notices(self) -> list[str]:
        return self.page.locator("[data-testid=notice] p").all_inner_texts()

    def notice(self, text: str) -> str:
        """The notice that has this text, once it is there."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [each for each in self.notices() if text.lower() in each.lower()]
            return bool(found)

        self.until(there, f"a notice with {text!r}")
        return found[0]

    def close_notices(self) -> None:
        while self.page.get_by_label("Close this notice").count():
            self.page.get_by_label("Close this notice").first.click()

    def picture(self, name: str = "output-map") -> str:
        """What is on a canvas, as PNG in base64."""
        return str(self.by(name).evaluate("(canvas) => canvas.toDataURL()"))

    def menu(self) -> None:
        """Open the menu of exports."""
        if self.page.locator("#export-menu[open]").count() == 0:
            self.click("export")

    # -- what the engine has

    def export(self, form: str) -> bytes:
        """A file that the page gives out."""
        self.menu()
        with self.page.expect_download() as download:
            self.click(f"export-{form}")
        return Path(download.value.path()).read_bytes()

    def look(self) -> bytes:
        """The JSON file that the page gives out, asked for without the menu: what the engine has now."""
        return str(self.page.evaluate(LOOK)).encode()

    def archive(self) -> dict[str, Any]:
        """Settings, weights and data as the engine has them now."""
        return dict(json.loads(self.look()))

    def settled(self, **settings: Any) -> dict[str, Any]:
        """What the engine has, once it has these settings."""
        found: dict[str, Any] = {}
        other: dict[str, Any] = {}

        def has() -> bool:
            found.update(self.archive())
            other.clear()
            other.update(
                {name: found["settings"][name] for name in settings if found["settings"][name] != settings[name]}
            )
            return not other

        self.until(has, lambda: f"{settings} in the engine, which has {other}")
        return found

    # -- waiting

    def until(self, holds: Callable[[], bool], what: str | Callable[[], str], within_s: float = PATIENCE_S) -> None:
        """Wait until something holds; the page goes on meanwhile."""
        end = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > end:
                wanted = what if isinstance(what, str) else what()
                raise AssertionError(f"it did not come within {within_s:g} s: {wanted}; notices: {self.notices()}")
            self.page.wait_for_timeout(20)

    def pause(self) -> None:
        """Stop training, and wait for the last picture."""
        self.click("play")
        self.until(lambda: not self.playing, "the pause")
        self.still()

    def still(self) -> None:
        """Wait until no further picture comes."""
        while True:
            before = self.frame
            self.page.wait_for_timeout(150)
            if self.frame == before:
                return


def link(**settings: Any) -> str:
    """The end of an address with these settings.

    >>> link(data="spiral", hidden=[8, 8])
    '#data=spiral&hidden=8,8'
    """
    parts = [f"{name.replace('__', '.')}={_text(value)}" for name, value in settings.items()]
    return f"#{'&'.join(parts)}" if parts else ""


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_text(each) for each in value)
    return quote(str(value), safe="(),^*")


def number(text: str) -> float:
    """A number as the page writes it.

    >>> number("−0.25"), number("12.5 %"), number("1,024"), number("3.1e-5")
    (-0.25, 12.5, 1024.0, 3.1e-05)
    """
    plain = text.replace("−", "-").replace(",", "").replace("%", "").strip()
    return {"–": float("nan"), "∞": float("inf"), "-∞": float("-inf")}.get(plain) or float(plain)
