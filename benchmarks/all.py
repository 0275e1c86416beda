"""Measures everything beside all peers, draws the plots and rewrites the README: python benchmarks/all.py

With --quick a little of everything goes into build/benchmarks, to see that all works, and the README stays as it is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPTS = ("step", "breakdown", "shapes", "sweep", "jobs")
QUICK = FOLDER.parent / "build" / "benchmarks"


def run(script: str, *words: str) -> None:
    began = time.perf_counter()
    subprocess.run([sys.executable, str(FOLDER / f"{script}.py"), *words], check=True)
    print(f"{script}.py took {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of little, and the README stays as it is")
    quick = parser.parse_args().quick
    for script in SCRIPTS:
        run(script, *(["--quick", "--results", str(QUICK)] if quick else []))
    run("plots", *([str(QUICK)] if quick else []))
    if not quick:
        run("readme")


if __name__ == "__main__":
    main()
