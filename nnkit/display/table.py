"""Tables in HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Names of columns over rows. Numbers stand right; a second line in a text is a remark, and smaller.

    >>> print(table(["layer", "values"], [["layers.0", 1234]]))
    <table><thead><tr><th>layer</th><th>values</th></tr></thead>
    <tr><td>layers.0<td class=n style="text-align:right">1,234
    </table>
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ["<tr>" + "".join(map(_cell, row)) for row in rows]
    return f"<table><thead><tr>{head}</tr></thead>\n" + "\n".join(lines) + "\n</table>"


def preformatted(text: str) -> str:
    """Text in columns, as it is.

    >>> preformatted("a < b")
    '<pre>a &lt; b</pre>'
    """
    return f"<pre>{escape(text)}</pre>"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        text, _, remark = value.partition("\n")
        return f"<td>{escape(text)}" + (f"<br><small>{escape(remark)}</small>" if remark else "")
    return f'<td class=n style="text-align:right">{value:,}'
