"""A worker that fails in each way in which one can, so that the runner is seen to notice."""

from __future__ import annotations

import ctypes
import json
import sys
import time


def main() -> None:
    """The cases from FIRST up to LAST: some of them end it."""
    for number in range(*map(int, sys.argv[3:5])):
        print(json.dumps({"number": number}), flush=True)
        if number == 1:
            sys.exit(3)
        print(json.dumps({"number": number, "what": "bytes"}), flush=True)
        if number == 3:
            ctypes.string_at(0)
        if number == 5:
            time.sleep(1000)
        work, growth = (2.0 if number == 7 else 0.01), (100.0 if number == 8 else 1.0)
        print(json.dumps({"number": number, "outcome": "refused", "work_s": work, "growth_mb": growth}), flush=True)


main()
