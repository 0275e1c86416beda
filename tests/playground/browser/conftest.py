"""A browser, a server and pages for the tests of this folder.

Without Chromium or Playwright they are skipped; NNKIT_REQUIRE_BROWSER=1 makes that a failure.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.playground.browser.chromium import EXECUTABLE, chromium
from tests.playground.browser.serving import Served, served
from tests.playground.browser.visits import Visit, Windows, visits

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REQUIRED = os.environ.get("NNKIT_REQUIRE_BROWSER") == "1"
PACKAGES = ("playwright", "axe_playwright_python", "aiohttp")


def _missing() -> str | None:
    if not EXECUTABLE.exists():
        return f"there is no {EXECUTABLE}: apt-get install chromium fonts-dejavu-core"
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    return f"there is no {', '.join(missing)}: pip install '.[all,test]'" if missing else None


# For the folder, not for the session: Playwright keeps an event loop in the thread, and other tests want their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    missing = _missing()
    if missing is not None:
        (pytest.fail if REQUIRED else pytest.skip)(missing)
    with chromium() as made:
        yield made


@pytest.fixture(scope="package")
def windows(browser: Browser) -> Iterator[Windows]:
    made = Windows(browser)
    yield made
    made.close()


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all; ``browser`` comes first, since without it there is nothing to serve for."""
    with served(tmp_path_factory.mktemp("server") / "complaints.txt") as made:
        yield made


@pytest.fixture
def visit(windows: Windows, server: Served) -> Iterator[Visit]:
    """Opens a page with the settings of a link: ``visit(data="spiral")``. At the end no page may have done wrong."""
    with visits(windows, server.url) as visit:
        yield visit
