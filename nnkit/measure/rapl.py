"""What the processor packages took in energy, from the counters that Linux shows (RAPL, of Intel and AMD).

Tested against folders of the same form only: no machine at hand lets them be read.
"""

from __future__ import annotations

import re
from pathlib import Path
from threading import Lock

FOLDER = Path("/sys/class/powercap")
PACKAGE = re.compile(r"intel-rapl:\d+")  # its parts are intel-rapl:0:0 and so on, counted in it already


class Rapl:
    """Joules of all processor packages together since this was made; whoever else works on them counts too.

    The counters start anew at `max_energy_range_uj`, on large machines after some minutes: ask more often than that.

    Raises:
        LookupError: there are no counters, or they may not be read.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        found = [path for path in sorted(folder.glob("intel-rapl:*")) if PACKAGE.fullmatch(path.name)]
        self._lock = Lock()  # asked by the sampling thread, and by the training after each epoch
        self._counted_uj = 0
        try:
            packages = [path for path in found if _text(path / "name").startswith("package")]
            self._range_uj = {path / "energy_uj": int(_text(path / "max_energy_range_uj")) for path in packages}
            self._last_uj = {path: int(_text(path)) for path in self._range_uj}
        except OSError as error:
            raise LookupError(
                f"the processor's energy counter is not readable: {error.strerror} ({error.filename}); "
                "many systems let only root read it"
            ) from None
        if not packages:
            raise LookupError(f"the system shows no energy counter of the processor (no package in {folder})")

    def __call__(self) -> float:
        """Read all counters."""
        with self._lock:
            for path, last in self._last_uj.items():
                now = int(_text(path))
                self._counted_uj += now - last + (self._range_uj[path] if now < last else 0)
                self._last_uj[path] = now
            return self._counted_uj / 1e6


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
