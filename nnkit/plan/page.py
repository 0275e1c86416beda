"""A plan as an HTML page that needs nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from nnkit.display import table

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { padding: .25rem .6rem; border-bottom: 1px solid #8884; text-align: left; vertical-align: top }
.n { text-align: right; font-variant-numeric: tabular-nums }
small { opacity: .7 }
"""


def page(heading: str, data: dict[str, Any]) -> str:
    """The page of what ``explain_json`` gives."""
    times = {"seconds": "µs (predicted)"} | ({"measured_s": "µs (measured)"} if "measured_s" in data else {})
    steps = [
        [
            *(row[key] for key in ("number", "phase", "layer", "what", "shape", "flops", "bytes")),
            *(round(float(row[key]) * 1e6, 1) for key in times),
        ]
        for row in data["steps"]
    ]
    decisions = [
        [
            d["name"],
            f"{d['meaning']}\n{d['remark']}",
            *(d["saved"][key] for key in ("kernels", "flops", "nbytes", "arena_bytes")),
        ]
        for d in data["decisions"]
    ]
    body = [
        "<h1>The planned step</h1>",
        f"<p>{escape(heading).replace(chr(10), '<br>')}</p>",
        table(["#", "phase", "layer", "kernel", "result", "FLOPs", "bytes", *times.values()], steps),
        "<h2>Decisions, and what each saved</h2>",
        table(["name", "meaning", "kernels", "FLOPs", "bytes", "bytes of memory"], decisions),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = "<title>nnkit: the planned step</title>"
    return f'<!doctype html>\n<html lang="en">{head}{title}<style>{_STYLE}</style>\n' + "\n".join(body) + "\n</html>\n"
