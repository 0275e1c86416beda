"""Renew the approved pictures: ``python -m tests.playground.browser.approve [name …]``. Look at them then."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.playground.browser import pictures
from tests.playground.browser.chromium import chromium
from tests.playground.browser.scenes import PICTURES
from tests.playground.browser.serving import served
from tests.playground.browser.visits import Windows, visits


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, served(Path(folder) / "log") as server:
        windows = Windows(browser)
        for name in names or PICTURES:
            with visits(windows, server.url) as visit:
                pictures.keep(pictures.taken(PICTURES[name].show(visit)), pictures.path(name))
            print(pictures.path(name), f"{pictures.path(name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
