"""Rewrites the figures in the README from what scripts measured: python benchmarks/readme.py

The output of the ten-line example (which it runs), the line counts of the three programs of the same job, and the
tables of speeds from the files in benchmarks/results. A file that has not been measured yet leaves its table out.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from pathlib import Path

from contest.tables import speed_tables

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def example(text: str) -> str:
    """The Python code of the README."""
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def output_of(code: str) -> str:
    """What the code prints, run in a folder of its own."""
    printed = io.StringIO()
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        os.chdir(folder)
        try:
            exec(compile(code, "README.md", "exec"), {})
        finally:
            os.chdir(before)
    return printed.getvalue()


def lines_of(name: str) -> int:
    """Lines of a program of benchmarks/peers that are not blank."""
    text = (ROOT / "benchmarks" / "peers" / f"{name}.py").read_text()
    return sum(bool(line.strip()) for line in text.splitlines())


def between(text: str, mark: str, end: str, content: str) -> str:
    """The text with what stands between two marks replaced."""
    pattern = re.compile(f"({re.escape(mark)}).*?({re.escape(end)})", re.DOTALL)
    assert pattern.search(text), f"the README has no {mark}"
    return pattern.sub(lambda match: match.group(1) + content + match.group(2), text)


def rewritten(text: str) -> str:
    """The README with everything but the example's output brought up to date."""
    for name in ("digits_nnkit", "digits_keras", "digits_pytorch"):
        text = between(text, f"<!-- lines:{name} -->", "<!-- / -->", str(lines_of(name)))
    return between(text, "<!-- speed -->", "<!-- /speed -->", f"\n{speed_tables(ROOT / 'benchmarks' / 'results')}\n")


def main() -> None:
    text = rewritten(README.read_text())
    printed = output_of(example(text))
    README.write_text(between(text, "<!-- output -->", "<!-- /output -->", f"\n```text\n{printed}```\n"))


if __name__ == "__main__":
    main()
