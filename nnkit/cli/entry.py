"""``main``: finds the command, parses its flags, runs it, and turns what goes wrong into a message and a status."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from nnkit._version import __version__
from nnkit.cli import bench, compare, devices, explain, export, inspect, play, predict, replay, resume, test, train
from nnkit.cli.command import Command, Parser
from nnkit.cli.failures import USAGE, guarded
from nnkit.cli.output import width
from nnkit.names import lookup

COMMANDS: dict[str, Command] = {
    command.name: command  # in the order in which a newcomer needs them
    for command in (
        train.COMMAND,
        resume.COMMAND,
        test.COMMAND,
        predict.COMMAND,
        explain.COMMAND,
        export.COMMAND,
        bench.COMMAND,
        compare.COMMAND,
        devices.COMMAND,
        inspect.COMMAND,
        play.COMMAND,
        replay.COMMAND,
    )
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (``sys.argv[1:]`` if None) and return its exit status.

    0 is success, 1 a failure, 2 a wrong command line, 130 Ctrl-C.

    >>> main(["train", "--epochs", "many"])
    2
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _run(words))


def _run(words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        _top().parse_args(words)
        _top().print_help(sys.stderr)  # only a command was missing
        return USAGE
    command = lookup("command", words[0], COMMANDS)
    return command.run(command.parsed(words[1:]))


def _top() -> Parser:
    listed = (
        textwrap.fill(f"{command.name:9} {command.summary}", width(), initial_indent="  ", subsequent_indent=" " * 12)
        for command in COMMANDS.values()
    )
    parser = Parser(
        "nnkit",
        "Define, train, test, save and measure neural networks.",
        "\n".join(["commands:", *listed, "", "'nnkit COMMAND --help' shows its flags and examples."]),
        "nnkit [-h] [--version] COMMAND …",
    )
    parser.add_argument("--version", action="version", version=f"nnkit {__version__}")
    return parser
