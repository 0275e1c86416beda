"""``nnkit compare``: run records beside the first of them, and whether their differences are real."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from nnkit.cli.command import Command
from nnkit.cli.failures import say
from nnkit.cli.flags import file
from nnkit.cli.output import line
from nnkit.measure.comparison import Figure, compare, unlike
from nnkit.measure.record import load_record
from nnkit.measure.units import bytes_text, number_text, seconds_text


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_argument("first", type=file, metavar="FIRST.json", help="a record that 'nnkit train --record' wrote")
    parser.add_argument("others", type=file, metavar="OTHER.json", nargs="+", help="the records to compare with it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(flags: Namespace) -> int:
    """Read all, compare each with the first, print."""
    first = load_record(flags.first)
    others = {path: load_record(path) for path in flags.others}
    for path, other in others.items():
        for text in unlike(first, other):
            say(f"warning: {flags.first} and {path}: {text}")
    found = {path: compare(first, other) for path, other in others.items()}
    if flags.format == "json":
        plain = [[asdict(figure) for figure in figures] for figures in found.values()]
        print(json.dumps(plain[0] if len(plain) == 1 else dict(zip(found, plain, strict=True)), indent=1))
        return 0
    for number, (path, figures) in enumerate(found.items()):
        if len(found) > 1:
            print(f"{chr(10) if number else ''}{path} beside {flags.first}")
        for figure in figures:
            print(line(figure.name, _text(figure)))
    return 0


def _text(figure: Figure) -> str:
    """Both values, their ratio, and what can be said.

    >>> _text(Figure("loss", "", 0.5, 0.25, 0.5, None, None, "one value each"))
    '0.5000 → 0.2500, × 0.500: one value each'
    """
    if figure.first is None or figure.second is None:
        return figure.verdict
    shown = UNITS.get(figure.unit, number_text)
    ratio = "" if figure.ratio is None else f", × {figure.ratio:.3f}"
    sure = "" if figure.interval is None else " (99 %: {:.3f} to {:.3f})".format(*figure.interval)
    return f"{shown(figure.first)} → {shown(figure.second)}{ratio}{sure}: {figure.verdict}"


UNITS = {"s": seconds_text, "B": bytes_text}


COMMAND = Command(
    "compare",
    "Compare run records with the first: speed, accuracy, memory; and say which differences are real.",
    ("nnkit compare rmsprop.json adam.json", "nnkit compare rmsprop.json adam.json sgd.json --format json"),
    _add_flags,
    run,
)
