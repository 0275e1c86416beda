"""Rewrites the figures in the README from what scripts measured: python benchmarks/readme.py

The output of the ten-line example (which it runs), the line counts of the three programs of the same job, and the table
of speeds from benchmarks/results/step.json.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from pathlib import Path

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


def speed_table() -> str:
    """The rows of benchmarks/results/step.json, a workload each."""
    result = json.loads((ROOT / "benchmarks" / "results" / "step.json").read_text())
    by_workload: dict[str, dict[str, dict[str, float]]] = {}
    for row in result["rows"]:
        by_workload.setdefault(row["workload"], {})[row["framework"]] = row
    steps = {name: rows for name, rows in by_workload.items() if name != EPOCH}
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items() if name != "blas")
    machine = f"{result['machine']['cpu']}, {result['machine']['cores']} cores"
    note = f"{machine}; {versions}; {result['date'][:10]}. Median ± interquartile range."
    epoch = [f"| one {EPOCH} | seconds |", "|---|---|"]
    epoch += [f"| {name} | {_shown(row, 1)} |" for name, row in by_workload[EPOCH].items()]
    return "\n".join([*_table(steps), "", *epoch, "", note])


def _table(by_workload: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    frameworks = [name for name in next(iter(by_workload.values())) if name != LIMIT]
    lines = [f"| µs a step | {' | '.join(by_workload)} |", "|---" * (len(by_workload) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(_shown(rows[name]) for rows in by_workload.values())} |" for name in frameworks]
    limits = (f"{rows[LIMIT]['step_median_s'] * 1e6:,.1f}" for rows in by_workload.values())
    ratios = (_ratio(rows) for rows in by_workload.values())
    return [*lines, f"| {LIMIT} | {' | '.join(limits)} |", f"| nnkit against the fastest peer | {' | '.join(ratios)} |"]


LIMIT = "limit of the machine"
EPOCH = "MNIST epoch"


def _shown(row: dict[str, float], scale: float = 1e6) -> str:
    middle, spread = (scale * row[f"step_{figure}_s"] for figure in ("median", "spread"))
    digits = 2 if scale == 1 else 1 if middle < 100 else 0
    return f"{middle:,.{digits}f} ± {spread:,.{digits}f}"


def _ratio(rows: dict[str, dict[str, float]]) -> str:
    """How many times as fast as the fastest peer the compiled program is."""
    peers = [row["step_median_s"] for name, row in rows.items() if name != LIMIT and not name.startswith("nnkit")]
    return f"{min(peers) / rows['nnkit']['step_median_s']:.2f} times"


def between(text: str, mark: str, end: str, content: str) -> str:
    """The text with what stands between two marks replaced."""
    pattern = re.compile(f"({re.escape(mark)}).*?({re.escape(end)})", re.DOTALL)
    assert pattern.search(text), f"the README has no {mark}"
    return pattern.sub(lambda match: match.group(1) + content + match.group(2), text)


def rewritten(text: str) -> str:
    """The README with everything but the example's output brought up to date."""
    for name in ("digits_nnkit", "digits_keras", "digits_pytorch"):
        text = between(text, f"<!-- lines:{name} -->", "<!-- / -->", str(lines_of(name)))
    return between(text, "<!-- speed -->", "<!-- /speed -->", f"\n{speed_table()}\n")


def main() -> None:
    text = rewritten(README.read_text())
    printed = output_of(example(text))
    README.write_text(between(text, "<!-- output -->", "<!-- /output -->", f"\n```text\n{printed}```\n"))


if __name__ == "__main__":
    main()
