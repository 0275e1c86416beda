"""The README's table of formats: every cell has its test."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_row_of_the_table_is_tested() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Files that can be trusted")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| format")]
    assert len(rows) == 7
    files = [*(ROOT / "tests" / "formats").rglob("test_*.py"), *(ROOT / "tests" / "checkpoint").rglob("test_*.py")]
    known = {
        name
        for path in files
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row.split("|")[-2]))
        assert named, row
        assert named <= known, named - known
