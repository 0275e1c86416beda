"""What pictures are made of. Lines and text take the colour of the text around them, so that dark pages work too."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

ACCENTS = ("#3b7dd8", "#e07b39", "#3a9a5c", "#b0549f", "#8a6d3b", "#5b5fc7")
FONT = 'font-family="system-ui, sans-serif" font-size="12" fill="currentColor"'


def picture(width: float, height: float, parts: Iterable[str], title: str) -> str:
    """A whole SVG element, which says to a screen reader what it shows."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    body = "\n".join(parts)
    role = f'role="img" aria-label="{escape(title)}" style="max-width:100%;height:auto"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {role} {FONT}>\n<title>{escape(title)}</title>\n{body}\n</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "middle", faint: bool = False) -> str:
    """Words at a place."""
    opacity = ' opacity="0.65"' if faint else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{opacity}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, opacity: float = 1.0) -> str:
    """A thin line."""
    ends = f'x1="{x1:.4g}" y1="{y1:.4g}" x2="{x2:.4g}" y2="{y2:.4g}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="{opacity:g}"/>'
