"""How results look: labels and columns as in the closing table of a run, accuracy in one wording, and colour."""

from __future__ import annotations

import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable

from nnkit.measure.summary import BOLD, LABEL_WIDTH, NARROWEST, PLAIN
from nnkit.training.result import Scores


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return max(shutil.get_terminal_size().columns, NARROWEST)


def colour() -> bool:
    """Whether standard output is a terminal that shows bold text, and nobody has forbidden it (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def line(label: str, text: str) -> str:
    """A label and its text, wrapped to the terminal and aligned behind the label.

    >>> line("device", "cpu")
    'device      cpu'
    """
    first = label.ljust(LABEL_WIDTH)
    wrapped = wrap(first + text, indent=" " * LABEL_WIDTH)
    return f"{BOLD}{first}{PLAIN}{wrapped[LABEL_WIDTH:]}" if colour() else wrapped


def wrap(text: str, indent: str = "") -> str:
    """Text in lines that fit into the terminal, all but the first indented."""
    return textwrap.fill(safe(text, keep="\n"), width(), subsequent_indent=indent, break_on_hyphens=False)


def safe(text: str, keep: str = "") -> str:
    """Text from a file, without marks that act on a terminal; cut if it is long, unless marks are to be kept.

    >>> print(safe("red" + chr(27)))
    red\\x1b
    """
    plain = "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)
    return plain if len(plain) <= 2000 or keep else f"{plain[:1997]}..."


def scores_text(scores: Scores, asked: Iterable[str] = ()) -> str:
    """The figures of a test in one line, the same after training and in ``nnkit test``; ``asked`` are further ones.

    >>> scores_text(Scores(loss=0.1034, rows=360, accuracy=350 / 360, f1=0.9714), ["f1"])
    'accuracy 97.22 % (350/360), loss 0.1034, f1 0.9714'
    """
    figures = scores.to_dict()
    first = [name for name in figures if name != "loss"] if scores.accuracy is None else ["accuracy"]
    names = dict.fromkeys([*first, "loss", *(name for name in asked if name in figures)])
    return ", ".join(_figure(scores, name, figures[name]) for name in names)


def _figure(scores: Scores, name: str, value: float) -> str:
    if name == "r2" and math.isnan(value):  # of one row
        return "r2 –"
    if name != "accuracy":
        return f"{name} {value:.4g}"
    return f"accuracy {100 * value:.2f} % ({round(value * scores.rows)}/{scores.rows})"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1437, "row")
    ('1 row', '1,437 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
